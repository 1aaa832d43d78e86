import { MAX_K, type VectorMatch } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import type { Values } from '../entity.ts';
import { scoreOf } from './score.ts';
import type { VectorSpace } from './space.ts';
import { clearAway, type Verdict, type VerifiedMatch, verifyMatches } from './verify.ts';

/** A search of one space. */
export interface SpaceQuery {
  readonly space: VectorSpace;
  readonly vector: Float32Array;
  /** Verified hits to find. */
  readonly limit: number;
  readonly isWanted: ((values: Readonly<Values>) => boolean) | undefined;
  readonly minScore: number | undefined;
  /** The key, as text, of a record to leave out. */
  readonly except: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Found {
  readonly hits: readonly VerifiedMatch[];
  /** Everything that could be a hit was looked at. */
  readonly exhausted: boolean;
  /** Matches that were not returned, because their record had changed or gone. */
  readonly dropped: number;
}

/** With a filter many matches will not do: the first question asks for more. */
const FILTER_FACTOR = 8;

/** Searches again for what was replaced between the search and the read of its record. */
const MAX_AGAIN = 3;

/** Asks the index for more and more of the nearest, until enough of them are verified hits, or it has no more. */
export async function findNearest(context: RepositoryContext, query: SpaceQuery): Promise<Found> {
  const { space, vector, limit, minScore, signal } = query;
  const verdicts = new Map<string, Verdict>();
  let k = Math.min(
    MAX_K,
    query.isWanted === undefined ? limit + (query.except === undefined ? 0 : 1) : limit * FILTER_FACTOR,
  );
  for (let again = 0; ; ) {
    const matches = await context.client.vectors.search(space.namespace, vector, k, { signal });
    const unseen = matches.filter(({ id }) => !verdicts.has(id));
    for (const [i, verdict] of (await verifyMatches(context, space, unseen, signal)).entries()) {
      // One verdict for each match.
      verdicts.set((unseen[i] as VectorMatch).id, verdict);
    }
    const hits = hitsOf(query, matches, verdicts);
    const last = matches.at(-1);
    const isBelow =
      minScore !== undefined && last !== undefined && scoreOf(space.spec.metric, last.distance) < minScore;
    const exhausted = matches.length < k || isBelow;
    const isMoving = hits.length < limit && unseen.some(({ id }) => verdicts.get(id) === 'garbage');
    if (exhausted && isMoving && again++ < MAX_AGAIN) continue;
    if (hits.length >= limit || exhausted || k === MAX_K) {
      const seen = [...verdicts];
      await clearAway(
        context,
        space,
        matches.filter(({ id }) => verdicts.get(id) === 'garbage'),
      );
      const dropped = seen.filter(([, verdict]) => typeof verdict === 'string').length;
      return { hits: hits.slice(0, limit), exhausted, dropped };
    }
    // As many more as the share of hits so far asks for, with some to spare.
    const needed = hits.length === 0 ? MAX_K : Math.ceil((k * limit * 1.5) / hits.length);
    k = Math.min(MAX_K, Math.max(2 * k, needed));
  }
}

function hitsOf(
  { space, isWanted, minScore, except }: SpaceQuery,
  matches: readonly VectorMatch[],
  verdicts: ReadonlyMap<string, Verdict>,
): VerifiedMatch[] {
  return matches.flatMap(({ id, distance }) => {
    const verdict = verdicts.get(id);
    if (verdict === undefined || typeof verdict === 'string' || verdict.name === except) return [];
    if (isWanted !== undefined && !isWanted(verdict.values)) return [];
    if (minScore !== undefined && scoreOf(space.spec.metric, distance) < minScore) return [];
    return [{ ...verdict, match: { id, distance } }];
  });
}
