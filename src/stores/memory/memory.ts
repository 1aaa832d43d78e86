import { throwIfAborted } from '../../core/abort.ts';
import { checkCommit, checkExpiry, checkKey, checkPrecondition, checkValue, pageLimit } from '../../core/checks.ts';
import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import { preconditionFailure } from '../../core/precondition.ts';
import { recentlyUsed } from '../../core/recently-used.ts';
import {
  type CommitOperation,
  type CommitOptions,
  type CommitStore,
  DEFAULT_LIMITS,
  type DeleteOptions,
  type Key,
  type KeyRange,
  type PutOptions,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type ScanStore,
  type Stored,
  type StoreOpener,
  type VectorStore,
  type Watch,
  type WatchOptions,
  type WatchStore,
  type WriteOptions,
} from '../../core/store.ts';
import { checkVectorWrites, type VectorName, type Vectors, type VectorWrite } from '../../core/vectors/index.ts';
import { makeVersion, type Version } from '../../core/version.ts';
import { Watches } from '../../core/watch/index.ts';
import { BTree } from './btree.ts';
import { MemoryVectors } from './vectors.ts';

/** Keys as latin1 strings: string order is byte order, and a string can be compared and mapped. */
type Name = string;
const keyOf = (name: Name): Key => new Uint8Array(Buffer.from(name, 'latin1'));

type PutOperation = CommitOperation & { readonly type: 'put' };

/** What a write answers. */
type Answer = Version | boolean | undefined;

/** Expired records that one write removes at most, so that no write pays for all. */
const SWEEP_BATCH = 16;
const REMEMBERED_WRITES = 10_000;

/** The reference store: everything in this process, nothing kept. Every optional ability of the port. */
export interface MemoryStore extends ScanStore, CommitStore, VectorStore, WatchStore {
  readonly capabilities: ScanStore['capabilities'] &
    CommitStore['capabilities'] &
    VectorStore['capabilities'] &
    WatchStore['capabilities'];
}

class Memory implements MemoryStore {
  readonly capabilities = {
    cas: 'atomic',
    ifAbsent: true,
    deleteIfMatch: true,
    idempotency: true,
    scan: true,
    commit: true,
    vectors: true,
    watch: true,
    limits: DEFAULT_LIMITS,
  } as const;

