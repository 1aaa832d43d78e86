import { type Duration, milliseconds } from '../../core/duration.ts';
import { refuse } from '../shared/options.ts';
import { MAX_LIFE } from './records.ts';
import { checkTags } from './settings.ts';

/** What a loader returns if there is no value, and that is worth remembering: see {@link LoadContext.absent}. */
export class Absent {
  /** Milliseconds; `undefined`: as long as a value. */
  readonly ttl: number | undefined;

  /** By `absent` only. */
  constructor(ttl: number | undefined) {
    this.ttl = ttl;
  }
}

/** What a loader is handed. */
export interface LoadContext<T> {
  readonly key: string;
  /** Fires when nobody waits any more, or the time is up. */
  readonly signal: AbortSignal;
  /** The value that is being replaced, if there is one: for a conditional request, say. */
  readonly stale: T | undefined;
  /** Adds tags to the value. */
  tag(...tags: string[]): void;
  /** Another ttl for this value; and another time to serve it stale. */
  setTtl(ttl: Duration, stale?: Duration): void;
  /** There is no value: `return absent('30s')` remembers that for so long, by default as long as a value. */
  absent(ttl?: Duration): Absent;
}

/** Makes the value of a key. `undefined`: there is none, and that is not remembered. */
export type Loader<T, R extends T | Absent | undefined = T | Absent | undefined> = (
  context: LoadContext<T>,
) => R | Promise<R>;

/** How a value is to be stored; times in milliseconds. */
export interface Wishes {
  ttl: number;
  stale: number;
  readonly tags: Set<string>;
}

/** What a loader is handed, and what it wishes for meanwhile. */
export function loadContext<T>(key: string, signal: AbortSignal, stale: T | undefined, wishes: Wishes): LoadContext<T> {
  return {
    key,
    signal,
    stale,
    tag: (...tags) => {
      checkTags([...wishes.tags, ...tags]);
      for (const tag of tags) wishes.tags.add(tag);
    },
    setTtl: (ttl, stale) => Object.assign(wishes, lifeOf(ttl, stale, wishes)),
    absent,
  };
}

/** There is no value. */
export function absent(ttl?: Duration): Absent {
  return new Absent(ttl === undefined ? undefined : lifeOf(ttl, undefined, { ttl: 0, stale: 0 }).ttl);
}

/** Errors: `argument.invalid`. */
export function lifeOf(
  ttl: Duration | undefined,
  stale: Duration | undefined,
  defaults: { readonly ttl: number; readonly stale: number },
): { ttl: number; stale: number } {
  const life = {
    ttl: ttl === undefined ? defaults.ttl : milliseconds(ttl, 'ttl'),
    stale: stale === undefined ? defaults.stale : milliseconds(stale, 'stale'),
  };
  if (life.ttl + life.stale > MAX_LIFE) refuse('ttl', 'ttl and stale of a value are at most 30 days together.');
  return life;
}
