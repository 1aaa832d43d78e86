import { dot, unit } from '../geometry.ts';
import { dislikedItems, likedItems, type ProfileItem } from '../profile.ts';
import type { Found } from '../shelf.ts';
import { byScore, reasons, type StrategyCall, type Suggestion } from './call.ts';

/** So many liked items are searched by. */
const MOST_SEARCHES = 8;
const MOST_DISLIKED = 32;

/**
 * Items by their likeness to the one liked item that is most like them, unless one that is disliked is more so.
 * Source: `best_score` of Qdrant.
 */
export async function suggestByBestScore(call: StrategyCall, count: number): Promise<Suggestion[]> {
  const { parts, read, query } = call;
  const liked = likedItems(read.profile, parts.settings).slice(0, MOST_SEARCHES);
  const disliked = dislikedItems(read.profile, parts.settings).slice(0, MOST_DISLIKED);
  const known = await directions(call, [...liked, ...disliked].map(nameOf));
  const found = new Map<string, Found>();
  const searches = liked.flatMap(({ item }) => {
    const vector = known.get(item);
    return vector === undefined ? [] : [parts.shelf.near(vector, count, query)];
  });
  for (const list of await Promise.all(searches)) for (const one of list) found.set(one.name, one);
  const vectors = await directions(call, [...found.keys()]);
  const suggestions = [...found.values()].flatMap((one): Suggestion[] => {
    const vector = vectors.get(one.name);
    if (vector === undefined) return [];
    const likeness = (items: readonly ProfileItem[]): [number, ProfileItem | undefined] =>
      closest(vector, items, known);
    const [towards, reason] = likeness(liked);
    const [away] = likeness(disliked);
    const score = towards > away ? towards : -(away ** 2);
    return [{ ...one, score, source: 'bestScore', because: reasons(reason === undefined ? [] : [reason]) }];
  });
  return suggestions.sort(byScore).slice(0, count);
}

function closest(
  vector: Float32Array,
  items: readonly ProfileItem[],
  vectors: ReadonlyMap<string, Float32Array>,
): [number, ProfileItem | undefined] {
  let best: [number, ProfileItem | undefined] = [Number.NEGATIVE_INFINITY, undefined];
  for (const one of items) {
    const other = vectors.get(one.item);
    const likeness = other === undefined ? Number.NEGATIVE_INFINITY : dot(vector, other);
    if (likeness > best[0]) best = [likeness, one];
  }
  return best;
}

async function directions(
  { parts, query }: StrategyCall,
  names: readonly string[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const vectors = await parts.vectors.of(names, query.signal);
  return new Map([...vectors].map(([name, vector]) => [name, unit(vector)]));
}

function nameOf({ item }: ProfileItem): string {
  return item;
}