  readonly #clock: Clock;
  readonly #records = new BTree<Name, Stored>();
  /** With the vectors that end with the record. */
  readonly #deadlines = new BTree<[number, Name], readonly VectorName[]>(
    undefined,
    ([a, m], [b, n]) => a - b || (m < n ? -1 : +(m > n)),
  );
  readonly #answers = recentlyUsed<{ answer: Answer }>(REMEMBERED_WRITES);
  readonly #vectors = new MemoryVectors({
    begin: (signal) => this.#begin(signal),
    once: (verb, name, options, write) => this.#once(verb, name, options, write),
  });
  readonly #watches = new Watches();
  #lastIndex = 0n;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get vectors(): Vectors {
    return this.#vectors;
  }

  async get(key: Key, { signal }: ReadOptions = {}): Promise<Stored | undefined> {
    this.#begin(signal);
    checkKey(key, DEFAULT_LIMITS);
    return copyOf(this.#live(keyName(key)));
  }

  async getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<(Stored | undefined)[]> {
    this.#begin(options.signal);
    for (const key of keys) checkKey(key, DEFAULT_LIMITS);
    return keys.map((key) => copyOf(this.#live(keyName(key))));
  }

  async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    this.#begin(options.signal);
    checkKey(key, DEFAULT_LIMITS);
    checkValue(value, DEFAULT_LIMITS);
    checkPrecondition(options);
    checkExpiry(options.expiresAt);
    return this.#once('put', keyName(key), options, () => {
      this.#apply([{ type: 'put', key, value, ...options }]);
      return this.#version();
    });
  }

  async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    this.#begin(options.signal);
    checkKey(key, DEFAULT_LIMITS);
    const name = keyName(key);
    return this.#once('delete', name, options, () => {
      const existed = this.#live(name) !== undefined;
      this.#apply([{ type: 'delete', key, ...options }]);
      return existed;
    });
  }

  async commit(operations: readonly CommitOperation[], options: CommitOptions = {}): Promise<Version> {
    this.#begin(options.signal);
    checkCommit(operations, DEFAULT_LIMITS);
    const { vectors = [] } = options;
    checkVectorWrites(vectors);
    const first = operations[0];
    return this.#once('commit', first === undefined ? '' : keyName(first.key), options, () => {
      this.#apply(operations, vectors);
      return this.#version();
    });
  }

  async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    this.#begin(options.signal);
    const limit = pageLimit(options);
    let room = options.bytes ?? Number.POSITIVE_INFINITY;
    const [start, end] = [keyName(range.start), keyName(range.end)];
    const entries: (Stored & { key: Key })[] = [];
    const walk = options.reverse ? this.#records.entriesReversed(end, undefined, true) : this.#records.entries(start);
    for (const [name, record] of walk) {
      if (options.reverse ? name < start : name >= end) break;
      if (this.#isExpired(record)) continue;
      const key = keyOf(name);
      room -= key.length + record.value.length;
      const last = entries.at(-1);
      if (last !== undefined && (entries.length === limit || room < 0)) {
        const rest = options.reverse
          ? { start: range.start, end: last.key }
          : { start: Uint8Array.of(...last.key, 0), end: range.end };
        return { entries, rest };
      }
      entries.push({ key, ...(copyOf(record) as Stored) });
    }
    return { entries };
  }

  async watch(range: KeyRange, options: WatchOptions = {}): Promise<Watch> {
    this.#begin(options.signal);
    return this.#watches.open(range, options);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watches.fail(closedError());
    this.#records.clear();
    this.#deadlines.clear();
    this.#answers.clear();
    this.#vectors.clear();
  }

  #begin(signal: AbortSignal | undefined): void {
    if (this.#closed) throw closedError();
    throwIfAborted(signal);
  }

  #isExpired(record: Stored): boolean {
    return record.expiresAt !== undefined && record.expiresAt <= this.#clock.now();
  }

  #live(name: Name): Stored | undefined {
    const record = this.#records.get(name);
    return record === undefined || this.#isExpired(record) ? undefined : record;
  }

  #version(): Version {
    return makeVersion(1n, this.#lastIndex);
  }

  /** Everything that can refuse comes before anything is written. */
  #apply(operations: readonly CommitOperation[], vectors: readonly VectorWrite[] = []): void {
    const names = operations.map((operation) => keyName(operation.key));
    /** What has expired and was not swept, if it is there at all. */
    const replaced: Name[] = [];
    for (const [i, operation] of operations.entries()) {
      const name = names[i] as Name;
      const live = this.#live(name);
      const failure = preconditionFailure(operation, live?.version, i);
      if (failure !== undefined) throw failure;
      if (live === undefined && operation.type !== 'check') replaced.push(name);
    }
    this.#vectors.check(vectors);
    this.#lastIndex += 1n;
    for (const name of replaced) this.#removeVectors(name);
    for (const [i, operation] of operations.entries()) {
      const name = names[i] as Name;
      if (operation.type === 'check') continue;
      this.#tell(operation, name);
      if (operation.type === 'delete') this.#remove(name);
      else this.#put(name, operation);
    }
    this.#vectors.apply(vectors);
    this.#sweep();
  }

  /** Whoever watches hears of it once this turn is over. */
  #tell({ type, key }: CommitOperation, name: Name): void {
    if (this.#watches.isEmpty) return;
    if (type === 'put') this.#watches.tell({ type, key, version: this.#version() });
    else if (type === 'delete' && this.#live(name) !== undefined) this.#watches.tell({ type, key });
  }

  /** In place, at half the cost of a record that is removed first. */
  #put(name: Name, { value, expiresAt, vectors }: PutOperation): void {
    const before = this.#records.get(name)?.expiresAt;
    this.#records.set(name, { value: Uint8Array.from(value), version: this.#version(), expiresAt });
    if (before !== undefined && before !== expiresAt) this.#deadlines.delete([before, name]);
    if (expiresAt === undefined) return;
    // Those that ended with the record still do, unless others are named.
    if (vectors !== undefined) this.#deadlines.set([expiresAt, name], [...vectors]);
    else if (before !== expiresAt) this.#deadlines.set([expiresAt, name], []);
  }

  #remove(name: Name): void {
    const deadline = this.#records.get(name)?.expiresAt;
    if (deadline !== undefined) this.#deadlines.delete([deadline, name]);
    this.#records.delete(name);
  }

  /** Those that end with the record. */
  #removeVectors(name: Name): void {
    const deadline = this.#records.get(name)?.expiresAt;
    if (deadline !== undefined) this.#vectors.remove(this.#deadlines.get([deadline, name]) ?? []);
  }

  #sweep(): void {
    for (let i = 0; i < SWEEP_BATCH; i++) {
      const due = this.#deadlines.minKey();
      if (due === undefined || due[0] > this.#clock.now()) return;
      this.#removeVectors(due[1]);
      this.#remove(due[1]);
    }
  }

  /** Answers a repeated call as its first delivery was answered. A refused call leaves no trace. */
  #once<T extends Answer>(verb: string, name: Name, { idempotencyKey }: WriteOptions, write: () => T): T {
    if (idempotencyKey === undefined) return write();
    const id = JSON.stringify([verb, name, idempotencyKey]);
    const known = this.#answers.get(id);
    // The verb is part of the id, so the remembered answer is of this verb's type.
    if (known !== undefined) return known.answer as T;
    const answer = write();
    this.#answers.set(id, { answer });
    return answer;
  }
}

function closedError(): NorimakiError<'store.closed'> {
  return new NorimakiError('store.closed', 'The memory store is closed.', { store: 'memory' });
}

function copyOf(record: Stored | undefined): Stored | undefined {
  return record && { ...record, value: Uint8Array.from(record.value) };
}

/**
 * A store in memory: for tests, prototypes and caches. Each `open()` gets an empty one.
 *
 * @example
 * ```ts
 * await using db = await open(memory());
 * ```
 */
export function memory(): StoreOpener<MemoryStore> {
  return { openStore: async ({ clock }) => new Memory(clock) };
}
