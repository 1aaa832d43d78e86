import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { pickInt, seededRandom } from '../../core/seeded-random.ts';
import type { RecommendSettings } from './call-options.ts';
import type { Counts } from './counts.ts';
import { poolOf, unlikeItems } from './diversify.ts';
import { explored } from './explore.ts';
import type { ReadProfile } from './interests.ts';
import { exclusion } from './profile.ts';
import { type Query, without } from './shelf.ts';
import type { RecommenderParts, Suggestion } from './strategies/call.ts';
import { SUGGEST } from './strategies/index.ts';

/** Where the strategies of a call take what they know from. */
export interface Known {
  readonly read: ReadProfile;
  readonly counts: Counts;
}

/** Items for a user: those of the first strategy, and of the next ones only what is missing. */
export function recommend(
  parts: RecommenderParts,
  known: Known,
  settings: RecommendSettings,
  { random }: Pick<Environment, 'random'>,
): Promise<Suggestion[]> {
  const { query, limit, diversify, explore, exclude } = settings;
  const isMet = exclusion(known.read.profile, parts.settings, exclude);
  const whole = without(query, isMet);
  const seed = settings.seed ?? pickInt(random, Number.MAX_SAFE_INTEGER);
  return twice(parts, async () => {
    const pool = diversify > 0 ? poolOf(limit) : limit;
    const list = await collected(parts, known, whole, settings, pool);
    const chosen = await unlikeItems(list, limit, diversify, parts.vectors, query.signal);
    if (explore === 0) return chosen;
    const call = { parts, ...known, query: whole };
    return explored(chosen, limit, explore, { random: seededRandom(seed), call });
  });
}

/** Once more with fresh vectors, where those that are remembered are of a model that the embedding has left. */
export async function twice<T>(parts: RecommenderParts, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(NorimakiError.is(error, 'argument.invalid') && error.details.argument === 'vector')) throw error;
    parts.interests.clear();
    return call();
  }
}

async function collected(
  parts: RecommenderParts,
  known: Known,
  query: Query,
  { strategies, limit }: RecommendSettings,
  pool: number,
): Promise<Suggestion[]> {
  const list: Suggestion[] = [];
  const names = new Set<string>();
  const call = { parts, ...known, query: without(query, (name) => names.has(name)) };
  for (const strategy of strategies) {
    if (list.length >= limit) break;
    const more = await SUGGEST[strategy](call, pool - list.length);
    for (const one of more) names.add(one.name);
    list.push(...more);
  }
  return list;
}
