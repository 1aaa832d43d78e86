import type { PageRecord } from './page.ts';
import { placeOf } from './page.ts';

/** What is to stand in a page: an id, or above the lowest level the first id of a page. */
export interface Entry {
  readonly level: number;
  readonly id: string;
  /** Above the lowest level. */
  readonly child: string | undefined;
}

/**
 * What a page says to an entry: `above` that it has become one of a higher level, `right` that the entry belongs further on,
 * `full` that it must be split first.
 */
export type Answer =
  | { readonly type: 'added' | 'present' | 'full' }
  | { readonly type: 'above'; readonly page: PageRecord }
  | { readonly type: 'right'; readonly level: number; readonly end: string; readonly next: string };

/** What a page says to who asks it about an entry that belongs elsewhere. */
export function turnedAway(page: PageRecord, { level, id }: Pick<Entry, 'level' | 'id'>): Answer | undefined {
  const { end, next } = page;
  if (end !== undefined && next !== undefined && id >= end) return { type: 'right', level: page.level, end, next };
  return page.level > level ? { type: 'above', page: { ...page } } : undefined;
}

/** Puts an entry into a page of at most `size`, if it belongs there. */
export function insertInto(draft: PageRecord, entry: Entry, size: number): Answer {
  const away = turnedAway(draft, entry);
  if (away !== undefined) return away;
  const { at, isThere } = placeOf(draft.ids, entry.id);
  if (isThere) return { type: 'present' };
  if (draft.ids.length >= size) return { type: 'full' };
  draft.ids.splice(at, 0, entry.id);
  if (entry.child !== undefined) draft.pages.splice(at, 0, entry.child);
  return { type: 'added' };
}
