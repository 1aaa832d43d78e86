import { isJsonObject } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel } from '../../core/model/model.ts';
import { CONFLICT_POLICY, fullJitter } from '../../core/retry/index.ts';
import type { Key } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { KeyScope } from '../keyspace.ts';
import type { StoreClient } from '../store-client.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { Embedders } from './embedders.ts';
import { type SpaceSpec, spaceOf, type VectorSpace } from './space.ts';

/** What is stored of one embedding: which spec is searched, which is being built, which can be gone back to. */
export interface CatalogEntry {
  readonly active: SpaceSpec;
  readonly building?: BuildingSpec | undefined;
  readonly previous?: SpaceSpec | undefined;
  /** No longer in use; their vectors may still be there. */
  readonly dropping?: readonly SpaceSpec[] | undefined;
}

export interface BuildingSpec {
  readonly spec: SpaceSpec;
  /** Where the back-fill goes on, as a cursor of `scan`. */
  readonly cursor?: string | undefined;
  /** Records that the back-fill has seen. */
  readonly done: number;
}

/** The stored document: which vectors of an entity are in use. One for each tenant and entity. */
export interface CatalogDocument {
  readonly format: 1;
  readonly embeddings: Readonly<Record<string, CatalogEntry>>;
}

/** The spaces of one embedding. Every save writes to all of them. */
export interface SpacesInUse {
  /** The one that is searched. */
  readonly active: VectorSpace;
  readonly building: VectorSpace | undefined;
  readonly previous: VectorSpace | undefined;
}

export interface CatalogState {
  readonly version: Version;
  readonly document: CatalogDocument;
  readonly spaces: ReadonlyMap<string, SpacesInUse>;
}

/** Every space in use, with the name of its embedding. */
export function* spacesInUse({ spaces }: Pick<CatalogState, 'spaces'>): Generator<readonly [string, VectorSpace]> {
  for (const [name, { active, building, previous }] of spaces) {
    for (const space of [active, building, previous]) if (space !== undefined) yield [name, space];
  }
}

export interface CatalogOptions {
  readonly key: Key;
  readonly scope: KeyScope;
  readonly embeddings: readonly EmbeddingModel[];
  readonly embedders: Embedders;
  readonly client: StoreClient;
}

/**
 * Which vectors of an entity are in use, as all processes see it: the model of a query, and of a save, comes from here
 * and not from the code (an issue of a peer: Dify #40961). Read once and kept; where the store commits, every write
 * checks its version, so that no write misses a change.
 */
export class Catalog {
  readonly #options: CatalogOptions;
  #state: Promise<CatalogState> | undefined;
  /** Namespaces that this process knows to exist. */
  readonly #made = new Set<string>();

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  get key(): Key {
    return this.#options.key;
  }

