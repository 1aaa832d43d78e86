import type { Fused, Ranked } from './ranked.ts';

/** How little the first ranks differ: as in Cormack, Clarke and Büttcher 2009, https://doi.org/10.1145/1571941.1572114. */
const K = 60;

/**
 * One list of two, the best first, by weighted reciprocal rank fusion: scores of vectors and of words cannot be added,
 * ranks can. The score is 1 for who is the first of both. Of one side alone the scores stay as they are.
 */
export function fuse(
  vector: readonly Ranked[] | undefined,
  words: readonly Ranked[] | undefined,
  lexicalWeight: number,
): Fused[] {
  const fused = new Map<string, Fused>();
  const isBoth = vector !== undefined && words !== undefined;
  const share = (weight: number, rank: number): number => (weight * (K + 1)) / (K + rank);
  for (const [i, { key, entity, score, passage }] of (vector ?? []).entries()) {
    const rank = i + 1;
    const its = isBoth ? share(1 - lexicalWeight, rank) : score;
    fused.set(key, { key, entity, passage, score: its, why: { vector: { rank, score } } });
  }
  for (const [i, { key, entity, score, terms = [] }] of (words ?? []).entries()) {
    const rank = i + 1;
    const other = fused.get(key);
    const its = isBoth ? share(lexicalWeight, rank) : score;
    fused.set(key, {
      key,
      entity: other?.entity ?? entity,
      passage: other?.passage,
      score: (other?.score ?? 0) + its,
      why: { ...other?.why, lexical: { rank, score, terms } },
    });
  }
  // Those of one score stay in the order of the vectors, then of the words.
  return [...fused.values()].sort((a, b) => b.score - a.score);
}
