import type { Environment } from '../../../core/clock.ts';
import { randomId } from '../../../core/random-id.ts';
import type { BlockCallOptions } from '../options.ts';
import { type PageRecord, type PageRepository, ROOT } from './page.ts';

/** A page that came into being by a split, and the first id in it. */
export interface SplitOff {
  readonly level: number;
  readonly id: string;
  readonly child: string;
}

/**
 * Moves the upper half of a full page into a new one. The new page is written first, under a name that nobody knows; the
 * old page then gives up that half and names the new one in the same write, if it is still what was copied. So every id is
 * found in one of the two at every instant; whoever crashes in between leaves a page behind that nobody reads.
 *
 * Resolves to what the level above should know; `undefined` if somebody else was faster, or the root was split.
 */
export async function split(
  pages: PageRepository,
  page: PageRecord,
  environment: Environment,
  options: BlockCallOptions,
): Promise<SplitOff | undefined> {
  const half = page.ids.length >>> 1;
  const id = page.ids[half] as string;
  const { name, level } = page;
  const fresh = (from: number, to?: number): PageRecord => ({
    ...page,
    page: randomId(environment.random, 12),
    ids: page.ids.slice(from, to),
    pages: page.pages.slice(from, to),
  });
  const right = fresh(half);
  // The root keeps its name, so both its halves move, and it becomes the page above them.
  const left = page.page === ROOT ? { ...fresh(0, half), end: id, next: right.page } : undefined;
  const made = left === undefined ? [right] : [right, left];
  for (const one of made) await pages.create(one, options);
  let isDone = false;
  await pages.mutate(
    { name, page: page.page },
    (draft) => {
      isDone = left === undefined ? giveUp(draft, right) : raise(draft, page, left, right);
    },
    options,
  );
  if (!isDone) {
    for (const one of made) await pages.delete({ name, page: one.page }, options);
    return undefined;
  }
  return left === undefined ? { level: level + 1, id, child: right.page } : undefined;
}

/** Leaves the upper half to the page that holds it now, unless it has changed since. */
function giveUp(draft: PageRecord, right: PageRecord): boolean {
  const at = draft.ids.indexOf(right.ids[0] as string);
  const upper = { ...draft, ids: draft.ids.slice(at), pages: draft.pages.slice(at) };
  if (at <= 0 || !holdsTheSame(upper, right)) return false;
  draft.end = right.ids[0];
  draft.next = right.page;
  draft.ids.length = at;
  if (draft.level > 0) draft.pages.length = at;
  return true;
}

/** Makes the root the page above its two halves, unless it has changed since they were copied. */
function raise(draft: PageRecord, copied: PageRecord, left: PageRecord, right: PageRecord): boolean {
  if (!holdsTheSame(draft, copied)) return false;
  draft.level++;
  // The empty id is below all others.
  draft.ids = ['', right.ids[0] as string];
  draft.pages = [left.page, right.page];
  return true;
}

function holdsTheSame(one: PageRecord, other: PageRecord): boolean {
  const isSame = (a: readonly string[], b: readonly string[]): boolean =>
    a.length === b.length && a.every((value, i) => value === b[i]);
  return (
    one.level === other.level &&
    one.end === other.end &&
    one.next === other.next &&
    isSame(one.ids, other.ids) &&
    isSame(one.pages, other.pages)
  );
}
