import type { IdPart } from '../../core/model/model.ts';
import { MAX_K, type VectorMatch } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import { findAmong } from './among.ts';
import { scoreOf } from './score.ts';
import type { VectorSpace } from './space.ts';
import { clearAway, type Verdict, type VerifiedMatch, verifyMatches } from './verify.ts';
import type { IsWanted } from './where.ts';

/** A search of one space. */
export interface SpaceQuery {
  readonly space: VectorSpace;
  readonly vector: Float32Array;
  /** Verified hits to find. */
  readonly limit: number;
  readonly isWanted: IsWanted | undefined;
  readonly minScore: number | undefined;
  /** The ids of the entities that meet the conditions, by an index, unless there are more than `most`. */
  readonly candidates: ((most: number) => Promise<IdPart[][] | undefined>) | undefined;
  /** The ids of all entities, unless there are more than `most`; where passages of few could hide the others. */
  readonly everything: ((most: number) => Promise<IdPart[][] | undefined>) | undefined;
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

/** A record that holds what was scored, and does not meet the conditions. */
const UNWANTED = Symbol('unwanted');
type Unwanted = typeof UNWANTED;

/** With a filter many matches will not do: the first question asks for more. */
const FILTER_FACTOR = 8;

/** A text has several vectors near to one that is near: the first question asks for more. */
const PASSAGE_FACTOR = 4;

/** The most that are scored one by one when the graph has not led to enough hits. */
const MANY = 50_000;

/** Searches again for what was replaced between the search and the read of its record. */
const MAX_AGAIN = 3;

/**
 * Asks the index for more and more of the nearest, until enough of them are verified hits, or it has no more. Where the
 * entities that meet the conditions are fewer than the vectors that it would have to look at, those are scored instead.
 */
export async function findNearest(context: RepositoryContext, query: SpaceQuery): Promise<Found> {
  const { space, vector, limit, minScore, candidates, signal } = query;
  const verdicts = new Map<string, Verdict | Unwanted>();
  let k = firstQuestion(query);
  for (let again = 0; ; ) {
    k = Math.min(k, MAX_K);
    const matches = await context.client.vectors.search(space.namespace, vector, k, { signal });
    const hits = await verifiedHits(context, query, matches, verdicts);
    const last = matches.at(-1);
    const isBelow =
      minScore !== undefined && last !== undefined && scoreOf(space.spec.metric, last.distance) < minScore;
    const exhausted = matches.length < k || isBelow;
    const isShort = hits.length < limit;
    const garbage = matches.filter(({ id }) => verdicts.get(id) === 'garbage');
    if (isShort && exhausted && garbage.length > 0 && again++ < MAX_AGAIN) continue;
    if (isShort && !exhausted) {
      // As many as the share of hits so far asks for, with some to spare.
      const needed = hits.length === 0 ? MAX_K : Math.ceil((k * limit * 1.5) / hits.length);
      const wider = Math.max(2 * k, needed);
      const few = await candidates?.(k < MAX_K ? Math.min(wider, MAX_K) : MANY);
      if (few !== undefined) return findAmong(context, query, few);
      k = wider;
      if (matches.length < MAX_K) continue;
      const all = await query.everything?.(MANY);
      const looked = all && (await findAmong(context, query, all, MANY));
      if (looked?.exhausted) return looked;
    }
    await clearAway(context, space, garbage);
    const dropped = [...verdicts.values()].filter((verdict) => typeof verdict === 'string').length;
    return { hits: hits.slice(0, limit), exhausted, dropped };
  }
}

function firstQuestion({ space, isWanted, limit, except }: SpaceQuery): number {
  const factor = (isWanted === undefined ? 1 : FILTER_FACTOR) * (space.spec.chunk === undefined ? 1 : PASSAGE_FACTOR);
  return factor === 1 && except !== undefined ? limit + 1 : limit * factor;
}

/** Reads the records of matches from the nearest on, until there are enough hits. */
async function verifiedHits(
  context: RepositoryContext,
  query: SpaceQuery,
  matches: readonly VectorMatch[],
  verdicts: Map<string, Verdict | Unwanted>,
): Promise<VerifiedMatch[]> {
  const { isWanted } = query;
  const chunk = isWanted === undefined ? MAX_K : 2 * query.limit;
  const unseen = matches.filter(({ id }) => !verdicts.has(id));
  let hits = hitsOf(query, matches, verdicts);
  for (let from = 0; from < unseen.length && hits.length < query.limit; from += chunk) {
    const some = unseen.slice(from, from + chunk);
    const judged = await verifyMatches(context, query.space, some, query.signal);
    // The passages of one read of a record have the same values.
    const answers = new Map<object, boolean>();
    const isOut = ({ values, version }: VerifiedMatch): boolean => {
      const isIn = answers.get(values) ?? isWanted?.(values, version) ?? true;
      answers.set(values, isIn);
      return !isIn;
    };
    for (const [i, { id }] of some.entries()) {
      const verdict = judged[i] as Verdict; // One for each match.
      verdicts.set(id, typeof verdict !== 'string' && isOut(verdict) ? UNWANTED : verdict);
    }
    hits = hitsOf(query, matches, verdicts);
  }
  return hits;
}

function hitsOf(
  { space, minScore, except }: SpaceQuery,
  matches: readonly VectorMatch[],
  verdicts: ReadonlyMap<string, Verdict | Unwanted>,
): VerifiedMatch[] {
  // A record counts once, by the nearest of its passages: the matches are in order.
  const seen = space.spec.chunk === undefined ? undefined : new Set<string>();
  return matches.flatMap(({ id, distance }) => {
    const verdict = verdicts.get(id);
    if (verdict === undefined || verdict === UNWANTED || typeof verdict === 'string') return [];
    if (verdict.name === except) return [];
    if (minScore !== undefined && scoreOf(space.spec.metric, distance) < minScore) return [];
    if (seen?.has(verdict.name)) return [];
    seen?.add(verdict.name);
    return [{ ...verdict, match: { id, distance } }];
  });
}
