import type { Duration } from '../../core/duration.ts';
import type { CommitStore, ScanStore, VectorStore, WatchStore } from '../../core/store.ts';
import type { VectorIndexOptions } from '../../core/vectors/index.ts';
import type { Durability } from './owner.ts';

export interface EmbeddedOptions {
  /** The folder of the store; it is created, for this user alone, if it does not exist. */
  readonly path: string;
  /**
   * When a write is acknowledged. `'flushed'` (default): when it is on disk, so that it survives a loss of power.
   * `'committed'`: when every process sees it and it survives the end of this process; a loss of power may undo the
   * last writes, in order, and leaves the store intact. It saves one of two syncs to disk.
   */
  readonly durability?: Durability | undefined;
  /** Address space that is reserved when opening, in bytes; it grows by itself, no file does. Default 1 GiB. */
  readonly mapSize?: number | undefined;
  /**
   * How expired records are deleted, and their vectors with them: `batch` of both in one transaction (default 500), every
   * so often (default `'30s'`). `false` leaves them on disk. They are never visible.
   */
  readonly sweep?: { readonly every?: Duration | undefined; readonly batch?: number | undefined } | false | undefined;
  /**
   * How often a watch looks for what other processes have written; default `'25ms'`. What this process writes is told at once.
   */
  readonly watch?: { readonly every?: Duration | undefined } | undefined;
}

/** What {@link EmbeddedStore.stats} tells. The counts of writes and sweeps begin when the store is opened. */
export interface EmbeddedStats {
  /** Records on disk, with those that have expired and are not swept yet. */
  readonly records: number;
  /** Those of them that have a deadline. */
  readonly expiring: number;
  /** Size of the data file, in bytes. */
  readonly bytes: number;
  /** Bytes of the file that hold nothing; writes use them again, `compact()` gives them back to the disk. */
  readonly reclaimable: number;
  /** Writes of this store that were answered after a commit. */
  readonly writes: number;
  /** Transactions that this took: `writes / commits` is how many writes shared one sync. */
  readonly commits: number;
  /** Writes that wait for the next transaction. */
  readonly queued: number;
  /** Expired records that this store deleted. */
  readonly swept: number;
  /** Sweeps that failed, for example on a full disk, and were put off to the next. */
  readonly sweepFailures: number;
  /** Changes that are kept for watches of this folder, in whatever process; 65,536 at most. */
  readonly changes: number;
  /** Every vector namespace. */
  readonly namespaces: readonly EmbeddedNamespaceStats[];
}

export interface EmbeddedNamespaceStats extends VectorIndexOptions {
  readonly namespace: string;
  /** Vectors on disk. */
  readonly vectors: number;
  /**
   * How what is in memory is searched: a namespace of the type `'hnsw'` becomes a graph once it is large enough.
   * `undefined` where there is nothing in memory: before the first search.
   */
  readonly memory: VectorIndexOptions['type'] | undefined;
  /**
   * Changes that what this store searches in memory is yet to take in; the next search does. `undefined` where there is
   * nothing in memory.
   */
  readonly behind: number | undefined;
}

export interface MaintenanceOptions {
  /** Heeded before the work begins and before its result takes effect. */
  readonly signal?: AbortSignal | undefined;
}

/** What {@link embedded} opens. */
export interface EmbeddedStore extends ScanStore, CommitStore, VectorStore, WatchStore {
  readonly capabilities: ScanStore['capabilities'] &
    CommitStore['capabilities'] &
    VectorStore['capabilities'] &
    WatchStore['capabilities'] & { readonly idempotency: false };
  /**
   * Makes the data file as small as what it holds. Writes wait meanwhile, reads do not. Needs as much free space as
   * the result. Ended at any point, it leaves the old file or the new one.
   *
   * Errors: `store.unavailable` when another store has the folder open, `store.full`, `aborted`, `store.closed`.
   */
  compact(options?: MaintenanceOptions): Promise<void>;
  /**
   * Writes a consistent copy into a folder of its own, while reads and writes go on. Open it with
   * `embedded({ path })`. The copy is compact.
   *
   * Errors: `argument.invalid` when the folder exists and is not empty, `store.full`, `store.unavailable`, `aborted`,
   * `store.closed`.
   */
  backup(path: string, options?: MaintenanceOptions): Promise<void>;
  /** Counts and sizes; cheap, reads no record. */
  stats(): Promise<EmbeddedStats>;
}
