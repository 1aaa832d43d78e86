import type { ReadOptions, WriteOptions } from '../store.ts';

/**
 * How far two vectors are apart; lower is nearer.
 * - `'cosine'`: 1 − cos, from 0 to 2; 1 where one of them is (nearly) zero;
 * - `'euclidean'`: the root of the sum of squared differences;
 * - `'innerProduct'`: the negative dot product.
 *
 * Source: the NoriKV protocol.
 */
export type Metric = 'cosine' | 'euclidean' | 'innerProduct';

/** `'exact'` compares with every vector; `'hnsw'` finds nearly all of the nearest, much faster. */
export type VectorIndexType = 'hnsw' | 'exact';

export interface VectorIndexOptions {
  /** 1 to 4,096. */
  readonly dimensions: number;
  readonly metric: Metric;
  readonly type: VectorIndexType;
}

export interface VectorMatch {
  readonly id: string;
  readonly distance: number;
}

/** Where a vector is, whether it is there or not. */
export interface VectorName {
  readonly namespace: string;
  readonly id: string;
}

/** A vector written or deleted in a commit. */
export type VectorWrite =
  | { readonly type: 'insert'; readonly namespace: string; readonly id: string; readonly vector: Float32Array }
  | { readonly type: 'delete'; readonly namespace: string; readonly id: string };

export interface VectorListOptions extends ReadOptions {
  /** Only ids behind this one, whether it is there or not. */
  readonly after?: string | undefined;
  /** At most so many ids in the page; 1 to 1,000, default 100. */
  readonly limit?: number | undefined;
}

/**
 * The vectors of a store, in namespaces of one length and metric each.
 *
 * Promises that the contract suite checks:
 * - a strong `search` sees every vector written before it began, by any client;
 * - a vector is refused before anything is written if it has another length than its namespace, or a number that is not
 *   finite as a 32-bit float;
 * - vectors handed in and out are the caller's own.
 *
 * Errors: `index.missing` where the namespace does not exist, `argument.invalid`, and those of every store.
 */
export interface Vectors {
  /**
   * Makes a namespace; `false` if it exists with the same options.
   * Errors: `argument.invalid` if it exists with other options.
   */
  createIndex(namespace: string, options: VectorIndexOptions, write?: WriteOptions): Promise<boolean>;
  /** Deletes a namespace with its vectors; `false` if there is none. */
  dropIndex(namespace: string, write?: WriteOptions): Promise<boolean>;
  /** Stores a vector under an id, in place of the one before. */
  insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void>;
  /** Whether there was a vector to delete. */
  delete(namespace: string, id: string, write?: WriteOptions): Promise<boolean>;
  get(namespace: string, id: string, options?: ReadOptions): Promise<Float32Array | undefined>;
  /** One answer for each id, in order. */
  getMany(namespace: string, ids: readonly string[], options?: ReadOptions): Promise<(Float32Array | undefined)[]>;
  /**
   * The `k` (1 to 1,000) nearest, the nearest first; equal distances in order of id. Fewer than `k` only if the
   * namespace has no more.
   */
  search(namespace: string, query: Float32Array, k: number, options?: ReadOptions): Promise<VectorMatch[]>;
  /** Ids in the order of their UTF-8 bytes. An empty page is the end. Only where `capabilities.scan`. */
  list(namespace: string, options?: VectorListOptions): Promise<string[]>;
}
