import { z } from 'zod';
import type { Store } from '../../../core/store.ts';
import { defineEntity } from '../../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../../repositories/index.ts';

/** The page from which all others are found. It stays the first one however often it is split. */
export const ROOT = 'root';

const page = z.object({
  /** Of the index document. */
  name: z.string(),
  page: z.string(),
  /** 0 holds the ids themselves, in order; a page above holds the first id of each page below it. */
  level: z.int().nonnegative(),
  ids: z.array(z.string()),
  /** The pages below, one for each of `ids`. */
  pages: z.array(z.string()),
  /** What is not below `end` stands in `next`, or further on. The last page of a level has neither. */
  end: z.string().optional(),
  next: z.string().optional(),
});

const IndexPage = defineEntity('norimaki.index', page, {
  id: ['name', 'page'],
  // Written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  ring: 64,
});

export type PageRecord = z.output<typeof page>;
export type PageRepository = RepositoryOf<typeof IndexPage, Store>;

export function indexPages(db: Database): PageRepository {
  return db.repo(IndexPage);
}

/** Where an id stands in the order of a page, or would. */
export function placeOf(ids: readonly string[], id: string): { readonly at: number; readonly isThere: boolean } {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as string) < id) low = middle + 1;
    else high = middle;
  }
  return { at: low, isThere: ids[low] === id };
}

/** The page one level down in which an id would be, or from which it is found to the right. */
export function childOf({ ids, pages }: PageRecord, id: string): string {
  const { at, isThere } = placeOf(ids, id);
  // The first id of the first page is below all others, so there is one at or before it.
  return pages[isThere ? at : at - 1] as string;
}
