import { encodeTuple } from '../../../core/keys/index.ts';
import type { IdPart } from '../../../core/model/model.ts';
import type { Shape } from '../../../core/model/types.ts';
import type { ReadOptions } from '../../../core/store.ts';
import type { BulkOptions, Repository, WriteCallOptions } from '../../../repositories/index.ts';
import { forEachItem, type Inside } from '../../../repositories/internal.ts';
import { together } from '../batch.ts';
import { jittered } from '../call.ts';
import type { NewValue } from '../entries.ts';
import type { LoadContext, Loader } from '../loader.ts';
import type { TagGenerations } from '../lookup.ts';
import type { CacheParts } from '../parts.ts';
import type { Reads } from '../reads.ts';
import type { ValueCodec } from '../value-codec.ts';
import type { Writes } from '../writes.ts';
import { CachedWrites } from './cached-writes.ts';
import { entityCodec, versionOf } from './entity-codec.ts';

/** How entities are cached; times in milliseconds. */
export interface ThroughSettings {
  readonly ttl: number;
  readonly stale: number;
  readonly absent: number;
  readonly tags: ((entity: object) => readonly string[]) | undefined;
}

type Plain = Repository<Shape>;

/** The verbs that a cache has a part in; the others are the repository's own. Untyped inside, as the repository is. */
export class CachedRepository {
  readonly #parts: CacheParts;
  readonly #reads: Reads;
  readonly #cachedWrites: CachedWrites;
  readonly #inner: Plain;
  readonly #inside: Inside;
  readonly #settings: ThroughSettings;
  readonly #codec: ValueCodec<object>;

  constructor(
    parts: CacheParts,
    reads: Reads,
    writes: Writes,
    inner: Plain,
    inside: Inside,
    settings: ThroughSettings,
  ) {
    this.#parts = parts;
    this.#reads = reads;
    this.#cachedWrites = new CachedWrites(parts, writes);
    this.#inner = inner;
    this.#inside = inside;
    this.#settings = settings;
    this.#codec = entityCodec(inside.model);
  }

  async get(id: unknown, options: ReadOptions = {}): Promise<object | undefined> {
    return this.#get(id, options, ({ signal }) => this.#inner.get(id, { signal }));
  }

  async getOrThrow(id: unknown, options: ReadOptions = {}): Promise<object> {
    return (await this.get(id, options)) ?? this.#inner.getOrThrow(id, options);
  }

