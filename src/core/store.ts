import type { Environment } from './clock.ts';
import type { VectorName, Vectors, VectorWrite } from './vectors/index.ts';
import type { Version } from './version.ts';

/** An encoded key. Stores order keys by their bytes. */
export type Key = Uint8Array;

/** How fresh a read must be. `'strong'` sees every write acknowledged before the read began. */
export type Consistency = 'strong' | 'eventual' | 'bounded_staleness';

/** What a store can do, decided when it is opened and constant afterwards. */
export interface Capabilities {
  /** `'best-effort'`: two racing conditional writes may both be acknowledged. */
  readonly cas: 'atomic' | 'best-effort';
  /** `put` with `ifAbsent` is atomic. */
  readonly ifAbsent: boolean;
  /** `delete` honours `ifMatch`. */
  readonly deleteIfMatch: boolean;
  /** A repeated call with one `idempotencyKey` is applied once and answered as the first was. */
  readonly idempotency: boolean;
  /** Has `scan`: see {@link ScanStore}. */
  readonly scan: boolean;
  /** Has `commit`: see {@link CommitStore}. */
  readonly commit: boolean;
  /** Has `vectors`: see {@link VectorStore}. Where it has `commit` too, a commit writes vectors as well. */
  readonly vectors: boolean;
  /** Has `watch`: see {@link WatchStore}. */
  readonly watch: boolean;
  /** In bytes, of the encoded key and of the value. */
  readonly limits: { readonly key: number; readonly value: number };
}

/** A record as a store holds it. */
export interface Stored {
  readonly value: Uint8Array;
  readonly version: Version;
  /** Instant in milliseconds since 1970 from which the record no longer exists. */
  readonly expiresAt?: number | undefined;
}

export interface ReadOptions {
  /** Default `'strong'`. */
  readonly consistency?: Consistency | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** At most one of the two; with neither the write is unconditional. */
export interface Precondition {
  /** Write only if the key is at this version. */
  readonly ifMatch?: Version | undefined;
  /** Write only if the key does not exist. */
  readonly ifAbsent?: boolean | undefined;
}

export interface WriteOptions {
  /** Unique for each logical write; honoured where `capabilities.idempotency`. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends Precondition, WriteOptions {
  readonly expiresAt?: number | undefined;
}

export interface DeleteOptions extends WriteOptions {
  readonly ifMatch?: Version | undefined;
}

/**
 * The port that every adapter implements: bytes under keys, with versions.
 *
 * Promises that the contract suite of `norimaki/testing` checks:
 * - a version of a key is never used again, not even after a delete;
 * - bytes handed in and out are the caller's own: later changes to them do not reach the store;
 * - a record whose `expiresAt` has come does not exist, for reads and for preconditions.
 *
 * Errors: `version.mismatch` (a failed `ifMatch`, on a missing key too), `already.exists` (a failed `ifAbsent`),
 * `size.exceeded`, `argument.invalid`, `store.unavailable` (with `applied`), `store.closed`, `aborted`.
 * Any other error of a write means that its outcome is unknown.
 */
export interface Store {
  readonly capabilities: Capabilities;
  /** `undefined` when the key does not exist; an empty value is a record. */
  get(key: Key, options?: ReadOptions): Promise<Stored | undefined>;
  /** One answer for each key, in order. */
  getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]>;
  put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version>;
  /** Whether there was a record to delete. A failed `ifMatch` throws; a missing key with `ifMatch` too. */
  delete(key: Key, options?: DeleteOptions): Promise<boolean>;
  /** Releases everything that the store holds. Calls after it fail with `store.closed`; closing twice is harmless. */
  close(): Promise<void>;
}

/** `start` is in the range, `end` is not. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key;
}

export interface ScanOptions extends ReadOptions {
  /** At most so many entries in the page; 1 to 1,000, default 100. */
  readonly limit?: number | undefined;
  /**
   * Ends the page before its keys and values have more bytes than this; one entry is always in it. A hint: a store may leave it
   * out.
   */
  readonly bytes?: number | undefined;
  /** From the end of the range to its start. */
  readonly reverse?: boolean | undefined;
}

export interface ScanPage {
  readonly entries: readonly (Stored & { readonly key: Key })[];
  /** What remains of the range, or `undefined` when the scan is done. */
  readonly rest?: KeyRange | undefined;
}

