import { MAX_K } from '../../core/vectors/index.ts';
import { diversified } from '../shared/diversified.ts';
import { dot, unit } from './geometry.ts';
import type { Suggestion } from './strategies/call.ts';
import type { ItemVectors } from './vectors.ts';

/** To choose unlike items from. */
const POOL = 4;

/** How many items a list of so many is chosen from. */
export function poolOf(limit: number): number {
  return Math.min(POOL * limit, MAX_K);
}

/** Chooses items that are high on the list and unlike those chosen before them; `much` is how far the second counts, from 0 to 1. */
export async function unlikeItems(
  candidates: readonly Suggestion[],
  count: number,
  much: number,
  vectors: ItemVectors,
  signal: AbortSignal | undefined,
): Promise<Suggestion[]> {
  if (much === 0) return candidates.slice(0, count);
  const names = candidates.map(({ name }) => name);
  const read = await vectors.of(names, signal);
  const directions = names.map((name) => {
    const vector = read.get(name);
    return vector && unit(vector);
  });
  const likeness = (a: number, b: number): number => {
    const [one, other] = [directions[a], directions[b]];
    // From 0: who is the opposite of what was chosen gains nothing by it.
    return one === undefined || other === undefined ? 0 : Math.max(0, dot(one, other));
  };
  // Scores of several strategies are not comparable; places are.
  const relevance = candidates.map((_, place) => 1 - place / candidates.length);
  return diversified({ candidates, relevance, likeness }, count, much);
}
