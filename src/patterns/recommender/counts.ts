import type { Effect } from './profile.ts';
import type { RecommenderSettings } from './settings.ts';
import { type Ranked, type Tallied, tally } from './tally.ts';

type Rules = Pick<RecommenderSettings, 'halfLife' | 'popular' | 'coVisit'>;

/** What was counted over all users: derived of their profiles, and no safety hangs on it. */
export interface Counts {
  /** The most popular first. */
  popular(signal: AbortSignal | undefined): Promise<readonly Ranked[]>;
  /** For each of these items, those that were liked together with it. */
  beside(items: readonly string[], signal: AbortSignal | undefined): Promise<readonly (readonly Tallied[])[]>;
}

/** Counts of one record. */
export interface Addition {
  readonly into: string;
  readonly counts: readonly Tallied[];
}

/** What effects add to popularity. */
export function popularityOf(effects: readonly Effect[]): Tallied[] {
  return effects.filter(({ gain }) => gain > 0).map(({ item, gain, at }) => ({ item, weight: gain, at }));
}

/** What effects add to the lists of items, both ways. */
export function coVisitsOf(effects: readonly Effect[]): Addition[] {
  const additions = new Map<string, Tallied[]>();
  const add = (into: string, item: string, at: number): void => {
    const counts = additions.get(into) ?? [];
    additions.set(into, counts);
    counts.push({ item, weight: 1, at });
  };
  for (const { item, at, beside } of effects) {
    for (const other of beside) {
      add(item, other, at);
      add(other, item, at);
    }
  }
  return [...additions].map(([into, counts]) => ({ into, counts }));
}

/** Counts, in place, in the list of one record. */
export function tallyAll(list: Tallied[], counts: readonly Tallied[], top: number, { halfLife }: Rules): void {
  for (const count of counts) tally(list, count, top, halfLife);
}
