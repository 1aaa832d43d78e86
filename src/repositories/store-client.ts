import type { Environment } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import { isOutage, RetryBudget, untilAnswered } from '../core/retry/index.ts';
import {
  type CommitOperation,
  type CommitOptions,
  type CommitStore,
  canCommit,
  canScan,
  type Key,
  type KeyRange,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type ScanStore,
  type Store,
  type Stored,
} from '../core/store.ts';
import type { Version } from '../core/version.ts';
import { type StoreCall, storeCalls } from './telemetry.ts';
import { VectorClient } from './vector-client.ts';

/** What is known of a write after one try. */
export type WriteOutcome =
  | { readonly kind: 'applied'; readonly version: Version | undefined }
  /** A precondition failed: certainly not applied. */
  | { readonly kind: 'conflict'; readonly error: NorimakiError<'version.mismatch' | 'already.exists'> }
  /** The store failed before it applied anything. */
  | { readonly kind: 'notApplied'; readonly error: NorimakiError }
  | { readonly kind: 'unknown'; readonly error: unknown };

/** Errors that a store throws before it touches anything. */
const REFUSALS: ReadonlySet<string> = new Set([
  'argument.invalid',
  'size.exceeded',
  'capability.missing',
  'index.missing',
  'store.closed',
  'store.full',
  'store.incompatible',
  'store.refused',
]);

/** One store as repositories use it: reads try again while the store is out, writes say what is known of them. */
export class StoreClient<S extends Store = Store> {
  readonly store: S;
  readonly environment: Environment;
  readonly budget = new RetryBudget();
  readonly vectors: VectorClient;

  constructor(store: S, environment: Environment) {
    this.store = store;
    this.environment = environment;
    this.vectors = new VectorClient(store, environment, this.budget);
  }

  get(key: Key, options: ReadOptions = {}): Promise<Stored | undefined> {
    return this.#read('get', () => this.store.get(key, options), options.signal);
  }

  getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<(Stored | undefined)[]> {
    return this.#read('getMany', () => this.store.getMany(keys, options), options.signal);
  }

  /** Only for repositories whose store was found able when they were built. */
  scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    const store = this.scanStore();
    return this.#read('scan', () => store.scan(range, options), options.signal);
  }

  scanStore(): ScanStore {
    const store: Store = this.store;
    if (!canScan(store)) throw missing('scan', 'scan, list, count and find');
    return store;
  }

  commitStore(neededBy: string): CommitStore {
    const store: Store = this.store;
    if (!canCommit(store)) throw missing('commit', neededBy);
    return store;
  }

  /** One try at a write: a single put or delete, or a commit of several operations and vectors. */
  async write(operations: readonly CommitOperation[], options: CommitOptions): Promise<WriteOutcome> {
    try {
      const version = await this.#send(operations, options);
      this.budget.succeeded();
      return { kind: 'applied', version };
    } catch (error) {
      if (!(error instanceof NorimakiError)) return { kind: 'unknown', error };
      if (NorimakiError.is(error, 'version.mismatch') || NorimakiError.is(error, 'already.exists')) {
        return { kind: 'conflict', error };
      }
      if (REFUSALS.has(error.code)) throw error;
      if (isOutage(error) || NorimakiError.is(error, 'aborted')) {
        return { kind: error.details.applied === 'no' ? 'notApplied' : 'unknown', error };
      }
      return { kind: 'unknown', error };
    }
  }

  #send(operations: readonly CommitOperation[], options: CommitOptions): Promise<Version | undefined> {
    const [first] = operations;
    const { vectors = [], idempotencyKey, signal } = options;
    const isPlain = first?.type === 'delete' || (first?.type === 'put' && first.vectors === undefined);
    if (operations.length !== 1 || !isPlain || vectors.length > 0) {
      const store = this.commitStore('several writes at once');
      return this.#counted('commit', () => store.commit(operations, options));
    }
    const { key } = first;
    if (first.type === 'put') {
      const { value, ifMatch, ifAbsent, expiresAt } = first;
      const how = { ifMatch, ifAbsent, expiresAt, idempotencyKey, signal };
      return this.#counted('put', () => this.store.put(key, value, how));
    }
    const how = { ifMatch: first.ifMatch, idempotencyKey, signal };
    return this.#counted('delete', () => this.store.delete(key, how)).then(() => undefined);
  }

  #read<T>(verb: StoreCall['verb'], call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const told = storeCalls.hasSubscribers ? () => this.#counted(verb, call) : call;
    return untilAnswered(told, this.environment, this.budget, signal);
  }

  #counted<T>(verb: StoreCall['verb'], call: () => Promise<T>): Promise<T> {
    return storeCalls.hasSubscribers ? storeCalls.tracePromise(call, { verb }) : call();
  }
}

function missing(capability: string, neededBy: string): NorimakiError<'capability.missing'> {
  return new NorimakiError(
    'capability.missing',
    `${neededBy} need a store that can ${capability}; this one cannot. The memory and the embedded store can.`,
    { capability, neededBy },
  );
}