  async getMany(ids: readonly unknown[], options: ReadOptions = {}): Promise<(object | undefined)[]> {
    const idOf = new Map(ids.map((id) => [this.#key(id), id]));
    const many = together<object>(this.#inside.model.name, (keys, { signal }) => {
      const missing = keys.map((key) => idOf.get(key));
      return this.#inner.getMany(missing, { signal });
    });
    // No entity is an Absent: the loader above returns none.
    const load = async (context: LoadContext<object>) => (await many(context)) as object | undefined;
    return Promise.all(ids.map((id) => this.#get(id, options, load)));
  }

  async exists(id: unknown, options: ReadOptions = {}): Promise<boolean> {
    return (await this.get(id, options)) !== undefined;
  }

  async create(input: object, options: WriteCallOptions = {}): Promise<object> {
    const entity = this.#withId(input);
    return this.#write(this.#keyOf(entity), () => this.#inner.create(entity, options), options);
  }

  async put(input: object, options: WriteCallOptions = {}): Promise<object> {
    const entity = this.#withId(input);
    return this.#write(this.#keyOf(entity), () => this.#inner.put(entity, options), options);
  }

  async mutate(id: unknown, fn: Parameters<Plain['mutate']>[1], options: WriteCallOptions = {}): Promise<object> {
    return this.#write(this.#key(id), () => this.#inner.mutate(id, fn, options), options);
  }

  async touch(id: unknown, options: WriteCallOptions = {}): Promise<object> {
    return this.#write(this.#key(id), () => this.#inner.touch(id, options), options);
  }

  async delete(id: unknown, options: WriteCallOptions = {}): Promise<boolean> {
    return this.#cachedWrites.run(
      this.#key(id),
      () => this.#inner.delete(id, options),
      () => undefined,
      options,
    );
  }

  createMany(entities: readonly object[], options: BulkOptions = {}) {
    return forEachItem(entities, options, (entity) => this.create(entity, options));
  }

  putMany(entities: readonly object[], options: BulkOptions = {}) {
    return forEachItem(entities, options, (entity) => this.put(entity, options));
  }

  deleteMany(ids: readonly unknown[], options: BulkOptions = {}) {
    return forEachItem(ids, options, (id) => this.delete(id, options));
  }

  async #get(
    id: unknown,
    { signal, consistency = 'strong' }: ReadOptions,
    load: (context: LoadContext<object>) => Promise<object | undefined>,
  ): Promise<object | undefined> {
    const key = this.#key(id);
    const calm = signal?.aborted === true ? undefined : this.#reads.calm(key);
    if (calm !== undefined) {
      this.#parts.counts.l1Hits += 1;
      // Under the key of an entity there is nothing else.
      return calm.servable.take() as object | undefined;
    }
    const { ttl, stale, absent, tags } = this.#settings;
    const loader: Loader<object> = async (context) => {
      const entity = await load(context);
      if (entity === undefined) return context.absent(absent);
      const life = this.#lifeOf(entity);
      context.setTtl(life.ttl, life.stale);
      if (tags !== undefined) context.tag(...tags(entity));
      return entity;
    };
    return this.#reads.read({ key, codec: this.#codec, loader, tags: [], ttl, stale, consistency, signal });
  }

  async #write(key: string, write: () => Promise<object>, options: WriteCallOptions): Promise<object> {
    return this.#cachedWrites.run(key, write, (entity, tags) => this.#written(entity, tags), options);
  }

  /** The entry of an entity that was written; `undefined` if it is better read again. */
  #written(entity: object, tags: TagGenerations): NewValue | undefined {
    const { model } = this.#inside;
    // Of writes that shared a commit only the last knows its version. Its own tags nobody had looked up before.
    const isWhole = model.versionField === undefined || versionOf(model, entity) !== undefined;
    if (!isWhole || this.#settings.tags !== undefined) return undefined;
    const { ttl, stale } = this.#lifeOf(entity);
    const { environment, settings } = this.#parts;
    const expiresAt = environment.clock.now() + jittered(ttl, settings.jitter, environment.random);
    return { text: this.#codec.encode(entity), expiresAt, staleUntil: expiresAt + stale, cost: 0, tags };
  }

  /** No longer than the entity's own deadline. */
  #lifeOf(entity: object): { ttl: number; stale: number } {
    const { ttl, stale } = this.#settings;
    const { deadlineField } = this.#inside.model;
    // An entity is read by field name.
    const deadline = deadlineField === undefined ? undefined : (entity as Record<string, unknown>)[deadlineField];
    if (!(deadline instanceof Date)) return { ttl, stale };
    const left = Math.max(0, deadline.getTime() - this.#parts.environment.clock.now());
    const fresh = Math.min(ttl, left);
    return { ttl: fresh, stale: Math.min(stale, left - fresh) };
  }

  /** The id is made here where the repository would have made it: the entry is emptied before the write. */
  #withId(input: object): object {
    // As above.
    const given = input as Record<string, unknown>;
    const missing = this.#inside.model.ids.filter(({ name, generate }) => given[name] === undefined && generate);
    if (missing.length === 0) return input;
    const ids = missing.map(({ name, generate }) => [name, generate?.(this.#parts.environment)]);
    return Object.assign(Object.create(Object.getPrototypeOf(input)), input, Object.fromEntries(ids));
  }

  #keyOf(entity: object): string {
    const { ids } = this.#inside.model;
    // As above.
    const values = entity as Record<string, unknown>;
    const [only] = ids;
    if (ids.length === 1 && only !== undefined) return this.#key(values[only.name]);
    return this.#key(Object.fromEntries(ids.map(({ name }) => [name, values[name]])));
  }

  #key(id: unknown): string {
    const { model } = this.#inside;
    const parts: IdPart[] = this.#inside.idParts(id);
    return `${model.name}\n${Buffer.from(encodeTuple(parts)).toString('base64url')}`;
  }
}
