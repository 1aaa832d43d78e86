import { checkWhole, refuse } from '../shared/options.ts';
import type { ItemIds } from './item-ids.ts';
import { checkShare, checkStrategies, checkStrategy, type RecommenderSettings } from './settings.ts';
import type { Query } from './shelf.ts';
import type { Strategy } from './types.ts';

/** Which items a call may give. */
export interface ItemOptions<Item, Where, Id> {
  /** At most so many, 1 to 200; default 10. */
  readonly limit?: number | undefined;
  /** Conditions on fields, as in `find`. */
  readonly where?: Where | undefined;
  /** A test of the item as it is read, such as whether it is in stock. Must not change it. */
  readonly filter?: ((item: Item) => boolean) | undefined;
  /** Items to leave out: what is in the cart, or on the page already. */
  readonly except?: readonly Id[] | undefined;
  /** How far items should be unlike each other, 0 (default) to 1. Reads the vectors of four times as many items. */
  readonly diversify?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `for` takes. */
export interface RecommendOptions<Item, Where, Id> extends ItemOptions<Item, Where, Id> {
  /** Default: that of the recommender. */
  readonly strategy?: Strategy | undefined;
  /** What fills up a list that came out too short; default: that of the recommender. */
  readonly fallback?: readonly Strategy[] | undefined;
  /** `'seen'` (default): nothing that the user has met. `'rejected'`: nothing that the user does not like; that never comes back. */
  readonly exclude?: 'seen' | 'rejected' | undefined;
  /** The chance of each place to go to an item from anywhere, 0 (default) to 1. */
  readonly explore?: number | undefined;
  /** A whole number; the same one gives the same list, of the same store. Default: chance. */
  readonly seed?: number | undefined;
}

/** What `similar` takes. */
export interface SimilarOptions<Item, Where, Id> extends ItemOptions<Item, Where, Id> {
  /** For whom: leaves out what that user has met, and of what is like the item prefers what is like their interest in it. */
  readonly user?: string | undefined;
  /** As in `for`; says nothing without a `user`. */
  readonly exclude?: 'seen' | 'rejected' | undefined;
  /** `'content'` (default): by its vector. `'coVisit'`: by who likes it. `'blended'`: both. What is missing is filled up by the other. */
  readonly strategy?: 'content' | 'coVisit' | 'blended' | undefined;
}

/** The options of a call, checked. */
interface ItemSettings {
  readonly limit: number;
  readonly diversify: number;
  /** Without what the user has met. */
  readonly query: Query;
}

export interface SimilarSettings extends ItemSettings {
  readonly strategy: 'content' | 'coVisit' | 'blended';
  readonly exclude: 'seen' | 'rejected';
}

export interface RecommendSettings extends ItemSettings {
  readonly strategies: readonly Strategy[];
  readonly exclude: 'seen' | 'rejected';
  readonly explore: number;
  readonly seed: number | undefined;
}

const MAX_LIMIT = 200;

/** Errors: `argument.invalid`. */
function itemSettings(options: ItemOptions<never, object, unknown>, ids: ItemIds): ItemSettings {
  const { limit = 10, where, filter, except = [], diversify = 0, signal } = options;
  if (filter !== undefined && typeof filter !== 'function')
    refuse('filter', 'filter is a function: (item) => boolean.');
  const names = new Set(except.map((id) => ids.nameOf(id)));
  return {
    limit: checkWhole(limit, 'limit', 1, MAX_LIMIT),
    diversify: checkShare(diversify, 'diversify'),
    query: {
      where,
      // Only handed items of the repository whose item it was typed for.
      filter: filter as Query['filter'],
      isExcluded: (name) => names.has(name),
      signal,
    },
  };
}

/** Errors: `argument.invalid`. */
export function similarSettings(options: SimilarOptions<never, object, unknown>, ids: ItemIds): SimilarSettings {
  const { strategy = 'content', exclude } = options;
  if (!['content', 'coVisit', 'blended'].includes(strategy)) {
    refuse('strategy', "strategy is 'content', 'coVisit' or 'blended'.");
  }
  return { ...itemSettings(options, ids), strategy, exclude: checkExclude(exclude) };
}

function checkExclude(exclude: RecommendOptions<never, object, unknown>['exclude'] = 'seen'): 'seen' | 'rejected' {
  if (exclude !== 'seen' && exclude !== 'rejected') refuse('exclude', "exclude is 'seen' or 'rejected'.");
  return exclude;
}

/** Errors: `argument.invalid`. */
export function recommendSettings(
  options: RecommendOptions<never, object, unknown>,
  ids: ItemIds,
  settings: RecommenderSettings,
): RecommendSettings {
  const { strategy, fallback, exclude, explore = 0, seed } = options;
  if (seed !== undefined && !Number.isSafeInteger(seed)) refuse('seed', 'seed is a whole number.');
  const counts = { coVisit: settings.coVisit !== undefined, popular: settings.popular !== undefined };
  const first = strategy === undefined ? settings.strategy : checkStrategy(strategy, 'strategy', counts);
  const others = fallback === undefined ? settings.fallback : checkStrategies(fallback, 'fallback', counts);
  return {
    ...itemSettings(options, ids),
    strategies: [...new Set([first, ...others])],
    exclude: checkExclude(exclude),
    explore: checkShare(explore, 'explore'),
    seed,
  };
}
