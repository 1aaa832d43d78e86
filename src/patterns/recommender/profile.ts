import { keyHash, remembersKey, withKey } from '../shared/key-ring.ts';
import { decayed, latest, together } from './decay.ts';
import type { RecommenderSettings } from './settings.ts';

/** So many idempotency keys are remembered by a profile. */
export const REMEMBERED_EVENTS = 256;

/** Characters of what a profile remembers of an item that it no longer weighs: 36 bits. */
export const PRINT_LENGTH = 6;

/** What a user and an item have to do with each other. Items are named as {@link ItemIds} does. */
export interface ProfileItem {
  item: string;
  /** All signals, decayed to the last of them. */
  weight: number;
  /** When that was. */
  at: number;
  /** The last one. */
  signal: string;
  /** The most that one signal for it ever weighed, if that was above 0: what popularity has counted. */
  best: number;
}

/** What is known of a user. It holds no vectors: those are of the items, and may change. */
export interface Profile {
  items: ProfileItem[];
  /** The idempotency keys of the last events. */
  events: string;
  /** Items that were pushed out of `items`, and those of them whose last signal was below 0; the oldest fall off. */
  seen: string;
  rejected: string;
}

/** One thing that a user did. */
export interface ProfileEvent {
  readonly item: string;
  readonly signal: string;
  readonly weight: number;
  readonly at: number;
  /** The hash of its idempotency key. */
  readonly key: string | undefined;
}

/** What is to be counted beyond the profile, once the event is in it. */
export interface Effect {
  readonly item: string;
  readonly at: number;
  /** How much more popular the item is. */
  readonly gain: number;
  /** Of an item that is liked for the first time, those that the user liked last. */
  readonly beside: readonly string[];
}

export type Applied = { readonly replayed: true } | { readonly replayed: false; readonly effect: Effect };
type Rules = Pick<RecommenderSettings, 'history' | 'seen' | 'halfLife' | 'signals' | 'coVisit'>;

export function blankProfile(): Profile {
  return { items: [], events: '', seen: '', rejected: '' };
}

/**
 * Puts an event into a profile, in place. In which order events come does not matter, but for rounding and for what is pushed out:
 * weights decay to the time of events, not to that of a clock.
 */
export function applyEvent(profile: Profile, event: ProfileEvent, rules: Rules): Applied {
  const { key, item, at, weight } = event;
  if (key !== undefined) {
    if (remembersKey(profile.events, key)) return { replayed: true };
    profile.events = withKey(profile.events, key, REMEMBERED_EVENTS);
  }
  const known = profile.items.find((one) => one.item === item);
  const best = known?.best ?? 0;
  const gain = Math.max(0, weight - best);
  const beside = gain > 0 && best === 0 ? likedLast(profile, item, rules.coVisit?.window ?? 0) : [];
  if (known === undefined) profile.items.push({ ...named(event), best: Math.max(0, weight) });
  else merge(known, event, rules);
  while (profile.items.length > rules.history) pushOut(profile, rules);
  return { replayed: false, effect: { item, at, gain, beside } };
}

/** When the user did something last; 0 of a user who has done nothing. */
export function newestOf({ items }: Profile): number {
  return latest(items);
}

/** The items that a user likes, the heaviest first, and how much so as at the newest event. */
export function likedItems(profile: Profile, rules: Pick<Rules, 'signals' | 'halfLife'>): ProfileItem[] {
  return weighed(profile, rules.halfLife).filter((one) => one.weight > 0 && !isNegative(one, rules));
}

/** The items that a user does not like, the heaviest first. */
export function dislikedItems(profile: Profile, rules: Pick<Rules, 'signals' | 'halfLife'>): ProfileItem[] {
  return weighed(profile, rules.halfLife).filter((one) => one.weight < 0 || isNegative(one, rules));
}

/** All items with their weights as at the newest event, the heaviest first, whether liked or not. */
export function weighed(profile: Profile, halfLife: number): ProfileItem[] {
  const then = newestOf(profile);
  return profile.items
    .map((one) => ({ ...one, weight: decayed(one, then, halfLife) }))
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || byTime(a, b));
}

/** Tells which items a user has met, or does not want to meet again. */
export function exclusion(
  profile: Profile,
  rules: Pick<Rules, 'signals'>,
  exclude: 'seen' | 'rejected',
): (item: string) => boolean {
  const known = new Map(profile.items.map((one) => [one.item, one]));
  const pushedOut = printsOf(exclude === 'seen' ? profile.seen : profile.rejected);
  return (item) => {
    const one = known.get(item);
    if (one !== undefined) return exclude === 'seen' || isNegative(one, rules);
    return pushedOut.size > 0 && pushedOut.has(printOf(item));
  };
}

function isNegative({ signal }: ProfileItem, { signals }: Pick<Rules, 'signals'>): boolean {
  return (signals.get(signal) ?? 0) < 0;
}

function merge(known: ProfileItem, event: ProfileEvent, { halfLife, signals }: Rules): void {
  const isLater =
    event.at === known.at
      ? // Of two at one instant, the same one in whichever order they come.
        precedes([event.weight, event.signal], [signals.get(known.signal) ?? 0, known.signal])
      : event.at > known.at;
  Object.assign(known, together(known, event, halfLife));
  if (isLater) known.signal = event.signal;
  known.best = Math.max(known.best, event.weight);
}

function precedes(one: readonly [number, string], other: readonly [number, string]): boolean {
  return one[0] === other[0] ? one[1] < other[1] : one[0] < other[0];
}

function named({ item, weight, at, signal }: ProfileEvent): Omit<ProfileItem, 'best'> {
  return { item, weight, at, signal };
}

/**
 * The lightest item gives up its place; that it was seen is still known. Never one of the quarter that was met last: what is new
 * begins light, and could otherwise never become heavy.
 */
function pushOut(profile: Profile, rules: Rules): void {
  const all = weighed(profile, rules.halfLife);
  const safe = new Set(
    [...all]
      .sort(byTime)
      .slice(0, rules.history >> 2)
      .map(({ item }) => item),
  );
  const lightest = all.findLast(({ item }) => !safe.has(item));
  if (lightest === undefined) return;
  profile.items.splice(
    profile.items.findIndex(({ item }) => item === lightest.item),
    1,
  );
  const print = printOf(lightest.item);
  if (!remembersKey(profile.seen, print)) profile.seen = withKey(profile.seen, print, rules.seen);
  if (isNegative(lightest, rules) && !remembersKey(profile.rejected, print)) {
    profile.rejected = withKey(profile.rejected, print, rules.seen);
  }
}

function likedLast(profile: Profile, except: string, count: number): string[] {
  return profile.items
    .filter(({ item, best, weight }) => item !== except && best > 0 && weight > 0)
    .sort(byTime)
    .slice(0, count)
    .map(({ item }) => item);
}

/** The latest first. */
function byTime(a: ProfileItem, b: ProfileItem): number {
  return b.at - a.at || (a.item < b.item ? -1 : 1);
}

function printOf(item: string): string {
  return keyHash(item, PRINT_LENGTH);
}

function printsOf(ring: string): ReadonlySet<string> {
  const prints = new Set<string>();
  for (let at = 0; at < ring.length; at += PRINT_LENGTH) prints.add(ring.slice(at, at + PRINT_LENGTH));
  return prints;
}
