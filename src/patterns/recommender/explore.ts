import type { Random } from '../../core/clock.ts';
import type { StrategyCall, Suggestion } from './strategies/call.ts';

/**
 * Gives each place of a list, with a chance of `share`, to an item from anywhere: one of the nearest to a random direction. Without it
 * a recommender only ever learns of what it recommends.
 */
export async function explored(
  list: readonly Suggestion[],
  count: number,
  share: number,
  { random, call }: { readonly random: Random; readonly call: StrategyCall },
): Promise<Suggestion[]> {
  const places = Array.from({ length: Math.min(count, list.length) }, () => random.float() < share);
  const wanted = places.filter(Boolean).length;
  if (wanted === 0) return list.slice(0, count);
  const strangers = await anywhere(list, wanted, random, call);
  const known = [...list];
  const result = places.flatMap((isOpen) => {
    const next = (isOpen ? strangers.shift() : undefined) ?? known.shift();
    return next === undefined ? [] : [next];
  });
  return result;
}

async function anywhere(
  list: readonly Suggestion[],
  count: number,
  random: Random,
  { parts, query }: StrategyCall,
): Promise<Suggestion[]> {
  const vectors = await parts.vectors.of(
    list.slice(0, 8).map(({ name }) => name),
    query.signal,
  );
  const [example] = vectors.values();
  if (example === undefined) return [];
  const names = new Set(list.map(({ name }) => name));
  const isExcluded = (name: string): boolean => names.has(name) || query.isExcluded(name);
  const found: Suggestion[] = [];
  // A direction for each place, or they would all be of one kind.
  for (let i = 0; i < count; i++) {
    const direction = Float32Array.from(example, () => gaussian(random));
    const [one] = await parts.shelf.near(direction, 1, { ...query, isExcluded });
    if (one === undefined) break;
    names.add(one.name);
    found.push({ ...one, source: 'explore', because: [] });
  }
  return found;
}

/** Box and Muller 1958. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
}
