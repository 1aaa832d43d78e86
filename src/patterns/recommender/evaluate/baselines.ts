import { comparable, halving, mean } from '../geometry.ts';
import type { Profile, ProfileEvent } from '../profile.ts';
import { likedItems } from '../profile.ts';
import type { Query } from '../shelf.ts';
import type { RecommenderParts } from '../strategies/call.ts';

/** What one user did before the item that was left out. */
export interface Past {
  readonly profile: Profile;
  /** In the order of time, what was liked only. */
  readonly liked: readonly ProfileEvent[];
}

type Target = (
  parts: RecommenderParts,
  past: Past,
  signal: AbortSignal | undefined,
) => Promise<Float32Array | undefined>;

/** The mean of all that a user likes, whatever its weight and age. */
const meanVector: Target = async (parts, { profile }, signal) => {
  const names = likedItems(profile, parts.settings).map(({ item }) => item);
  const vectors = await parts.vectors.of(names, signal);
  return mean([...vectors.values()].map((vector) => ({ vector: comparable(vector, parts.metric), weight: 1 })));
};

/** Half of it is the last item. */
const halvingMean: Target = async (parts, { liked }, signal) => {
  const vectors = await parts.vectors.of(
    liked.map(({ item }) => item),
    signal,
  );
  return halving(liked.flatMap(({ item }) => vectors.get(item) ?? []));
};

/** What to be better than, beside what is popular. */
const BASELINES = { mean: meanVector, halving: halvingMean } as const;
type Baseline = keyof typeof BASELINES;

/** The nearest items to one vector of a user. */
export async function baselineList(
  name: Baseline,
  parts: RecommenderParts,
  past: Past,
  count: number,
  query: Query,
): Promise<string[]> {
  const target = await BASELINES[name](parts, past, query.signal);
  if (target === undefined || target.every((x) => x === 0)) return [];
  return (await parts.shelf.near(target, count, query)).map((found) => found.name);
}
