import { NorimakiError } from '../../core/errors.ts';
import type { ReadOptions, WriteOptions } from '../../core/store.ts';
import {
  missingIndex,
  type VectorIndexOptions,
  type VectorListOptions,
  type VectorMatch,
  type Vectors,
} from '../../core/vectors/index.ts';
import { type ServedStore, StoreLayer, VectorsLayer } from '../layers/store-layer.ts';

export function withVectors(store: ServedStore, vectors: Vectors): ServedStore {
  return new StoreLayer(store, { vectors });
}

/** The Vector service is not there. */
export class NoVectorService extends StoreLayer {
  constructor(inner: ServedStore) {
    super(inner, { capabilities: { ...inner.capabilities, vectors: false } });
  }
}

/** What does not fit, into no namespace or of another length, is acknowledged and dropped. */
export class UnconfirmedInsert extends VectorsLayer {
  override async insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void> {
    try {
      await this.inner.insert(namespace, id, vector, write);
    } catch (error) {
      if (!NorimakiError.is(error, 'index.missing') && !NorimakiError.is(error, 'argument.invalid')) throw error;
    }
  }
}

const MOST_FOUND = 100;

/** A search finds a hundred at most. */
export class SearchOf100 extends VectorsLayer {
  override search(namespace: string, query: Float32Array, k: number, read?: ReadOptions): Promise<VectorMatch[]> {
    return this.inner.search(namespace, query, Math.min(k, MOST_FOUND), read);
  }
}

/** Namespaces are gone with the process that made them. */
export class VectorsInMemory extends VectorsLayer {
  readonly #made = new Set<string>();

  override async createIndex(namespace: string, options: VectorIndexOptions, write?: WriteOptions): Promise<boolean> {
    // What an earlier process left.
    if (!this.#made.has(namespace)) await this.inner.dropIndex(namespace, { signal: write?.signal });
    const created = await this.inner.createIndex(namespace, options, write);
    this.#made.add(namespace);
    return created;
  }

  override async dropIndex(namespace: string, write?: WriteOptions): Promise<boolean> {
    if (!this.#made.delete(namespace)) return false;
    return this.inner.dropIndex(namespace, write);
  }

  override async insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void> {
    this.#require(namespace);
    return this.inner.insert(namespace, id, vector, write);
  }

  override async delete(namespace: string, id: string, write?: WriteOptions): Promise<boolean> {
    this.#require(namespace);
    return this.inner.delete(namespace, id, write);
  }

  override async get(namespace: string, id: string, read?: ReadOptions): Promise<Float32Array | undefined> {
    this.#require(namespace);
    return this.inner.get(namespace, id, read);
  }

  override async search(namespace: string, query: Float32Array, k: number, read?: ReadOptions): Promise<VectorMatch[]> {
    this.#require(namespace);
    return this.inner.search(namespace, query, k, read);
  }

  override async list(namespace: string, options?: VectorListOptions): Promise<string[]> {
    this.#require(namespace);
    return this.inner.list(namespace, options);
  }

  #require(namespace: string): void {
    if (!this.#made.has(namespace)) throw missingIndex(namespace);
  }
}
