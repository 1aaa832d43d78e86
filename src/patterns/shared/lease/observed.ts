import type { LeaseState } from './state.ts';

/** What a follower has seen of a holder, and since when on the follower's own monotonic clock, in milliseconds. */
export interface Observed {
  readonly token: bigint;
  readonly beat: number;
  readonly since: number;
}

/**
 * What is known after one more look. `mono` is the time after the answer came: what was seen was written before that, so
 * that the wait is too long rather than too short.
 */
export function observe(before: Observed | undefined, now: LeaseState, mono: number): Observed {
  const { token, beat } = now;
  return before !== undefined && before.token === token && before.beat === beat ? before : { token, beat, since: mono };
}

/**
 * Milliseconds that a follower has still to wait until the holder's time is certainly over, whatever the offset of their
 * clocks, as long as neither runs faster or slower than it should by more than `maxDriftRate`. `Infinity` when the holder
 * gave a sign of life since it was observed.
 */
export function patienceLeft(
  observed: Observed | undefined,
  now: LeaseState,
  mono: number,
  maxDriftRate: number,
): number {
  if (now.holder === undefined) return 0;
  if (observed?.token !== now.token || observed.beat !== now.beat) return Number.POSITIVE_INFINITY;
  return Math.max(0, observed.since + now.ttl * (1 + maxDriftRate) - mono);
}
