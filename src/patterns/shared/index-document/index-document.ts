import { orAborted } from '../../../core/abort.ts';
import type { Environment } from '../../../core/clock.ts';
import { NorimakiError } from '../../../core/errors.ts';
import type { Database } from '../../../repositories/index.ts';
import type { BlockCallOptions } from '../options.ts';
import { Patience } from '../patience.ts';
import { type Answer, type Entry, insertInto, turnedAway } from './insert.ts';
import { childOf, indexPages, type PageRecord, type PageRepository, placeOf, ROOT } from './page.ts';
import { type SplitOff, split } from './split.ts';

/** A set of ids in the store. */
export interface IndexDocumentOptions {
  /** Part of the key of every page. */
  readonly name: string;
  /** Ids in a page before it is split, at least 4; default 128. */
  readonly pageSize?: number | undefined;
}

export interface ListIdsOptions {
  /** Begin behind this id: where another listing ended. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PAGE_SIZE = 128;
const MAX_ID_BYTES = 512;

/**
 * A set of ids, in order, for stores that cannot scan: a B-link tree (Lehman and Yao) whose pages are records under
 * compare-and-swap. Adding and removing may be repeated; concurrent adds of one process share writes. Each page names the
 * one to its right, so that an id is found also where a split was left half-way.
 *
 * Pages that have become empty stay: a set that shrank is listed at the cost of its former size.
 */
export class IndexDocument {
  readonly #name: string;
  readonly #size: number;
  readonly #pages: PageRepository;
  readonly #environment: Environment;
  /** Pages above the lowest level. An old one still leads to every id, if further to the left than need be. */
  readonly #above = new Map<string, PageRecord>();
  readonly #splits = new Map<string, Promise<SplitOff | undefined>>();

  constructor(db: Database, { name, pageSize = PAGE_SIZE }: IndexDocumentOptions) {
    this.#name = name;
    this.#size = Math.max(4, pageSize);
    this.#pages = indexPages(db);
    this.#environment = db.environment;
  }

  /** Whether it was not there before. Errors: `argument.invalid`, and those of a write. */
  async add(id: string, options: BlockCallOptions = {}): Promise<boolean> {
    return this.#insert({ level: 0, id: checkId(id), child: undefined }, options);
  }