  current(): Promise<CatalogState> {
    if (this.#state === undefined) {
      const loading = this.#load();
      this.#state = loading;
      // A failed read is not kept.
      loading.catch(() => this.#forget(loading));
    }
    return this.#state;
  }

  /** After a conflict: somebody may have changed what is in use. */
  invalidate(): void {
    this.#state = undefined;
  }

  /** After `index.missing`: somebody dropped it, or the store has lost it. The next use makes it again if it is in use. */
  forgetIndexes(): void {
    this.invalidate();
    this.#made.clear();
  }

  /** The spec that the code asks for. */
  wanted({ name, source, dimensions, metric, index, template, embedder, chunk }: EmbeddingModel): SpaceSpec {
    if (source === undefined) {
      // The model has it where there is no source.
      return { embedder: 'given', dimensions: dimensions as number, metric, index, template };
    }
    const used = this.#options.embedders.of(embedder, `${this.#options.scope[3]}.${name}`);
    const cutting = chunk && { chunk: { size: chunk.size, overlap: chunk.overlap } };
    return { embedder: used.id, dimensions: used.dimensions, metric, index, template, ...cutting };
  }

  /** Changes the document in a compare-and-swap loop; `change` may run again. */
  async update(change: (document: CatalogDocument) => CatalogDocument, signal?: AbortSignal): Promise<CatalogState> {
    const state = await this.#swap(change, signal);
    this.#state = Promise.resolve(state);
    return state;
  }

  #forget(loading: Promise<CatalogState>): void {
    if (this.#state === loading) this.#state = undefined;
  }

  #load(): Promise<CatalogState> {
    const { embeddings } = this.#options;
    return this.#swap((document) => {
      const unknown = embeddings.filter(({ name }) => document.embeddings[name] === undefined);
      if (unknown.length === 0) return document;
      const added = unknown.map((embedding) => [embedding.name, { active: this.wanted(embedding) }]);
      return { ...document, embeddings: { ...document.embeddings, ...Object.fromEntries(added) } };
    });
  }

  async #swap(change: (document: CatalogDocument) => CatalogDocument, signal?: AbortSignal): Promise<CatalogState> {
    const { client, key } = this.#options;
    const { clock, random } = client.environment;
    for (let attempt = 1; attempt <= CONFLICT_POLICY.maxAttempts; attempt++) {
      const stored = await client.get(key, { signal });
      const before = stored === undefined ? EMPTY : parse(stored.value);
      const after = change(before);
      const spaces = this.#spacesOf(after);
      // Before the document names them; and again for one that does, as a store may have lost its vectors.
      await this.#makeIndexes(spaces);
      if (stored !== undefined && after === before) return { version: stored.version, document: before, spaces };
      const precondition = stored === undefined ? { ifAbsent: true } : { ifMatch: stored.version };
      const value = Buffer.from(JSON.stringify(after));
      const options = { idempotencyKey: randomOperationId(random), signal };
      const outcome = await client.write([{ type: 'put', key, value, ...precondition }], options);
      if (outcome.kind === 'notApplied') throw outcome.error;
      // Whether an unknown write was applied is seen at the next read: then there is nothing left to change.
      if (outcome.kind !== 'applied') await clock.sleep(fullJitter(attempt, CONFLICT_POLICY, random), { signal });
    }
    const attempts = CONFLICT_POLICY.maxAttempts;
    const entity = this.#options.scope[3];
    const message = `The vector catalog of ${entity} was changed by others at each of ${attempts} tries. Try later.`;
    throw new NorimakiError('conflict.exhausted', message, { entity, attempts, waited: 0 });
  }

  #spacesOf(document: CatalogDocument): Map<string, SpacesInUse> {
    const { scope } = this.#options;
    const spaces = new Map<string, SpacesInUse>();
    for (const [name, { active, building, previous }] of Object.entries(document.embeddings)) {
      spaces.set(name, {
        active: spaceOf(scope, name, active),
        building: building && spaceOf(scope, name, building.spec),
        previous: previous && spaceOf(scope, name, previous),
      });
    }
    return spaces;
  }

  async #makeIndexes(spaces: CatalogState['spaces']): Promise<void> {
    for (const [, { spec, namespace }] of spacesInUse({ spaces })) {
      if (this.#made.has(namespace)) continue;
      const { dimensions, metric, index } = spec;
      await this.#options.client.vectors.createIndex(namespace, { dimensions, metric, type: index });
      this.#made.add(namespace);
    }
  }
}

const EMPTY: CatalogDocument = { format: 1, embeddings: {} };

function parse(value: Uint8Array): CatalogDocument {
  const document: unknown = JSON.parse(Buffer.from(value).toString());
  if (isJsonObject(document) && document.format === 1 && isJsonObject(document.embeddings)) {
    // Written by `update`.
    return document as unknown as CatalogDocument;
  }
  throw new NorimakiError('store.incompatible', 'The vector catalog was written by a newer program. Update this one.', {
    store: 'catalog',
  });
}
