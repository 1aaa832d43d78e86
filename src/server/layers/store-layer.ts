import { NorimakiError } from '../../core/errors.ts';
import {
  type Capabilities,
  type CommitOperation,
  type CommitOptions,
  canCommit,
  canScan,
  canWatch,
  type DeleteOptions,
  hasVectors,
  type Key,
  type KeyRange,
  type PutOptions,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type Store,
  type Stored,
  type Watch,
  type WatchOptions,
  type WriteOptions,
} from '../../core/store.ts';
import type { VectorIndexOptions, VectorListOptions, VectorMatch, Vectors } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';

/** A store with every verb of the port; those that it cannot carry throw `capability.missing`. */
export interface ServedStore extends Pick<Store, 'capabilities' | 'get' | 'put' | 'delete'> {
  readonly vectors: Vectors;
  scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage>;
  commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version>;
  watch(range: KeyRange, options?: WatchOptions): Promise<Watch>;
}

function missing(capability: string, neededBy: string): NorimakiError<'capability.missing'> {
  const message = `The store behind this server has no ${capability}, which ${neededBy} needs.`;
  return new NorimakiError('capability.missing', message, { capability, neededBy });
}

/** A store of the port with every verb. */
class WholeStore implements ServedStore {
  readonly capabilities: Capabilities;
  readonly vectors: Vectors;
  readonly #store: Store;

  constructor(store: Store) {
    this.capabilities = store.capabilities;
    this.vectors = hasVectors(store) ? store.vectors : new NoVectors();
    this.#store = store;
  }

  get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    return this.#store.get(key, options);
  }

  async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    if (options?.ifAbsent && !this.capabilities.ifAbsent) throw missing('ifAbsent', 'a put of what must not exist');
    return this.#store.put(key, value, options);
  }

  async delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    if (options?.ifMatch !== undefined && !this.capabilities.deleteIfMatch) {
      throw missing('deleteIfMatch', 'a delete with a version');
    }
    return this.#store.delete(key, options);
  }

  async scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage> {
    if (!canScan(this.#store)) throw missing('scan', 'Scan');
    return this.#store.scan(range, options);
  }

  async commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version> {
    if (!canCommit(this.#store)) throw missing('commit', 'Commit');
    return this.#store.commit(operations, options);
  }

  async watch(range: KeyRange, options?: WatchOptions): Promise<Watch> {
    if (!canWatch(this.#store)) throw missing('watch', 'Watch');
    return this.#store.watch(range, options);
  }
}

export function wholeStore(store: Store): ServedStore {
  return new WholeStore(store);
}

/** Passes everything on; a layer that changes something extends it. */
export class StoreLayer implements ServedStore {
  readonly capabilities: Capabilities;
  readonly vectors: Vectors;
  protected readonly inner: ServedStore;

  constructor(inner: ServedStore, { capabilities = inner.capabilities, vectors = inner.vectors }: Changes = {}) {
    this.capabilities = capabilities;
    this.vectors = vectors;
    this.inner = inner;
  }

  get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    return this.inner.get(key, options);
  }

  put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    return this.inner.put(key, value, options);
  }

  delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    return this.inner.delete(key, options);
  }

  scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage> {
    return this.inner.scan(range, options);
  }

  commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version> {
    return this.inner.commit(operations, options);
  }

  watch(range: KeyRange, options?: WatchOptions): Promise<Watch> {
    return this.inner.watch(range, options);
  }
}

/** What a layer changes beside its verbs. */
type Changes = Partial<Pick<ServedStore, 'capabilities' | 'vectors'>>;

/** Passes everything on; a layer that changes something extends it. */
export class VectorsLayer implements Vectors {
  protected readonly inner: Vectors;

  constructor(inner: Vectors) {
    this.inner = inner;
  }

  createIndex(namespace: string, options: VectorIndexOptions, write?: WriteOptions): Promise<boolean> {
    return this.inner.createIndex(namespace, options, write);
  }

  dropIndex(namespace: string, write?: WriteOptions): Promise<boolean> {
    return this.inner.dropIndex(namespace, write);
  }

  insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void> {
    return this.inner.insert(namespace, id, vector, write);
  }

  delete(namespace: string, id: string, write?: WriteOptions): Promise<boolean> {
    return this.inner.delete(namespace, id, write);
  }

  get(namespace: string, id: string, options?: ReadOptions): Promise<Float32Array | undefined> {
    return this.inner.get(namespace, id, options);
  }

  getMany(namespace: string, ids: readonly string[], options?: ReadOptions): Promise<(Float32Array | undefined)[]> {
    return this.inner.getMany(namespace, ids, options);
  }

  search(namespace: string, query: Float32Array, k: number, options?: ReadOptions): Promise<VectorMatch[]> {
    return this.inner.search(namespace, query, k, options);
  }

  list(namespace: string, options?: VectorListOptions): Promise<string[]> {
    return this.inner.list(namespace, options);
  }
}

/** The vectors of a store that keeps none. */
class NoVectors implements Vectors {
  createIndex = refuse;
  dropIndex = refuse;
  insert = refuse;
  delete = refuse;
  get = refuse;
  getMany = refuse;
  search = refuse;
  list = refuse;
}

async function refuse(): Promise<never> {
  throw missing('vectors', 'this call');
}