/** A store that reads ranges in key order. */
export interface ScanStore extends Store {
  readonly capabilities: Capabilities & { readonly scan: true };
  /** A page is a snapshot; pages of one scan need not be of one snapshot. */
  scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage>;
}

export type CommitOperation =
  | ({
      readonly type: 'put';
      readonly key: Key;
      readonly value: Uint8Array;
      /**
       * With `expiresAt`: vectors that end with the record. A store that deletes expired records deletes them in the same
       * step, and so does a write to what has expired. As long as the record lives they are as any other. Left out, those
       * of the put before stay named if it had the same `expiresAt`. Only where `capabilities.vectors`.
       */
      readonly vectors?: readonly VectorName[] | undefined;
    } & Pick<PutOptions, 'ifMatch' | 'ifAbsent' | 'expiresAt'>)
  | ({ readonly type: 'delete'; readonly key: Key } & Pick<DeleteOptions, 'ifMatch'>)
  | ({ readonly type: 'check'; readonly key: Key } & Precondition);

export interface CommitOptions extends WriteOptions {
  /** Vectors that are written with the operations, each at most once; only where `capabilities.vectors`. */
  readonly vectors?: readonly VectorWrite[] | undefined;
}

/** A store that applies several writes together. */
export interface CommitStore extends Store {
  readonly capabilities: Capabilities & { readonly commit: true };
  /**
   * Applies all operations, and all vector writes, or none; each key at most once. The version is that of every put in
   * it. A failed precondition throws as `put` does, with the position of the operation in `details.operation`.
   */
  commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version>;
}

/** A store that keeps vectors and finds the nearest. */
export interface VectorStore extends Store {
  readonly capabilities: Capabilities & { readonly vectors: true };
  readonly vectors: Vectors;
}

/** What is known of a key that was written. */
export type Change =
  | { readonly type: 'put'; readonly key: Key; readonly version: Version }
  | { readonly type: 'delete'; readonly key: Key };

export interface WatchOptions {
  /** Keys that may wait to be taken, before the watch is `watch.lost`; default 10,000. */
  readonly buffer?: number | undefined;
  /** Ends the watch with `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The changes of a range, as they come. Each step gives all that came since the last, each key once: of several changes of
 * one key the last is told. `return()`, `break` and disposing end it quietly.
 *
 * Errors of a step, each of which ends the watch: `watch.lost` when changes were lost, because they were not taken in time
 * or the connection broke; `aborted`, `store.closed`, `store.incompatible`.
 */
export interface Watch extends AsyncIterableIterator<readonly Change[], undefined>, AsyncDisposable {
  next(): Promise<IteratorResult<readonly Change[], undefined>>;
  return(): Promise<IteratorResult<readonly Change[], undefined>>;
  [Symbol.asyncIterator](): Watch;
}

/** A store that tells what is written. */
export interface WatchStore extends Store {
  readonly capabilities: Capabilities & { readonly watch: true };
  /**
   * Resolves once nothing more is missed: every write of a key in the range that is acknowledged from then on, by whomever,
   * is told at least once, after reads see it, and the changes of one key in their order. What is read after that and kept up
   * with the changes has no gap. A record that expires is no write, nor is a vector. Told may also be what was written shortly
   * before.
   *
   * After `watch.lost` begin anew: watch, then read again.
   *
   * @example
   * ```ts
   * await using watch = await store.watch({ start, end });
   * await readAll();
   * for await (const changes of watch) for (const { key } of changes) await readAgain(key);
   * ```
   */
  watch(range: KeyRange, options?: WatchOptions): Promise<Watch>;
}

/** An adapter that must be opened before use. `open()` calls it with its clock and its chance. */
export interface StoreOpener<S extends Store = Store> {
  openStore(environment: Environment): Promise<S>;
}

/** What `open()` takes: a store, or how to open one. */
export type StoreSource<S extends Store = Store> = S | StoreOpener<S>;

/** The limits of the NoriKV protocol, kept by every store of ours. */
export const DEFAULT_LIMITS: Capabilities['limits'] = { key: 1024, value: 1_048_576 };

export function canScan(store: Store): store is ScanStore {
  return store.capabilities.scan;
}

export function hasVectors(store: Store): store is VectorStore {
  return store.capabilities.vectors;
}

export function canCommit(store: Store): store is CommitStore {
  return store.capabilities.commit;
}

export function canWatch(store: Store): store is WatchStore {
  return store.capabilities.watch;
}
