import type { Interest } from '../interests.ts';
import { reasons, type StrategyCall, type Suggestion } from './call.ts';

/** The nearest items to each interest, mixed so that every interest has its share from the first place on. */
export async function suggestByInterests(call: StrategyCall, count: number): Promise<Suggestion[]> {
  const { parts, read, query } = call;
  const interests = await parts.interests.of(read, query.signal);
  const lists = await Promise.all(
    interests.map(async (interest) => ({
      interest,
      suggestions: (await parts.shelf.near(interest.centre, count, query)).map(
        (found): Suggestion => ({ ...found, source: 'interests', because: reasons(interest.items) }),
      ),
    })),
  );
  return mix(lists, count);
}

interface Offer {
  readonly interest: Interest;
  readonly suggestions: readonly Suggestion[];
}

/**
 * Gives out places by share, as seats are in a parliament (Sainte-Laguë): after any number of places each interest has its share of
 * them, to within one.
 */
function mix(offers: readonly Offer[], count: number): Suggestion[] {
  const chosen = new Map<string, Suggestion>();
  const sides = offers.map(({ interest, suggestions }) => ({ share: interest.share, suggestions, next: 0, seats: 0 }));
  while (chosen.size < count) {
    let first: (typeof sides)[number] | undefined;
    for (const side of sides) {
      while (chosen.has(side.suggestions[side.next]?.name ?? '')) side.next++;
      if (side.next >= side.suggestions.length) continue;
      if (first === undefined || side.share / (2 * side.seats + 1) > first.share / (2 * first.seats + 1)) first = side;
    }
    const suggestion = first?.suggestions[first.next];
    if (first === undefined || suggestion === undefined) break;
    first.seats++;
    chosen.set(suggestion.name, suggestion);
  }
  return [...chosen.values()];
}
