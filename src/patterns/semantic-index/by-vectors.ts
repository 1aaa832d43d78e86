import { NorimakiError } from '../../core/errors.ts';
import { keyOf } from './entity-key.ts';
import type { Plan } from './plan.ts';
import type { Side } from './ranked.ts';
import { repositoryScore, unitScore } from './score.ts';
import type { SearchParts } from './search-parts.ts';

export interface VectorSide extends Side {
  readonly pending: number;
}

/** The nearest by their vectors, each verified by the repository. Errors: those of its `search` and `similarTo`. */
export async function byVectors(
  { repository, inside, settings }: SearchParts,
  { query, depth, where, filter, minScore, signal }: Plan,
): Promise<VectorSide> {
  const name = settings.embedding ?? inside.model.embeddings[0]?.name;
  const metric = (name === undefined ? undefined : await inside.metricOf(name)) ?? 'cosine';
  const field = settings.embedding;
  const options = { limit: depth, where, filter, minScore: repositoryScore(metric, minScore), field, signal };
  const { hits, ...rest } =
    'text' in query
      ? await repository.search(query.text, options)
      : await repository.similarTo(inside.idOf(query.like), options);
  const ranked = hits.map((hit) => ({
    key: keyOf(inside.idPartsOf(hit.entity)),
    entity: hit.entity,
    score: unitScore(metric, hit.score),
    passage: hit.passage,
  }));
  return { ...rest, ranked };
}

/** Whether it is the embedder that failed, so that words can still answer. */
export function isEmbedderFailure(error: unknown): boolean {
  return NorimakiError.is(error, 'embedder.unavailable') || NorimakiError.is(error, 'embedder.rejected');
}
