import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { preconditionFailure } from '../../core/precondition.ts';
import type { Version } from '../../core/version.ts';
import { unavailable, unreadable } from './failures.ts';
import {
  asBuffer,
  deadlineKey,
  META_VERSION,
  NOTHING,
  type RecordHeader,
  readHeader,
  readU64,
  versionAt,
  writeU64,
} from './layout.ts';
import type { PreparedOperation, PreparedPut } from './prepared.ts';
import type { Due, Tables } from './tables.ts';
import { expiringVectors } from './vectors/expiring.ts';
import { type PreparedVector, VectorBatch } from './vectors/vector-batch.ts';
import { ChangeBatch } from './watch/change-batch.ts';

const NONE: readonly Due[] = [];

/**
 * What one LMDB transaction writes. Lives only inside its callback: everything here reads and writes that transaction.
 */
export class Batch {
  readonly #tables: Tables;
  readonly #clock: Clock;
  readonly #start: number;
  readonly #vectors: VectorBatch;
  #index: number;
  /** Only while somebody watches. */
  #changes: ChangeBatch | undefined;
  #error: unknown;

  constructor(tables: Tables, clock: Clock, seen: number) {
    this.#tables = tables;
    this.#clock = clock;
    this.#vectors = new VectorBatch(tables.vectorTables, tables.meta);
    const bytes = tables.meta.getBinaryFast(META_VERSION);
    this.#start = bytes === undefined ? 0 : readU64(asBuffer(bytes));
    this.#index = this.#start;
    this.#changes = ChangeBatch.ifWatched(tables.changeTables, this.#start, clock.now());
    if (this.#start < seen) {
      throw unavailable(
        'Another program opened the LMDB file of the embedded store and undid acknowledged writes. Only norimaki may ' +
          'open that file; close every store on it and open them again.',
        'no',
      );
    }
  }

  /** The index of the last write once this batch is committed. */
  get index(): number {
    return this.#index;
  }

  /** Why LMDB refused a read or a write, if it did. */
  get error(): unknown {
    return this.#error;
  }

  /** Applies all operations and all vector writes or, when one must be refused, none. */
  apply(
    operations: readonly PreparedOperation[],
    positions: boolean,
    vectors: readonly PreparedVector[] = [],
  ): Version {
    // Loops, as this is done for every write and nearly every write is of one record.
    const found: (RecordHeader | undefined)[] = [];
    let replaced: readonly Due[] = NONE;
    for (const operation of operations) {
      const { key, type } = operation;
      const header = this.#find(key);
      const expired = this.#expiryOf(header);
      if (expired !== undefined && type !== 'check') replaced = [...replaced, { key, expiresAt: expired }];
      const actual = header === undefined || expired !== undefined ? undefined : versionAt(header.index);
      const failure = preconditionFailure(operation, actual, positions ? found.length : undefined);
      if (failure !== undefined) throw failure;
      found.push(header);
    }
    if (vectors.length > 0) this.#read(() => this.#vectors.check(vectors));
    this.#index += 1;
    for (const due of replaced) this.#removeVectors(due);
    let at = 0;
    for (const operation of operations) {
      const before = found[at++];
      if (operation.type === 'put') this.#put(operation, before);
      if (operation.type === 'delete') this.#remove(operation.key, before);
      if (this.#changes !== undefined) this.#log(operation, before);
    }
    if (vectors.length > 0) this.#write(() => this.#vectors.apply(vectors));
    return versionAt(this.#index);
  }

  /** Whether there was a record to delete. */
  delete(operation: PreparedOperation): boolean {
    const header = this.#find(operation.key);
    const existed = header !== undefined && this.#expiryOf(header) === undefined;
    if (existed || operation.ifMatch !== undefined) this.apply([operation], false);
    return existed;
  }

  /**
   * Deletes what is still due, until it has seen to `limit` records and vectors: a record that was written anew since `due`
   * was read stays.
   */
  sweep(due: readonly Due[], limit: number): { seen: number; swept: number } {
    let [seen, swept, work] = [0, 0, 0];
    for (const one of due) {
      if (work >= limit) break;
      seen += 1;
      work += 1;
      const { key, expiresAt } = one;
      const header = this.#find(key);
      if (header?.expiresAt === expiresAt) {
        work += this.#removeVectors(one);
        this.#remove(key, header);
        swept += 1;
      } else this.#write(() => this.#tables.deadlines.remove(deadlineKey(expiresAt, key)));
    }
    return { seen, swept };
  }

  /** Whether there was a vector to delete. */
  deleteVector(write: PreparedVector): boolean {
    const existed = this.#read(() => this.#vectors.has(write));
    if (existed) this.apply([], false, [write]);
    return existed;
  }

  /** Does to vectors what touches no record. */
  changeVectors<T>(change: (vectors: VectorBatch) => T): T {
    return this.#write(() => change(this.#vectors));
  }

  /** Every write from here on is logged for whoever watches, at least until this instant. */
  logChanges(until: number): void {
    this.#changes ??= this.#read(() => ChangeBatch.watch(this.#tables.changeTables, this.#index));
    this.#changes.renew(until);
  }

  /** Deletes some of what the log holds when nobody watches any more; whether there may be more. */
  sweepChanges(limit: number): boolean {
    return this.#write(() => ChangeBatch.sweep(this.#tables.changeTables, this.#clock.now(), limit));
  }

  /** Stores what the next transaction goes on from. */
  finish(): void {
    this.#write(() => this.#vectors.finish());
    this.#write(() => this.#changes?.finish(this.#index));
    if (this.#index === this.#start) return;
    this.#write(() => this.#tables.meta.put(META_VERSION, writeU64(Buffer.allocUnsafe(8), this.#index)));
  }

  #find(key: Uint8Array): RecordHeader | undefined {
    return this.#read(() => {
      const bytes = this.#tables.records.getBinaryFast(key);
      return bytes === undefined ? undefined : readHeader(asBuffer(bytes));
    });
  }

