import { decayed, latest, together, type Weighed } from './decay.ts';

/** What was counted for one item. */
export interface Tallied extends Weighed {
  readonly item: string;
}

/** An item and what it weighs beside others of one list. */
export interface Ranked {
  readonly item: string;
  readonly weight: number;
}

/**
 * Counts one more, in place, in a list of bounded length. A full list gives the place of its lightest item to the new one, and its
 * weight with it, so that a newcomer can rise: no item is counted for less than it has, and every item that has more than the
 * `top`-th part of all that was counted is in the list.
 *
 * Source: Space-Saving (Metwally, Agrawal, El Abbadi 2005, "Efficient computation of frequent and top-k elements in data streams"),
 * with weights that decay.
 */
export function tally(list: Tallied[], one: Tallied, top: number, halfLife: number): void {
  const known = list.findIndex(({ item }) => item === one.item);
  const before = list[known];
  if (before !== undefined) {
    list[known] = { item: one.item, ...together(before, one, halfLife) };
    return;
  }
  if (list.length < top) {
    list.push(one);
    return;
  }
  const then = latest(list);
  let lightest = 0;
  for (let i = 1; i < list.length; i++) {
    if (weightAt(list[i], then, halfLife) < weightAt(list[lightest], then, halfLife)) lightest = i;
  }
  const inherited = { weight: weightAt(list[lightest], then, halfLife), at: then };
  list[lightest] = { item: one.item, ...together(inherited, one, halfLife) };
}

/** All items of some lists, the heaviest first, as at the latest instant among them. */
export function ranked(lists: readonly (readonly Tallied[])[], halfLife: number): Ranked[] {
  const then = latest(lists.flat());
  const weights = new Map<string, number>();
  for (const one of lists.flat()) {
    weights.set(one.item, (weights.get(one.item) ?? 0) + decayed(one, then, halfLife));
  }
  return inOrder([...weights].map(([item, weight]) => ({ item, weight })));
}

/** The heaviest first; what weighs the same, by name: the same in every process. */
export function inOrder(items: Ranked[]): Ranked[] {
  return items.sort((a, b) => b.weight - a.weight || (a.item < b.item ? -1 : 1));
}

function weightAt(one: Tallied | undefined, then: number, halfLife: number): number {
  return one === undefined ? Number.POSITIVE_INFINITY : decayed(one, then, halfLife);
}
