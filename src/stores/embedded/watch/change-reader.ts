import type { Change } from '../../../core/store.ts';
import { asBuffer, META_VERSION, readU64, versionAt } from '../layout.ts';
import type { ReadTransaction } from '../lmdb.ts';
import type { ChangeTables } from './change-batch.ts';
import { type ChangeLog, changeKey, DELETE, decodeLog, indexOfChange, keyOfChange, META_CHANGES } from './layout.ts';

/** How far the log was read: all before `entry` was seen, and all of the versions up to `index`. */
export interface Place {
  readonly index: number;
  readonly entry: Uint8Array;
}

export interface LoggedChange {
  readonly index: number;
  readonly change: Change;
}

/** Runs in a fresh snapshot. */
type Read = <T>(work: (options: { transaction: ReadTransaction }) => T) => T;

/** How the log of changes is read. */
export class ChangeReader {
  readonly #tables: ChangeTables;
  readonly #read: Read;

  constructor(tables: ChangeTables, read: Read) {
    this.#tables = tables;
    this.#read = read;
  }

  /** Whether there are entries that nobody needs any more. */
  isLeft(now: number): boolean {
    const log = this.#read((options) => this.#log(options));
    return log !== undefined && log.count > 0 && log.until <= now;
  }

  /** The newest version, if the log holds all that comes after it. */
  end(now: number): number | undefined {
    return this.#read((options) => {
      const log = this.#log(options);
      return log === undefined || log.until <= now || log.to !== this.#version(options) ? undefined : log.to;
    });
  }

  /** Instant up to which writers log. */
  until(): number {
    return this.#read((options) => this.#log(options))?.until ?? 0;
  }

  /** Up to `limit` entries from a place on, and the place behind them; `undefined` if some are lost. */
  after(place: Place, limit: number): { changes: LoggedChange[]; place: Place } | undefined {
    return this.#read((options) => {
      const log = this.#log(options);
      if (log === undefined || log.to !== this.#version(options) || log.from > place.index) return undefined;
      if (log.to === place.index) return { changes: [], place };
      const { transaction } = options;
      const changes: LoggedChange[] = [];
      for (const { key: entry, value } of this.#tables.changes.getRange({ start: place.entry, limit, transaction })) {
        const index = indexOfChange(entry);
        const key = keyOfChange(entry);
        const isDelete = value[0] === DELETE[0];
        const change: Change = isDelete ? { type: 'delete', key } : { type: 'put', key, version: versionAt(index) };
        changes.push({ index, change });
      }
      const last = changes.at(-1);
      if (changes.length < limit || last === undefined) {
        return { changes, place: { index: log.to, entry: changeKey(log.to + 1) } };
      }
      // There may be more of the same version.
      const entry = Uint8Array.of(...changeKey(last.index, last.change.key), 0);
      return { changes, place: { index: last.index - 1, entry } };
    });
  }

  #log(options: { transaction: ReadTransaction }): ChangeLog | undefined {
    const bytes = this.#tables.meta.getBinaryFast(META_CHANGES, options);
    return bytes && decodeLog(bytes);
  }

  #version(options: { transaction: ReadTransaction }): number {
    const bytes = this.#tables.meta.getBinaryFast(META_VERSION, options);
    return bytes === undefined ? 0 : readU64(asBuffer(bytes));
  }
}
