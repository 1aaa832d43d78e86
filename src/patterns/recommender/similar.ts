import type { SimilarSettings } from './call-options.ts';
import type { Counts } from './counts.ts';
import { poolOf, unlikeItems } from './diversify.ts';
import { comparable, dot, mean, unit } from './geometry.ts';
import type { ReadProfile } from './interests.ts';
import { exclusion } from './profile.ts';
import { type Query, without } from './shelf.ts';
import { fuse } from './strategies/blended.ts';
import type { RecommenderParts, Suggestion } from './strategies/call.ts';
import { shares } from './strategies/co-visit.ts';
import { ranked } from './tally.ts';

/** For whom items are chosen, and where counts come from. */
interface Known {
  /** `undefined`: for nobody. */
  readonly read: ReadProfile | undefined;
  readonly counts: Counts;
}

/** Items that go with one, which is left out; it is never counted with itself. Errors: `recommend.unknownItem`. */
export async function similarItems(
  parts: RecommenderParts,
  { read, counts }: Known,
  name: string,
  { strategy, limit, diversify, exclude, query: asked }: SimilarSettings,
): Promise<Suggestion[]> {
  const query = read === undefined ? asked : without(asked, exclusion(read.profile, parts.settings, exclude));
  const pool = diversify > 0 || strategy === 'blended' ? poolOf(limit) : limit;
  const byContent = (): Promise<Suggestion[]> => contentOf(parts, read, name, pool, query);
  const byCoVisits = (): Promise<Suggestion[]> => coVisitsOf(parts, counts, name, pool, query);
  const [first, second] = strategy === 'coVisit' ? [byCoVisits, byContent] : [byContent, byCoVisits];
  const one = await first();
  // By content it was read already.
  if (strategy === 'coVisit') await parts.shelf.check(name, query.signal);
  const other = strategy === 'blended' || one.length < limit ? await second() : [];
  const list = strategy === 'blended' ? fused(one, other) : unique([...one, ...other]);
  return unlikeItems(list, limit, diversify, parts.vectors, query.signal);
}

async function contentOf(
  parts: RecommenderParts,
  read: ReadProfile | undefined,
  name: string,
  count: number,
  query: Query,
): Promise<Suggestion[]> {
  const towards = read && (await bent(parts, read, name, query.signal));
  const found =
    towards === undefined
      ? await parts.shelf.like(name, count, query)
      : await parts.shelf.near(
          towards,
          count,
          without(query, (other) => other === name),
        );
  return found.map((one) => ({ ...one, source: 'content', because: [] }));
}

/**
 * The vector of an item, moved towards the interest of a user that it belongs to: as far as it does. `undefined` where there is
 * nothing to move, or nowhere.
 */
async function bent(
  { shelf, vectors, interests, metric }: RecommenderParts,
  read: ReadProfile,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Float32Array | undefined> {
  const centres = (await interests.of(read, signal)).map(({ centre }) => comparable(centre, metric));
  const own = (await vectors.of([name], signal)).get(name);
  if (own === undefined || centres.length === 0) return undefined;
  // A vector that is remembered may be of an item that is gone.
  await shelf.check(name, signal);
  const item = comparable(own, metric);
  const [nearest] = centres
    .map((vector) => ({ vector, weight: Math.max(0, dot(unit(vector), unit(item))) }))
    .sort((a, b) => b.weight - a.weight);
  return nearest && mean([{ vector: item, weight: 1 }, nearest]);
}

async function coVisitsOf(
  { shelf, settings }: RecommenderParts,
  counts: Counts,
  name: string,
  count: number,
  query: Query,
): Promise<Suggestion[]> {
  const [list = []] = await counts.beside([name], query.signal);
  const found = await shelf.take(shares(ranked([list], settings.halfLife)), count, query);
  return found.map((one) => ({ ...one, source: 'coVisit', because: [] }));
}

function fused(one: readonly Suggestion[], other: readonly Suggestion[]): Suggestion[] {
  return fuse(
    [
      [one, 1],
      [other, 1],
    ],
    'blended',
  );
}

function unique(list: readonly Suggestion[]): Suggestion[] {
  const names = new Set<string>();
  return list.filter(({ name }) => {
    const isNew = !names.has(name);
    names.add(name);
    return isNew;
  });
}
