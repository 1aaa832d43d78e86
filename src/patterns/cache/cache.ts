import type { Duration } from '../../core/duration.ts';
import type { Consistency } from '../../core/store.ts';
import type { Database } from '../../repositories/index.ts';
import { placeOf } from '../../repositories/internal.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type LoadMany, together } from './batch.ts';
import type { CacheMessage } from './bus.ts';
import type { Call } from './call.ts';
import { Entries } from './entries.ts';
import { LocalTier } from './l1/local.ts';
import type { Absent, Loader } from './loader.ts';
import { lifeOf } from './loader.ts';
import { Lookups } from './lookups.ts';
import type { CacheParts } from './parts.ts';
import { Reads } from './reads.ts';
import { cacheRecords, newGeneration } from './records.ts';
import { type CacheOptions, checkKey, checkTags, settingsOf } from './settings.ts';
import { type CacheStats, noCounts } from './stats.ts';
import { Tags } from './tags.ts';
import { type AnyRepository, type EntityOf, type ThroughOptions, through } from './through/through.ts';
import { anyValueCodec, type ValueCodec } from './value-codec.ts';
import { Writes } from './writes.ts';

export interface CacheGetOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of the value, if it is loaded: what `invalidateTags` knows it by. */
  readonly tags?: readonly string[] | undefined;
  /** Of the value, if it is loaded; default: those of the cache. */
  readonly ttl?: Duration | undefined;
  readonly stale?: Duration | undefined;
  /** Of the look at the store; default `'strong'`. Anything else may serve what was invalidated a moment ago. */
  readonly consistency?: Consistency | undefined;
}

export interface CachePutOptions extends BlockCallOptions {
  readonly tags?: readonly string[] | undefined;
  /** Default: those of the cache. */
  readonly ttl?: Duration | undefined;
  readonly stale?: Duration | undefined;
}

/** What a call with this loader resolves to: `undefined` only where the loader may say that there is nothing. */
export type Cached<T, R> = [Extract<R, Absent | undefined>] extends [never] ? T : T | undefined;

/**
 * Values that are slow to come by, kept in memory and in the store. Whoever reads after an invalidation was acknowledged
 * gets nothing that was loaded before it: see docs/cache.md for what that means with several processes.
 *
 * A cache that fails is no reason to fail: reads go on with a stale value or with the loader. Writes and invalidations
 * reject. Errors of every call: `argument.invalid`, `aborted`.
 *
 * @example
 * ```ts
 * const users = new Cache<User>(db, { name: 'users', ttl: '5m', stale: '1h' });
 * const user = await users.get(id, async ({ signal, absent }) => (await load(id, signal)) ?? absent('30s'));
 * await users.invalidate(id);
 * ```
 */
