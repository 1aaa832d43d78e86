/** What is chosen from, and how it is judged. */
export interface Choice<T> {
  readonly candidates: readonly T[];
  /** Of each, from 0 to 1. */
  readonly relevance: readonly number[];
  /** Of two by their positions, from 0 to 1. */
  likeness(a: number, b: number): number;
}

/**
 * Chooses so many, one after the other: each is the one that is most relevant and least like those before, by maximal
 * marginal relevance (Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025).
 *
 * `diversify`: from 0, relevance alone, to 1, difference alone.
 */
export function diversified<T>({ candidates, relevance, likeness }: Choice<T>, count: number, diversify: number): T[] {
  const nearest = candidates.map(() => 0);
  const left = new Set(candidates.keys());
  const chosen: T[] = [];
  while (chosen.length < count && left.size > 0) {
    let best = -1;
    let bestWorth = Number.NEGATIVE_INFINITY;
    for (const i of left) {
      const worth = (1 - diversify) * at(relevance, i) - diversify * at(nearest, i);
      if (worth > bestWorth) [best, bestWorth] = [i, worth];
    }
    left.delete(best);
    chosen.push(at(candidates, best));
    for (const i of left) nearest[i] = Math.max(at(nearest, i), likeness(i, best));
  }
  return chosen;
}

/** In bounds: a position of one of the candidates. */
function at<T>(list: readonly T[], i: number): T {
  return list[i] as T;
}
