import type { Metric } from '../../../core/vectors/index.ts';
import type { Counts } from '../counts.ts';
import type { Interests, ReadProfile } from '../interests.ts';
import type { RecommenderSettings } from '../settings.ts';
import type { Found, Query, Shelf } from '../shelf.ts';
import type { Recommendation } from '../types.ts';
import type { ItemVectors } from '../vectors.ts';

/** What every strategy works with. */
export interface RecommenderParts {
  readonly settings: RecommenderSettings;
  readonly shelf: Shelf;
  readonly vectors: ItemVectors;
  readonly interests: Interests;
  readonly metric: Metric;
}

/** One call for one user. */
export interface StrategyCall {
  readonly parts: RecommenderParts;
  readonly read: ReadProfile;
  readonly counts: Counts;
  readonly query: Query;
}

/** An item by its name and the signal that the user gave last to it. */
export interface Reason {
  readonly item: string;
  readonly signal: string;
}

/** An item that could be recommended. */
export interface Suggestion extends Found {
  readonly source: Recommendation<object, unknown>['source'];
  readonly because: readonly Reason[];
}

/** Suggests at most so many items, the best first, each once. Nothing known of the user is no error: it suggests nothing. */
export type Suggest = (call: StrategyCall, count: number) => Promise<Suggestion[]>;

const MOST_REASONS = 3;

/** The first reasons. */
export function reasons(items: readonly Reason[]): Reason[] {
  return items.slice(0, MOST_REASONS).map(({ item, signal }) => ({ item, signal }));
}

/** The best first; of the same score, by name: the same in every process. */
export function byScore(a: Found, b: Found): number {
  return b.score - a.score || (a.name < b.name ? -1 : 1);
}
