import { markAsUntransferable } from 'node:worker_threads';
import type { Key, KeyRange, ScanPage, Stored } from '../../core/store.ts';
import { unreadable } from './failures.ts';
import {
  afterDeadline,
  asBuffer,
  deadlineOf,
  HEADER,
  keyOfDeadline,
  META_VERSION,
  readHeader,
  readU64,
  versionAt,
} from './layout.ts';
import type { Environment, Lmdb, RangeOptions, ReadTransaction, Table } from './lmdb.ts';
import { VectorReader } from './vectors/vector-reader.ts';
import type { VectorTables } from './vectors/vector-tables.ts';
import type { ChangeTables } from './watch/change-batch.ts';
import { ChangeReader } from './watch/change-reader.ts';

/** Values up to this size are copied into a shared slab: an ArrayBuffer for each costs more than the read itself. */
const POOLED = 4096;
const SLAB = 65_536;

/** Where a page of a scan ends at the latest; one entry is always in it. */
interface PageSize {
  readonly limit: number;
  /** Of keys and values. */
  readonly bytes: number;
  readonly reverse: boolean;
}

export interface Due {
  readonly key: Uint8Array;
  readonly expiresAt: number;
}

/**
 * One open LMDB file and how to read it.
 *
 * lmdb-js keeps its own read transaction until a timer fires, and would show this process an old snapshot after another
 * process acknowledged a write. So every read here has a fresh snapshot: it runs in a transaction of ours, which a read
 * renews by itself and `resetTxn` releases. That also keeps no snapshot from being reclaimed.
 */
export class Tables {
  readonly file: string;
  readonly root: Environment;
  readonly records: Table;
  readonly deadlines: Table;
  readonly meta: Table;
  readonly vectorTables: VectorTables;
  /** How vectors are read. */
  readonly vectors: VectorReader;
  readonly changeTables: ChangeTables;
  /** How the log of changes is read. */
  readonly changes: ChangeReader;
  readonly #lmdb: Lmdb;
  readonly #transaction: ReadTransaction;
  readonly #options: { transaction: ReadTransaction };
  #slab: Uint8Array | undefined;
  #used = 0;

  constructor(
    lmdb: Lmdb,
    file: string,
    root: Environment,
    tables: Record<'records' | 'deadlines' | 'meta' | 'changes', Table>,
    vectorTables: VectorTables,
  ) {
    this.file = file;
    this.#lmdb = lmdb;
    this.root = root;
    this.records = tables.records;
    this.deadlines = tables.deadlines;
    this.meta = tables.meta;
    this.vectorTables = vectorTables;
    this.vectors = new VectorReader(vectorTables, (work) => this.#read(work));
    this.changeTables = tables;
    this.changes = new ChangeReader(tables, (work) => this.#read(work));
    this.#transaction = root.useReadTransaction();
    this.#options = { transaction: this.#transaction };
    // lmdb-js lets go of it here, so that only we renew and reset it.
    root.resetReadTxn();
    this.#release();
  }

  get(key: Key, now: number): Stored | undefined {
    try {
      return this.#get(key, now);
    } catch (error) {
      throw unreadable(error);
    } finally {
      this.#release();
    }
  }

  /** Of one snapshot. */
  getMany(keys: readonly Key[], now: number): (Stored | undefined)[] {
    try {
      return keys.map((key) => this.#get(key, now));
    } catch (error) {
      throw unreadable(error);
    } finally {
      this.#release();
    }
  }

  scan(range: KeyRange, { limit, bytes, reverse }: PageSize, now: number): ScanPage {
    const entries: (Stored & { key: Key })[] = [];
    let room = bytes;
    // To LMDB an empty end is no end.
    if (range.end.length === 0) return { entries };
    try {
      for (const { key, value } of this.records.getRange(this.#rangeOf(range, reverse))) {
        const record = asBuffer(value);
        const { index, expiresAt } = readHeader(record);
        if (expiresAt !== undefined && expiresAt <= now) continue;
        room -= key.length + record.length - HEADER;
        const last = entries.at(-1);
        if (last !== undefined && (entries.length === limit || room < 0)) {
          const rest = reverse
            ? { start: range.start, end: last.key }
            : { start: Uint8Array.of(...last.key, 0), end: range.end };
          return { entries, rest };
        }
        entries.push({
          key: plain(key),
          value: plain(record.subarray(HEADER)),
          version: versionAt(index),
          expiresAt,
        });
      }
      return { entries };
    } catch (error) {
      throw unreadable(error);
    } finally {
      this.#release();
    }
  }

  /** The first records, by deadline, whose deadline has come. */
  due(now: number, limit: number): Due[] {
    const options = { end: afterDeadline(now), limit, transaction: this.#transaction };
    try {
      return Array.from(this.deadlines.getRange(options), ({ key }) => ({
        key: plain(keyOfDeadline(key)),
        expiresAt: deadlineOf(key),
      }));
    } finally {
      this.#release();
    }
  }

  /** The index of the last write, in a fresh snapshot. Throws if LMDB has given this file up. */
  lastVersion(): number {
    try {
      const bytes = this.meta.getBinaryFast(META_VERSION, this.#options);
      return bytes === undefined ? 0 : readU64(asBuffer(bytes));
    } finally {
      this.#release();
    }
  }

  /** Runs `work` in a fresh snapshot. */
  #read<T>(work: (options: { transaction: ReadTransaction }) => T): T {
    try {
      return work(this.#options);
    } catch (error) {
      throw unreadable(error);
    } finally {
      this.#release();
    }
  }

  async close(): Promise<void> {
    this.#transaction.done();
    await this.root.close();
  }

  #get(key: Key, now: number): Stored | undefined {
    const bytes = this.records.getBinaryFast(key, this.#options);
    if (bytes === undefined) return undefined;
    const size = this.records.lastSize;
    const record = asBuffer(bytes);
    const { index, expiresAt } = readHeader(record);
    if (expiresAt !== undefined && expiresAt <= now) return undefined;
    const value = this.#allocate(size - HEADER);
    record.copy(value, 0, HEADER, size);
    return { value, version: versionAt(index), expiresAt };
  }

  #allocate(length: number): Uint8Array {
    if (length > POOLED) return new Uint8Array(length);
    if (this.#slab === undefined || this.#used + length > SLAB) {
      const memory = new ArrayBuffer(SLAB);
      // Transferring the memory of one value to another thread would empty all that share it.
      markAsUntransferable(memory);
      this.#slab = new Uint8Array(memory);
      this.#used = 0;
    }
    const value = new Uint8Array(this.#slab.buffer, this.#used, length);
    this.#used += length;
    return value;
  }

  #rangeOf({ start, end }: KeyRange, reverse: boolean): RangeOptions {
    const [from, to] = [bound(start), bound(end)];
    return reverse
      ? {
          start: to,
          end: from,
          reverse: true,
          exclusiveStart: true,
          inclusiveEnd: true,
          transaction: this.#transaction,
        }
      : { start: from, end: to, transaction: this.#transaction };
  }

  #release(): void {
    this.#lmdb.nativeAddon.resetTxn(this.#transaction.address);
  }
}

/** LMDB takes no longer keys; no stored key has more than 1,024 bytes, so the order is decided within 1,025. */
function bound(key: Key): Uint8Array {
  return key.length > 1025 ? key.subarray(0, 1025) : key;
}

/** Without a copy: lmdb gives every entry of a range memory of its own, but as a Buffer. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
