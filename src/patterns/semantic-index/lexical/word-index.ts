import { orAborted } from '../../../core/abort.ts';
import type { IdPart } from '../../../core/model/model.ts';
import type { Version } from '../../../core/version.ts';
import type { Inside, RecordSeen } from '../../../repositories/internal.ts';
import { idOfKey, keyOf } from '../entity-key.ts';
import { hashOfTexts, textsOf } from './document.ts';
import type { InvertedIndex, WordMatch } from './inverted-index.ts';
import { readable } from './readable.ts';

/** What is known of a record: which version of it was looked at, and a hash of its texts, `''` if it has none. */
export interface Known {
  readonly version: Version;
  readonly hash: string;
}

/** A match, and the texts that it was found by: what is known may change before they are compared with the record. */
export interface TextMatch extends WordMatch {
  readonly hash: string;
}

/** Records that one read asks the store for. */
const BATCH = 256;
/** Records of one page of a scan. */
const PAGE = 500;

/**
 * The words of the records as they were last read. It is told which records may have changed (`mark`), and reads those
 * before it answers (`settle`). One read at a time, so that none is overtaken by a later one.
 */
export class WordIndex {
  readonly inverted: InvertedIndex;
  readonly #inside: Inside;
  readonly #fields: readonly string[];
  readonly #known = new Map<string, Known>();
  readonly #marked = new Map<string, readonly IdPart[]>();
  #batch: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Texts that were taken apart. */
  indexed = 0;
  /** Changes of what a snapshot would hold. */
  changes = 0;

  constructor(inside: Inside, fields: readonly string[], inverted: InvertedIndex) {
    this.#inside = inside;
    this.#fields = fields;
    this.inverted = inverted;
  }

  get known(): ReadonlyMap<string, Known> {
    return this.#known;
  }

  get marks(): number {
    return this.#marked.size;
  }

  /** This record may have changed. */
  mark(id: readonly IdPart[]): void {
    this.#marked.set(keyOf(id), id);
  }

  markKey(key: string): void {
    this.#marked.set(key, idOfKey(key));
  }

  /** Whether what is known of a record that has not changed since is what it holds. Errors: `record.corrupt`. */
  isRight(key: string, record: RecordSeen): boolean {
    const entity = record.entity();
    const hash = entity === undefined ? '' : hashOfTexts(textsOf(entity, this.#fields));
    return this.#known.get(key)?.hash === hash && this.inverted.has(key) === (hash !== '');
  }

  /** Whether an entity has just the texts that it is found by. */
  isCurrent(key: string, entity: object): boolean {
    return this.hasTexts(entity, this.#known.get(key)?.hash ?? '');
  }

  /** Returns when all that was marked before the call has been read. Errors: those of a read. */
  async settle(signal: AbortSignal | undefined): Promise<void> {
    // What is under way may have been read before what was marked last; the next begins after it.
    const before = this.#batch?.catch(() => {});
    if (before !== undefined) await orAborted(before, signal);
    await orAborted(this.#readMarked(), signal);
  }

  /** Begins to read what is marked, if nobody does. What fails stays marked. */
  kick(): void {
    this.#readMarked().catch(() => {});
  }

  /** All terms of an entity. */
  termsOf(entity: object): string[] {
    return Object.values(textsOf(entity, this.#fields)).flatMap((texts) => this.inverted.termsOf(texts.join('\n')));
  }

  /** The best first, at most so many, and how many there are; each with the hash of the texts that it was found by. */
  search(terms: readonly string[], most: number): { readonly matches: readonly TextMatch[]; readonly count: number } {
    const found = this.inverted.search(terms);
    const matches = found.slice(0, most).map((match) => ({ ...match, hash: this.#known.get(match.key)?.hash ?? '' }));
    return { matches, count: found.length };
  }

  /** Whether an entity has just the texts of this hash. */
  hasTexts(entity: object, hash: string): boolean {
    return hashOfTexts(textsOf(entity, this.#fields)) === hash;
  }

  /** Takes what was kept. Errors: whatever what is below throws, for what it did not write. */
  load(known: Iterable<readonly [string, Known]>, dump: Parameters<InvertedIndex['load']>[0]): void {
    this.inverted.load(dump);
    this.#known.clear();
    for (const [key, one] of known) this.#known.set(key, one);
  }

  clear(): void {
    this.inverted.clear();
    this.#known.clear();
  }

  /** Runs alone: nothing is read into it meanwhile. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work, work);
    this.#last = run;
    return run;
  }

  /**
   * Looks at all records, page by page, and reads those whose version it does not know; then those that it knows and
   * did not meet; resolves to how many those were. `look` sees each record before it is taken.
   */
  async rescan(
    signal: AbortSignal,
    onPage: (records: number) => void,
    look?: (key: string, record: RecordSeen) => void,
  ): Promise<number> {
    const unmet = new Set(this.#known.keys());
    let cursor: string | undefined;
    do {
      const at = cursor;
      cursor = await this.alone(async () => {
        const page = await this.#inside.recordPage({ limit: PAGE, cursor: at, signal });
        for (const record of page.items) {
          const key = keyOf(record.id);
          unmet.delete(key);
          look?.(key, record);
          this.#take(key, record, false);
        }
        onPage(page.items.length);
        return page.cursor;
      });
    } while (cursor !== undefined);
    for (const key of unmet) this.markKey(key);
    await this.settle(signal);
    return unmet.size;
  }

  /** Takes a record apart again, whatever is known of it. */
  retake(key: string, record: RecordSeen): void {
    this.#forget(key);
    this.#take(key, record, false);
  }

  #readMarked(): Promise<void> {
    if (this.#batch !== undefined) return this.#batch;
    if (this.#marked.size === 0) return Promise.resolve();
    const batch = this.alone(() => this.#takeMarked()).finally(() => {
      this.#batch = undefined;
    });
    this.#batch = batch;
    return batch;
  }

  async #takeMarked(): Promise<void> {
    const marked = [...this.#marked];
    this.#marked.clear();
    for (let from = 0; from < marked.length; from += BATCH) {
      const some = marked.slice(from, from + BATCH);
      try {
        const records = await this.#inside.records(some.map(([, id]) => id));
        for (const [i, [key]] of some.entries()) this.#take(key, records[i], true);
      } catch (error) {
        for (const [key, id] of marked.slice(from)) this.#marked.set(key, id);
        throw error;
      }
    }
  }

  #take(key: string, record: RecordSeen | undefined, isMarked: boolean): void {
    const known = this.#known.get(key);
    const isKnown = record !== undefined && known?.version === record.version;
    // Nothing but its end can have come since.
    if (isKnown && !(isMarked && this.#inside.model.ttl !== undefined)) return;
    const entity = readable(record);
    if (record === undefined || entity === undefined) {
      this.#forget(key);
      return;
    }
    if (isKnown) return;
    const texts = textsOf(entity, this.#fields);
    const hash = hashOfTexts(texts);
    this.#known.set(key, { version: record.version, hash });
    this.changes += 1;
    if (known?.hash === hash) return;
    if (hash === '') {
      this.inverted.delete(key);
      return;
    }
    this.inverted.set(key, texts);
    this.indexed += 1;
  }

  #forget(key: string): void {
    if (!this.#known.delete(key)) return;
    this.inverted.delete(key);
    this.changes += 1;
  }
}
