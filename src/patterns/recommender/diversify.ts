import { dot, unit } from './geometry.ts';
import type { Suggestion } from './strategies/call.ts';
import type { ItemVectors } from './vectors.ts';

/**
 * Chooses items that are high on the list and unlike those chosen before them; `much` is how far the second counts, from 0 to 1.
 * Source: maximal marginal relevance (Carbonell and Goldstein 1998), where the place on the list is the relevance.
 */
export async function diversified(
  suggestions: readonly Suggestion[],
  count: number,
  much: number,
  vectors: ItemVectors,
  signal: AbortSignal | undefined,
): Promise<Suggestion[]> {
  const read = await vectors.of(
    suggestions.map(({ name }) => name),
    signal,
  );
  const left = suggestions.map((suggestion, place) => {
    const vector = read.get(suggestion.name);
    return {
      suggestion,
      vector: vector && unit(vector),
      relevance: 1 - place / suggestions.length,
      likeness: 0,
    };
  });
  const chosen: Suggestion[] = [];
  while (chosen.length < count && left.length > 0) {
    let best = 0;
    const worth = (i: number): number => {
      const one = left[i];
      return one === undefined ? 0 : (1 - much) * one.relevance - much * one.likeness;
    };
    for (let i = 1; i < left.length; i++) if (worth(i) > worth(best)) best = i;
    const [next] = left.splice(best, 1);
    if (next === undefined) break;
    chosen.push(next.suggestion);
    for (const one of left) {
      if (one.vector === undefined || next.vector === undefined) continue;
      // From 0: who is the opposite of what was chosen gains nothing by it.
      one.likeness = Math.max(one.likeness, dot(one.vector, next.vector));
    }
  }
  return chosen;
}
