import type { Random } from '../../core/clock.ts';
import type { Consistency } from '../../core/store.ts';
import type { Loader } from './loader.ts';
import type { ValueCodec } from './value-codec.ts';

/** One call for a value, its options checked. */
export interface Call<T> {
  readonly key: string;
  readonly codec: ValueCodec<T>;
  /** `undefined`: only what is there. */
  readonly loader: Loader<T> | undefined;
  readonly tags: readonly string[];
  /** Milliseconds. */
  readonly ttl: number;
  readonly stale: number;
  readonly consistency: Consistency;
  readonly signal: AbortSignal | undefined;
  /** The value that expires then, on the wall clock, is to be loaded anew before. */
  readonly renews?: number | undefined;
}

/** `ttl`, shortened at random. */
export function jittered(ttl: number, jitter: number, random: Random): number {
  return jitter === 0 ? ttl : ttl * (1 - jitter * random.float());
}

/** A load this many times its cost ahead of the end has odds of one in 500 million. */
const FAR = 20;

/** Milliseconds before its end from which a value may be loaded anew. */
export function earlyStretch(cost: number, early: number): number {
  return cost * early * FAR;
}

/**
 * Whether this call is the one to load a value anew before it expires: rarely long before, nearly certainly at the end, so
 * that of many processes one is the first (XFetch, https://www.vldb.org/pvldb/vol8/p886-vattani.pdf).
 */
export function isEarly(
  { expiresAt, cost }: { readonly expiresAt: number; readonly cost: number },
  now: number,
  early: number,
  random: Random,
): boolean {
  if (now + earlyStretch(cost, early) < expiresAt) return false;
  return now - cost * early * Math.log(1 - random.float()) >= expiresAt;
}
