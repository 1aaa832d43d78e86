import { NorimakiError } from '../../core/errors.ts';
import { distance } from '../../core/vectors/index.ts';
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
    return shared(termSets[a], termSets[b]);
  };
}

/** The part of all their words that both have (Jaccard). */
function shared(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): number {
  if (a === undefined || b === undefined || a.size + b.size === 0) return 0;
  let both = 0;
  for (const term of a) if (b.has(term)) both += 1;
  return both / (a.size + b.size - both);
}
