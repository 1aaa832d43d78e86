import type { Metric, VectorIndexOptions } from '../../../core/vectors/index.ts';

/** How a space measures, and whether it may answer from a graph (`hnsw`) or must look at every vector (`exact`). */
export type AnnSpaceOptions = VectorIndexOptions;

/** What a space holds. */
export interface AnnStats {
  /** Vectors that can be found. */
  readonly size: number;
  /** Vectors that were removed and still take memory and time; rebuild the space when they are many. */
  readonly dead: number;
  /** How the next search will look: at every vector, or along a graph. */
  readonly kind: 'exact' | 'hnsw';
  /** A graph is being built, and soon searches will look along it. */
  readonly isMoving?: true;
}

/** All that must be compared before a saved file is loaded. To be kept by the owner, apart from the file. */
export interface AnnSnapshot {
  /** SHA-256 of the whole file, in hexadecimal. */
  readonly checksum: string;
  readonly bytes: number;
  readonly size: number;
  readonly dead: number;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly kind: 'exact' | 'hnsw';
  /** Of the file and of the graph in it: a space loads no file of another layout. */
  readonly layout: number;
}

export interface AnnSearchOptions {
  /** So many more labels than `k`, of those that the search comes across anyway. Default: 0. */
  readonly spare?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Vectors under labels, in the memory of the worker. Calls take effect in the order in which they were made. */
export interface AnnSpace {
  /**
   * Rows of `vectors` in the order of `labels`: whole numbers below 2^53, never used twice, also not after a removal.
   * Both arrays are transferred: the caller gives them up.
   */
  add(labels: Float64Array, vectors: Float32Array): Promise<void>;
  /** Labels that are not there are ignored. */
  remove(labels: Float64Array): Promise<void>;
  /**
   * The labels of `k` candidates, nearest first; looks at least as wide as good recall needs for the size of the space.
   * A graph measures with few digits: score them again from the stored vectors.
   */
  search(query: Float32Array, k: number, options?: AnnSearchOptions): Promise<Float64Array>;
  stats(): Promise<AnnStats>;
  /** Writes a temporary file beside `path`, syncs it, renames it and syncs the folder. Its mode is 0600. */
  save(path: string): Promise<AnnSnapshot>;
  /**
   * Replaces what the space holds. Resolves to `false` and changes nothing if the file is not exactly what `expected`
   * says or was made for other options: all is checked before usearch sees it, because a damaged file ends the process.
   */
  load(path: string, expected: AnnSnapshot): Promise<boolean>;
  /** Lets go of the memory. Calls that wait reject with `store.closed`. */
  close(): Promise<void>;
}

/** A worker thread that holds spaces. */
export interface AnnThread {
  /** A new, empty space. */
  space(options: AnnSpaceOptions): Promise<AnnSpace>;
  /** Ends the thread. Calls that wait reject with `store.closed`. */
  close(): Promise<void>;
}
