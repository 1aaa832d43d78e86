import type { Table } from '../lmdb.ts';
import { type ChangeLog, changeKey, DELETE, decodeLog, encodeLog, indexOfChange, META_CHANGES, PUT } from './layout.ts';

/** Entries that the log keeps: who has missed more does better to read again. */
const MAX_LOGGED = 65_536;
/** Old entries that one change removes beyond that, so that no write pays for all. */
const TRIMMED = 2;

export interface ChangeTables {
  readonly changes: Table;
  readonly meta: Table;
}

/** What one LMDB transaction does to the log of changes; lives inside the callback of that transaction, as its Batch does. */
export class ChangeBatch {
  readonly #tables: ChangeTables;
  #from: number;
  #count: number;
  #until: number;
  readonly #start: number;
  #hasMoved = false;

  private constructor(tables: ChangeTables, start: number, { from, to, count, until }: ChangeLog) {
    this.#tables = tables;
    // What moved the version and logged nothing knows of no log.
    this.#from = to === start ? from : start;
    this.#count = count;
    this.#until = until;
    this.#start = start;
  }

  /** `undefined` while nobody watches the folder, which is one read of a small table. */
  static ifWatched(tables: ChangeTables, start: number, now: number): ChangeBatch | undefined {
    const log = logIn(tables);
    return log === undefined || log.until <= now ? undefined : new ChangeBatch(tables, start, log);
  }

  /** Begins the log behind `start`, or goes on with one that has missed nothing. */
  static watch(tables: ChangeTables, start: number): ChangeBatch {
    return new ChangeBatch(tables, start, logIn(tables) ?? { from: start, to: start, count: 0, until: 0 });
  }

  /** Deletes up to `limit` entries of a log that nobody needs any more; whether there may be more. */
  static sweep(tables: ChangeTables, now: number, limit: number): boolean {
    const log = logIn(tables);
    if (log === undefined || log.count === 0 || log.until > now) return false;
    const batch = new ChangeBatch(tables, log.to, log);
    const isMore = batch.#remove(limit) === limit;
    if (!isMore) batch.#count = 0;
    batch.#hasMoved = true;
    batch.finish(log.to);
    return isMore;
  }

  /** Writers log at least until this instant. */
  renew(until: number): void {
    if (until <= this.#until) return;
    this.#until = until;
    this.#hasMoved = true;
  }

  add(type: 'put' | 'delete', key: Uint8Array, index: number): void {
    this.#tables.changes.put(changeKey(index, key), type === 'put' ? PUT : DELETE);
    this.#count += 1;
    const excess = this.#count - MAX_LOGGED;
    if (excess > 0) this.#remove(Math.min(excess, TRIMMED));
  }

  /** Notes that all up to `index` is in the log. */
  finish(index: number): void {
    if (index === this.#start && !this.#hasMoved) return;
    const log = { from: this.#from, to: index, count: this.#count, until: this.#until };
    this.#tables.meta.put(META_CHANGES, encodeLog(log));
  }

  /** Removes the oldest; how many there were. */
  #remove(limit: number): number {
    const { changes } = this.#tables;
    const keys = [...changes.getKeys({ limit })];
    for (const key of keys) {
      changes.remove(key);
      this.#from = Math.max(this.#from, indexOfChange(key));
      this.#count -= 1;
    }
    return keys.length;
  }
}

function logIn({ meta }: ChangeTables): ChangeLog | undefined {
  const bytes = meta.getBinaryFast(META_CHANGES);
  return bytes && decodeLog(bytes);
}
