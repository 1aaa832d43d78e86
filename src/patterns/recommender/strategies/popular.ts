import type { StrategyCall, Suggestion } from './call.ts';
import { shares } from './co-visit.ts';

/** What most people like, lately. */
export async function suggestPopular({ parts, counts, query }: StrategyCall, count: number): Promise<Suggestion[]> {
  const found = await parts.shelf.take(shares(await counts.popular(query.signal)), count, query);
  return found.map((one) => ({ ...one, source: 'popular', because: [] }));
}
