import type { EntitySource, ShapeOf } from '../../core/model/types.ts';

/** What leads to recommendations. */
export type Strategy = 'interests' | 'average' | 'bestScore' | 'coVisit' | 'popular' | 'blended';

/** An item, as it was read for the call. */
export type ItemOf<Source extends EntitySource> = ShapeOf<Source>['entity'];
/** What `get` of its repository takes. */
export type ItemIdOf<Source extends EntitySource> = ShapeOf<Source>['id'];

/** A reason: the user gave this signal to this item. */
export interface Because<Id, Signal extends string = string> {
  readonly item: Id;
  /** The latest that the user gave to it. */
  readonly signal: Signal;
}

/** One recommended item. */
export interface Recommendation<Item, Id, Signal extends string = string> {
  readonly item: Item;
  /** Comparable within one source only: see the page on recommendation. */
  readonly score: number;
  /** What led here: a strategy, `'content'` of items that are like another, or `'explore'`. */
  readonly source: Strategy | 'content' | 'explore';
  /** The heaviest reasons first, at most three; none of what is popular. */
  readonly because: readonly Because<Id, Signal>[];
}

/** An item that goes with another. */
export type SimilarItem<Item> = Omit<Recommendation<Item, unknown>, 'because'>;

/** One thing that a user did, as `recordMany` and `evaluate` take it. */
export interface UserEvent<Id, Signal extends string = string> {
  readonly user: string;
  readonly item: Id;
  readonly signal: Signal;
  /** Default: now. */
  readonly at?: Date | number | undefined;
  readonly idempotencyKey?: string | undefined;
}