  /** Whether it was there. Errors: `argument.invalid`, and those of a write. */
  async remove(id: string, options: BlockCallOptions = {}): Promise<boolean> {
    const entry = { level: 0, id: checkId(id) };
    let page = this.#start(entry);
    for (;;) {
      const answer = await this.#change(page, options, (draft): Answer => {
        const away = turnedAway(draft, entry);
        if (away !== undefined) return away;
        const { at, isThere } = placeOf(draft.ids, id);
        if (!isThere) return { type: 'added' };
        draft.ids.splice(at, 1);
        return { type: 'present' };
      });
      if (answer.type === 'above') page = this.#below(answer.page, entry);
      else if (answer.type === 'right') page = this.#right(answer);
      else return answer.type === 'present';
    }
  }

  /** Whether it is there. */
  async has(id: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    const leaf = await this.#leaf(checkId(id), signal);
    return leaf !== undefined && placeOf(leaf.ids, id).isThere;
  }

  /**
   * All ids in order (of UTF-16 code units), a page at a time. What was there from the call to its end is in it once; what
   * was added or removed meanwhile may be.
   */
  async *pages({ after = '', signal }: ListIdsOptions = {}): AsyncGenerator<readonly string[], void, undefined> {
    let last = after;
    let page = await this.#leaf(after, signal);
    while (page !== undefined) {
      const ids = page.ids.filter((id) => id > last);
      if (ids.length > 0) yield ids;
      last = ids.at(-1) ?? last;
      page = page.next === undefined ? undefined : await this.#read(page.next, signal);
    }
  }

  /** The page of the lowest level in which an id is, or would be. */
  async #leaf(id: string, signal: AbortSignal | undefined): Promise<PageRecord | undefined> {
    const entry = { level: 0, id };
    let page = await this.#read(this.#start(entry), signal);
    while (page !== undefined) {
      const away = turnedAway(page, entry);
      if (away === undefined) return page;
      const further = away.type === 'right' ? this.#right(away) : this.#below(page, entry);
      page = await this.#read(further, signal);
    }
    return undefined;
  }

  async #insert(entry: Entry, options: BlockCallOptions): Promise<boolean> {
    let page = this.#start(entry);
    let unknownAbove: Entry | undefined;
    let patience: Patience | undefined;
    for (;;) {
      const answer = await this.#change(page, options, (draft) => insertInto(draft, entry, this.#size));
      switch (answer.type) {
        case 'above':
          page = this.#below(answer.page, entry);
          break;
        case 'right':
          unknownAbove = { level: answer.level + 1, id: answer.end, child: answer.next };
          page = this.#right(answer);
          break;
        case 'full': {
          const made = await this.#split(page, options);
          if (made !== undefined) await this.#tellAbove(made, options);
          patience ??= new Patience(`The index '${this.#name}'`, this.#environment, options);
          await patience.next();
          break;
        }
        default:
          if (unknownAbove !== undefined) await this.#tellAbove(unknownAbove, options);
          return answer.type === 'added';
      }
    }
  }

  /** Makes a page known to the level above it. Without that it is found from the left: slower, and mended by whoever does so. */
  async #tellAbove(entry: Entry, options: BlockCallOptions): Promise<void> {
    try {
      await this.#insert(entry, options);
    } catch (error) {
      if (!(error instanceof NorimakiError) || options.signal?.aborted) throw error;
    }
  }

  /** One split of a page at a time in this process. */
  async #split(page: string, options: BlockCallOptions): Promise<SplitOff | undefined> {
    let under = this.#splits.get(page);
    if (under === undefined) {
      under = this.#splitFull(page).finally(() => this.#splits.delete(page));
      this.#splits.set(page, under);
    }
    return orAborted(under, options.signal);
  }

  /** Without a signal: it is everybody's. */
  async #splitFull(page: string): Promise<SplitOff | undefined> {
    const found = await this.#read(page, undefined);
    if (found === undefined || found.ids.length < this.#size) return undefined;
    return split(this.#pages, found, this.#environment, {});
  }

  /** What a page answers to a change, as the store has it afterwards. */
  async #change(page: string, options: BlockCallOptions, fn: (draft: PageRecord) => Answer): Promise<Answer> {
    let answer: Answer | undefined;
    // Only the root may be missing: a page is named by another once it is there.
    const ifAbsent = page === ROOT ? { ifAbsent: () => ({ level: 0, ids: [], pages: [] }) } : {};
    await this.#pages.mutate(
      { name: this.#name, page },
      (draft) => {
        answer = fn(draft);
      },
      { ...options, ...ifAbsent },
    );
    // The function ran, or the call would have failed.
    return answer as unknown as Answer;
  }

  /** The page to begin at, by what this process knows: of the entry's level, or the root. */
  #start(entry: Pick<Entry, 'level' | 'id'>): string {
    const root = this.#above.get(ROOT);
    return root === undefined || root.level <= entry.level ? ROOT : this.#below(root, entry);
  }

  /** From a page above the level of an entry downwards, as far as this process knows the pages. */
  #below(from: PageRecord, entry: Pick<Entry, 'level' | 'id'>): string {
    let page = from;
    this.#above.set(page.page, page);
    for (;;) {
      const below = childOf(page, entry.id);
      const known = page.level - 1 > entry.level ? this.#above.get(below) : undefined;
      if (known === undefined || turnedAway(known, { level: known.level, id: entry.id }) !== undefined) return below;
      page = known;
    }
  }

  /** The page to the right of one that was split since this process learned of it: what lies above is learned anew. */
  #right({ next }: { readonly next: string }): string {
    this.#above.clear();
    return next;
  }

  async #read(page: string, signal: AbortSignal | undefined): Promise<PageRecord | undefined> {
    const found = await this.#pages.get({ name: this.#name, page }, { signal });
    if (found !== undefined && found.level > 0) this.#above.set(page, found);
    return found;
  }
}

/** Errors: `argument.invalid`. */
function checkId(id: string): string {
  if (typeof id === 'string' && id !== '' && id.isWellFormed() && Buffer.byteLength(id) <= MAX_ID_BYTES) return id;
  throw new NorimakiError(
    'argument.invalid',
    `An id in an index is a string of well-formed Unicode, not empty, of at most ${MAX_ID_BYTES} bytes.`,
    { argument: 'id' },
  );
}