export class Cache<T> implements AsyncDisposable {
  readonly name: string;
  readonly #db: Database;
  readonly #parts: CacheParts;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #codec: ValueCodec<T>;
  readonly #self: string;
  readonly #unsubscribe: (() => void | Promise<void>) | undefined;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: CacheOptions) {
    const settings = settingsOf(options);
    const { name } = settings;
    requireStore('Cache', db, options, {
      cas: 'a value that was loaded before an invalidation could be stored after it',
      ifAbsent: 'a value that was loaded before an invalidation could be stored after it',
    });
    const { environment } = db;
    const records = cacheRecords(db);
    this.name = name;
    this.#db = db;
    this.#self = newGeneration(environment.random);
    this.#codec = anyValueCodec(name, settings.isFrozen);
    this.#parts = {
      settings,
      environment,
      records,
      lookups: new Lookups(name, records, environment),
      entries: new Entries(name, records, environment, settings.hard),
      local: settings.l1 && new LocalTier(settings.l1, environment.random),
      counts: noCounts(),
    };
    this.#reads = new Reads(this.#parts);
    const tags = new Tags(name, records, environment);
    this.#writes = new Writes(this.#parts, tags, this.#reads, (news) => {
      return settings.bus?.publish({ cache: name, ...placeOf(db), from: this.#self, ...news });
    });
    this.#unsubscribe = settings.bus?.subscribe((message) => this.#hear(message));
  }

  /**
   * The value of a key; without a loader what is there, or `undefined`. With one, a value that is missing or past its ttl
   * is loaded, by one call of this process at a time, and of all processes as long as the store answers.
   *
   * What it resolves to is frozen, or the caller's own: changing it never changes the cache.
   *
   * Errors: `cache.loaderFailed`, `cache.loaderTimeout`, `validation.failed` for what cannot be stored at all.
   */
  get(key: string, options?: CacheGetOptions): Promise<T | undefined>;
  get<R extends T | Absent | undefined>(
    key: string,
    loader: Loader<T, R>,
    options?: CacheGetOptions,
  ): Promise<Cached<T, R>>;
  get(key: string, loader?: Loader<T> | CacheGetOptions, options?: CacheGetOptions): Promise<T | undefined> {
    const isLoader = typeof loader === 'function';
    const how = isLoader ? options : loader;
    const entry = this.#reads.calm(key);
    if (entry === undefined || (entry.isStale && !isLoader) || how?.signal?.aborted === true) {
      return this.#get(key, isLoader ? loader : undefined, how);
    }
    const { counts } = this.#parts;
    counts.l1Hits += 1;
    if (entry.isStale) counts.staleHits += 1;
    const value = entry.shared === undefined ? entry.servable.take() : entry.shared.value;
    // Of one key all callers know the same type.
    return Promise.resolve(value as T | undefined);
  }

  /**
   * The values of several keys, in order; what is missing is loaded in one call of the loader, if it can be.
   *
   * @example
   * ```ts
   * const found = await users.getMany(ids, (missing) => loadUsers(missing));
   * ```
   */
  async getMany(
    keys: readonly string[],
    loadMany?: LoadMany<T>,
    options: CacheGetOptions = {},
  ): Promise<(T | undefined)[]> {
    const loader = loadMany && together(this.name, loadMany);
    return Promise.all(keys.map((key) => (loader ? this.get(key, loader, options) : this.get(key, options))));
  }

  /**
   * Stores a value; what is being loaded meanwhile is not stored after it. `absent()` stores that there is none.
   * Errors: `cache.tooLarge`, `validation.failed`, and those of a repository's write.
   */
  async put(key: string, value: T | Absent, options: CachePutOptions = {}): Promise<void> {
    checkKey('key', key);
    if (value === undefined)
      refuse('value', "There is nothing to put. To remember that there is no value put absent('30s').");
    const tags = checkTags(options.tags ?? []);
    const { ttl, stale } = lifeOf(options.ttl, options.stale, this.#parts.settings);
    await this.#writes.put({ key, value, codec: this.#codec, tags, ttl, stale }, options);
  }

  /** Takes values away, also from what is being loaded. Errors: those of a repository's write. */
  async invalidate(key: string | readonly string[], options: BlockCallOptions = {}): Promise<void> {
    await this.#writes.invalidate(checkedKeys(key), options);
  }

  /** As if their ttl were over: the next call loads them anew, and may serve them stale meanwhile. */
  async expire(key: string | readonly string[], options: BlockCallOptions = {}): Promise<void> {
    await this.#writes.expire(checkedKeys(key), options);
  }

  /** Takes away all values that have one of the tags, also what is being loaded. One write for each tag, and one more. */
  async invalidateTags(tags: readonly string[], options: BlockCallOptions = {}): Promise<void> {
    await this.#writes.invalidateTags([...new Set(checkTags(tags))], options);
  }

  /** Takes away everything, with one write. */
  async clear(options: BlockCallOptions = {}): Promise<void> {
    await this.#writes.clear(options);
  }

  /**
   * A repository of which reads by id are served by this cache, and whose writes keep it up to date: with the same types
   * and the same errors. What it returns is the caller's own, to change and to put back. Each write is two more of the
   * cache, before and after; a process that dies in between leaves nothing stale behind.
   *
   * @example
   * ```ts
   * const users = cache.through(db.repo(User));
   * const user = await users.get('mia');          // from the cache
   * await users.mutate('mia', (u) => { u.visits += 1; });
   * ```
   */
  through<R extends AnyRepository>(repository: R, options: ThroughOptions<EntityOf<R>> = {}): R {
    return through(this.#parts, this.#reads, this.#writes, repository, placeOf(this.#db), options);
  }

  /** What this object did so far. */
  stats(): CacheStats {
    const { counts, local } = this.#parts;
    return {
      ...counts,
      evictions: local?.evictions ?? 0,
      l1Size: local?.size ?? 0,
      l1Bytes: local?.bytes ?? 0,
    };
  }

  /** Calls off the loads that are under way, leaves the bus and forgets what is in memory. Harmless twice. */
  async close(): Promise<void> {
    this.#reads.close();
    this.#parts.local?.clear();
    await this.#unsubscribe?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #get(
    key: string,
    loader: Loader<T> | undefined,
    { signal, tags = [], ttl, stale, consistency = 'strong' }: CacheGetOptions = {},
  ): Promise<T | undefined> {
    checkKey('key', key);
    const call: Call<T> = {
      key,
      codec: this.#codec,
      loader,
      tags: checkTags(tags),
      ...lifeOf(ttl, stale, this.#parts.settings),
      consistency,
      signal,
    };
    return this.#reads.read(call);
  }

  #hear(message: CacheMessage): void {
    const { cache, tenant, generation = 0, from } = message;
    const place = placeOf(this.#db);
    if (cache !== this.name || from === this.#self) return;
    if (tenant !== place.tenant || generation !== place.generation) return;
    this.#writes.hear(message);
  }
}

function checkedKeys(key: string | readonly string[]): readonly string[] {
  const keys = typeof key === 'string' ? [key] : [...new Set(key)];
  for (const one of keys) checkKey('key', one);
  return keys;
}
