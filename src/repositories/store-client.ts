import type { Environment } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import { isOutage, RetryBudget, untilAnswered } from '../core/retry/index.ts';
import {
  type CommitOperation,
  type CommitOptions,
  type CommitStore,
  canCommit,
  canScan,
  canWatch,
  type Key,
  type KeyRange,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type ScanStore,
  type Store,
  type Stored,
  type Watch,
  type WatchOptions,
  type WatchStore,
} from '../core/store.ts';
import type { Version } from '../core/version.ts';
import { type StoreCall, storeCalls } from './telemetry.ts';
import { VectorClient } from './vector-client.ts';

/** What is known of a write after one try. */
export type WriteOutcome =
  | Applied
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

/** The store acknowledged the write. */
class Applied {
  readonly kind = 'applied';
  readonly isAnswer = true;
  readonly version: Version | undefined;

  constructor(version: Version | undefined) {
    this.version = version;
  }
}

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

  /** Begins a watch; whoever takes its steps is told when it is lost. */
  watch(range: KeyRange, options: WatchOptions = {}): Promise<Watch> {
    const store = this.watchStore();
    return this.#read('watch', () => store.watch(range, options), options.signal);
  }

  watchStore(): WatchStore {
    const store: Store = this.store;
    if (!canWatch(store)) throw missing('watch', 'watches');
    return store;
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
  write(operations: readonly CommitOperation[], options: CommitOptions): Promise<WriteOutcome> {
    // Not an async function: a write takes so many steps that those which only pass on are a large part of its time.
    return this.#tell(operations, options).then(this.#applied, failed);
  }

  #tell(operations: readonly CommitOperation[], options: CommitOptions): Promise<Version | undefined> {
    try {
      if (!storeCalls.hasSubscribers) return this.#send(operations, options);
      return storeCalls.tracePromise(() => this.#send(operations, options), { verb: verbOf(operations, options) });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readonly #applied = (version: Version | undefined): WriteOutcome => {
    this.budget.succeeded();
    return new Applied(version);
  };

  #send(operations: readonly CommitOperation[], options: CommitOptions): Promise<Version | undefined> {
    const verb = verbOf(operations, options);
    const [first] = operations;
    const { idempotencyKey, signal } = options;
    if (verb === 'put' && first?.type === 'put') {
      const { key, value, ifMatch, ifAbsent, expiresAt } = first;
      return this.store.put(key, value, { ifMatch, ifAbsent, expiresAt, idempotencyKey, signal });
    }
    if (verb === 'delete' && first?.type === 'delete') {
      return this.store.delete(first.key, { ifMatch: first.ifMatch, idempotencyKey, signal }).then(() => undefined);
    }
    return this.commitStore('several writes at once').commit(operations, options);
  }

  #read<T>(verb: StoreCall['verb'], call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const told = storeCalls.hasSubscribers ? () => this.#counted(verb, call) : call;
    return untilAnswered(told, this.environment, this.budget, signal);
  }

  #counted<T>(verb: StoreCall['verb'], call: () => Promise<T>): Promise<T> {
    return storeCalls.hasSubscribers ? storeCalls.tracePromise(call, { verb }) : call();
  }
}

/** What sends the operations: alone where it can be. */
function verbOf(operations: readonly CommitOperation[], { vectors }: CommitOptions): 'put' | 'delete' | 'commit' {
  const [first] = operations;
  if (operations.length !== 1 || (vectors !== undefined && vectors.length > 0)) return 'commit';
  if (first?.type === 'delete') return 'delete';
  return first?.type === 'put' && first.vectors === undefined ? 'put' : 'commit';
}

/** What a failure says of the write. */
function failed(error: unknown): WriteOutcome {
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

function missing(capability: string, neededBy: string): NorimakiError<'capability.missing'> {
  return new NorimakiError(
    'capability.missing',
    `${neededBy} need a store that can ${capability}; this one cannot. The memory and the embedded store can.`,
    { capability, neededBy },
  );
}
