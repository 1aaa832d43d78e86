import type { ItemSettings } from './call-options.ts';
import type { Counts } from './counts.ts';
import { poolOf, unlikeItems } from './diversify.ts';
import type { Query } from './shelf.ts';
import { fuse } from './strategies/blended.ts';
import type { RecommenderParts, Suggestion } from './strategies/call.ts';
import { shares } from './strategies/co-visit.ts';
import { ranked } from './tally.ts';

/** Items that go with one: a search leaves it out, and it is never counted with itself. Errors: `recommend.unknownItem`. */
export async function similarItems(
  parts: RecommenderParts,
  counts: Counts,
  name: string,
  strategy: 'content' | 'coVisit' | 'blended',
  { limit, diversify, query }: ItemSettings,
): Promise<Suggestion[]> {
  const pool = diversify > 0 || strategy === 'blended' ? poolOf(limit) : limit;
  const byContent = (): Promise<Suggestion[]> => contentOf(parts, name, pool, query);
  const byCoVisits = (): Promise<Suggestion[]> => coVisitsOf(parts, counts, name, pool, query);
  const [first, second] = strategy === 'coVisit' ? [byCoVisits, byContent] : [byContent, byCoVisits];
  const one = await first();
  // By content it was read already.
  if (strategy === 'coVisit') await parts.shelf.check(name, query.signal);
  const other = strategy === 'blended' || one.length < limit ? await second() : [];
  const list = strategy === 'blended' ? fused(one, other) : unique([...one, ...other]);
  return unlikeItems(list, limit, diversify, parts.vectors, query.signal);
}

async function contentOf(
  { shelf }: RecommenderParts,
  name: string,
  count: number,
  query: Query,
): Promise<Suggestion[]> {
  const found = await shelf.like(name, count, query);
  return found.map((one) => ({ ...one, source: 'content', because: [] }));
}

async function coVisitsOf(
  { shelf, settings }: RecommenderParts,
  counts: Counts,
  name: string,
  count: number,
  query: Query,
): Promise<Suggestion[]> {
  const [list = []] = await counts.beside([name], query.signal);
  const found = await shelf.take(shares(ranked([list], settings.halfLife)), count, query);
  return found.map((one) => ({ ...one, source: 'coVisit', because: [] }));
}

function fused(one: readonly Suggestion[], other: readonly Suggestion[]): Suggestion[] {
  return fuse(
    [
      [one, 1],
      [other, 1],
    ],
    'blended',
  );
}

function unique(list: readonly Suggestion[]): Suggestion[] {
  const names = new Set<string>();
  return list.filter(({ name }) => {
    const isNew = !names.has(name);
    names.add(name);
    return isNew;
  });
}
