import { likedItems } from '../profile.ts';
import { inOrder, type Ranked, ranked } from '../tally.ts';
import { type Reason, reasons, type StrategyCall, type Suggestion } from './call.ts';

/** The items that are asked for what goes with them. */
const MOST_ITEMS = 16;

/** What was liked together with what the user likes: of all that goes with each item, what part is this one? */
export async function suggestByCoVisits(call: StrategyCall, count: number): Promise<Suggestion[]> {
  const { parts, read, counts, query } = call;
  const liked = likedItems(read.profile, parts.settings).slice(0, MOST_ITEMS);
  const total = liked.reduce((sum, { weight }) => sum + weight, 0);
  const lists = await counts.beside(
    liked.map(({ item }) => item),
    query.signal,
  );
  const scores = new Map<string, { weight: number; readonly reasons: (Ranked & Reason)[] }>();
  for (const [i, one] of liked.entries()) {
    for (const { item, weight } of shares(ranked([lists[i] ?? []], parts.settings.halfLife))) {
      const score = scores.get(item) ?? { weight: 0, reasons: [] };
      const part = (weight * one.weight) / total;
      score.weight += part;
      score.reasons.push({ item: one.item, signal: one.signal, weight: part });
      scores.set(item, score);
    }
  }
  const items = inOrder([...scores].map(([item, { weight }]) => ({ item, weight })));
  const found = await parts.shelf.take(items, count, query);
  return found.map((one) => ({
    ...one,
    source: 'coVisit',
    because: reasons((scores.get(one.name)?.reasons ?? []).sort((a, b) => b.weight - a.weight)),
  }));
}

/** Weights as parts of their sum. */
export function shares(items: readonly Ranked[]): Ranked[] {
  const total = items.reduce((sum, { weight }) => sum + weight, 0);
  return items.map(({ item, weight }) => ({ item, weight: weight / total }));
}
