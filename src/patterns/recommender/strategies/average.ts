import { comparable, mean, type WeighedVector } from '../geometry.ts';
import { dislikedItems, likedItems, type ProfileItem } from '../profile.ts';
import { reasons, type StrategyCall, type Suggestion } from './call.ts';

const MOST_ITEMS = 64;

/**
 * The nearest items to one vector: the mean of what the user likes, moved away from the mean of what they do not like.
 * Source: `average_vector` of Qdrant, 2 × liked − disliked.
 */
export async function suggestByAverage(call: StrategyCall, count: number): Promise<Suggestion[]> {
  const { parts, read, query } = call;
  const liked = likedItems(read.profile, parts.settings).slice(0, MOST_ITEMS);
  const disliked = dislikedItems(read.profile, parts.settings).slice(0, MOST_ITEMS);
  const vectors = await parts.vectors.of(
    [...liked, ...disliked].map(({ item }) => item),
    query.signal,
  );
  const meanOf = (items: readonly ProfileItem[]): Float32Array | undefined =>
    mean(
      items.flatMap(({ item, weight }): WeighedVector[] => {
        const vector = vectors.get(item);
        return vector === undefined ? [] : [{ vector: comparable(vector, parts.metric), weight: Math.abs(weight) }];
      }),
    );
  const towards = meanOf(liked);
  if (towards === undefined) return [];
  const away = meanOf(disliked);
  const target = away === undefined ? towards : towards.map((x, i) => 2 * x - (away[i] ?? 0));
  const found = await parts.shelf.near(target, count, query);
  return found.map((one) => ({ ...one, source: 'average', because: reasons(liked) }));
}
