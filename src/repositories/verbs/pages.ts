import { throwIfAborted } from '../../core/abort.ts';
import { MAX_PAGE } from '../../core/checks.ts';
import { NorimakiError } from '../../core/errors.ts';
import { compareKeys } from '../../core/keys/index.ts';
import type { KeyRange, ReadOptions, ScanPage } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { admit } from '../tenancy/admission.ts';

export interface ListOptions extends ReadOptions {
  /** At most so many entities in the page; default 100. */
  readonly limit?: number | undefined;
  /** Where the page before ended. */
  readonly cursor?: string | undefined;
  /** From the last to the first. */
  readonly reverse?: boolean | undefined;
}

/** Some entities of many, in order. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Hand it to the next call; `undefined` when there is nothing more. */
  readonly cursor: string | undefined;
}

/** Turns the entries of one store page into items; an entry may have none. */
export type ReadEntries<T> = (entries: ScanPage['entries']) => Promise<readonly (T | undefined)[]>;

/** One page of a range, filled up over as many store pages as it takes. */
export async function readPage<T>(
  context: RepositoryContext,
  whole: KeyRange,
  options: ListOptions,
  read: ReadEntries<T>,
): Promise<Page<T>> {
  const { limit = 100, cursor, reverse, signal, consistency } = options;
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new NorimakiError('argument.invalid', 'limit is a whole number from 1.', { argument: 'limit' });
  }
  const items: T[] = [];
  let range: KeyRange | undefined = resume(whole, cursor, reverse);
  while (range !== undefined && items.length < limit) {
    throwIfAborted(signal);
    await admit(context, 'read', { signal });
    const pageLimit = Math.min(limit - items.length, MAX_PAGE);
    const page: ScanPage = await context.client.scan(range, { limit: pageLimit, reverse, signal, consistency });
    for (const item of await read(page.entries)) if (item !== undefined) items.push(item);
    range = page.rest;
  }
  const at = range && (reverse ? range.end : range.start);
  return { items, cursor: at && Buffer.from(at).toString('base64url') };
}

/** All items of a range, page by page: memory stays bounded by one page. */
export async function* readAll<T>(
  context: RepositoryContext,
  whole: KeyRange,
  options: ListOptions,
  read: ReadEntries<T>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const page: Page<T> = await readPage(context, whole, { ...options, cursor }, read);
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function resume(whole: KeyRange, cursor: string | undefined, reverse: boolean | undefined): KeyRange {
  if (cursor === undefined) return whole;
  const at = new Uint8Array(Buffer.from(cursor, 'base64url'));
  if (compareKeys(at, whole.start) < 0 || compareKeys(at, whole.end) > 0) {
    throw new NorimakiError('argument.invalid', 'This cursor is of another query. Start again without one.', {
      argument: 'cursor',
    });
  }
  return reverse ? { start: whole.start, end: at } : { start: at, end: whole.end };
}