  /** The deadline of what is there, if it has come. */
  #expiryOf(header: RecordHeader | undefined): number | undefined {
    const expiresAt = header?.expiresAt;
    return expiresAt !== undefined && expiresAt <= this.#clock.now() ? expiresAt : undefined;
  }

  #put({ key, record, expiresAt, vectors }: PreparedPut, before: RecordHeader | undefined): void {
    writeU64(record, this.#index);
    this.#write(() => {
      if (before?.expiresAt !== undefined && before.expiresAt !== expiresAt) this.#forget(key, before.expiresAt);
      this.#tables.records.put(key, record);
      if (expiresAt === undefined) return;
      if (vectors === undefined && expiresAt === before?.expiresAt) return;
      this.#tables.deadlines.put(deadlineKey(expiresAt, key), vectors ?? NOTHING);
    });
  }

  /** What did not exist is not told to be deleted. */
  #log({ type, key }: PreparedOperation, before: RecordHeader | undefined): void {
    if (type === 'check' || (type === 'delete' && before === undefined)) return;
    this.#write(() => this.#changes?.add(type, key, this.#index));
  }

  #remove(key: Uint8Array, before: RecordHeader | undefined): void {
    if (before === undefined) return;
    this.#write(() => {
      if (before.expiresAt !== undefined) this.#forget(key, before.expiresAt);
      this.#tables.records.remove(key);
    });
  }

  /** Deletes the vectors that end with an expired record; how many were named. */
  #removeVectors({ key, expiresAt }: Due): number {
    return this.#write(() => {
      const vectors = expiringVectors(this.#tables.deadlines, deadlineKey(expiresAt, key));
      this.#vectors.apply(vectors);
      return vectors.length;
    });
  }

  #forget(key: Uint8Array, expiresAt: number): void {
    this.#tables.deadlines.remove(deadlineKey(expiresAt, key));
  }

  /** LMDB gives a transaction up at its first failed write, and lmdb-js tells the reason only here. */
  #write<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      // A refusal of ours comes before anything is written.
      if (error instanceof NorimakiError) throw error;
      this.#error ??= error;
      throw unavailable('LMDB refused a write.', 'no', error);
    }
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof NorimakiError) throw error;
      this.#error ??= error;
      throw unreadable(error);
    }
  }
}
