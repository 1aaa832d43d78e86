import { byScore, reasons, type StrategyCall, type Suggest, type Suggestion } from './call.ts';
import { suggestByCoVisits } from './co-visit.ts';
import { suggestByInterests } from './interests.ts';
import { suggestPopular } from './popular.ts';

/** How much a place in each list is worth. What everybody likes breaks ties, and no more. */
const LISTS: readonly (readonly [Suggest, number])[] = [
  [suggestByInterests, 1],
  [suggestByCoVisits, 1],
  [suggestPopular, 0.2],
];

/** What is high on several lists. */
export async function suggestBlended(call: StrategyCall, count: number): Promise<Suggestion[]> {
  const lists = await Promise.all(LISTS.map(([suggest]) => suggest(call, 2 * count)));
  return fuse(
    lists.map((list, i) => [list, LISTS[i]?.[1] ?? 0]),
    'blended',
  ).slice(0, count);
}

/** A place far down a list is worth little less than the one before it. */
const RANK_CONSTANT = 60;

/**
 * One list of several, each with what its places are worth.
 * Source: reciprocal rank fusion (Cormack, Clarke, Büttcher 2009).
 */
export function fuse(
  lists: readonly (readonly [readonly Suggestion[], number])[],
  source: Suggestion['source'],
): Suggestion[] {
  const fused = new Map<string, Suggestion>();
  for (const [list, worth] of lists) {
    for (const [rank, one] of list.entries()) {
      const before = fused.get(one.name);
      const score = (before?.score ?? 0) + worth / (RANK_CONSTANT + rank + 1);
      const because = before === undefined || before.because.length === 0 ? one.because : before.because;
      fused.set(one.name, { ...(before ?? one), score, source, because: reasons(because) });
    }
  }
  return [...fused.values()].sort(byScore);
}
