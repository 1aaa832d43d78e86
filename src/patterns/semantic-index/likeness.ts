import { NorimakiError } from '../../core/errors.ts';
import { distance } from '../../core/vectors/index.ts';
import { jaccard } from '../shared/jaccard.ts';
import type { Fused } from './ranked.ts';
import type { SearchParts } from './search-parts.ts';

/** How alike two of these are, from 0 to 1: by their vectors; of those without one by the words that they share. */
export async function likenessOf(
  { repository, inside, settings, words }: SearchParts,
  candidates: readonly Fused[],
  signal: AbortSignal | undefined,
): Promise<(a: number, b: number) => number> {
  const field = settings.embedding ?? inside.model.embeddings[0]?.name;
  const vectors = await Promise.all(
    candidates.map(async ({ entity }) => {
      if (field === undefined) return undefined;
      try {
        return await repository.vectorOf(inside.idOf(inside.idPartsOf(entity)), { field, signal });
      } catch (error) {
        // It has gone since it was found.
        if (NorimakiError.is(error, 'not.found')) return undefined;
        throw error;
      }
    }),
  );
  const termSets = candidates.map(({ entity }) => words && new Set(words.index.termsOf(entity)));
  return (a, b) => {
    const [one, other] = [vectors[a], vectors[b]];
    if (one !== undefined && other?.length === one.length) return Math.max(0, 1 - distance('cosine', one, other));
    const [mine, its] = [termSets[a], termSets[b]];
    return mine === undefined || its === undefined ? 0 : jaccard(mine, its);
  };
}
