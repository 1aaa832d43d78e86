import type { Interest, ReadProfile } from './interests.ts';
import type { ItemIds } from './item-ids.ts';
import { newestOf, weighed } from './profile.ts';
import type { RecommenderSettings } from './settings.ts';

/** An item that a user has met. */
export interface MetItem<Id, Signal extends string = string> {
  readonly item: Id;
  /** All that the user said of it, decayed to the newest event of the profile. */
  readonly weight: number;
  /** The last signal, and when it was. */
  readonly signal: Signal;
  readonly at: Date;
}

/** What is known of a user. */
export interface UserProfile<Id, Signal extends string = string> {
  readonly user: string;
  /** When the user did something last; `undefined` of a user of whom nothing is known. */
  readonly newest: Date | undefined;
  /** The heaviest first, liked or not. */
  readonly items: readonly MetItem<Id, Signal>[];
  /** The parts of the taste, the largest first; shares add up to 1. */
  readonly interests: readonly { readonly share: number; readonly items: readonly Id[] }[];
}

export function profileView(
  { user, profile }: ReadProfile,
  interests: readonly Interest[],
  ids: ItemIds,
  { halfLife }: RecommenderSettings,
): UserProfile<unknown> {
  return {
    user,
    newest: profile.items.length === 0 ? undefined : new Date(newestOf(profile)),
    items: weighed(profile, halfLife).map(({ item, weight, signal, at }) => ({
      item: ids.idOf(item),
      weight,
      signal,
      at: new Date(at),
    })),
    interests: interests.map(({ share, items }) => ({ share, items: items.map(({ item }) => ids.idOf(item)) })),
  };
}
