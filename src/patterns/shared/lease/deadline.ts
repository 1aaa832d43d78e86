import type { Clock } from '../../../core/clock.ts';

/** One instant on both clocks of a process, in milliseconds. */
export interface Instant {
  readonly mono: number;
  readonly wall: number;
}

/** Until when a holder may act, on its own two clocks. */
export interface Deadline {
  readonly mono: number;
  readonly wall: { readonly from: number; readonly until: number };
}

export function instantOf(clock: Clock): Instant {
  return { mono: clock.mono(), wall: clock.now() };
}

/**
 * `sent` is an instant before the sign of life left: followers count from when it arrived. The wall clock is asked too,
 * because the monotonic one stands still while a machine sleeps.
 */
export function deadlineOf(sent: Instant, ttl: number, maxDriftRate: number): Deadline {
  const time = ttl * (1 - maxDriftRate);
  return { mono: sent.mono + time, wall: { from: sent.wall, until: sent.wall + time } };
}

/** Whether the deadline lies ahead on both clocks. A wall clock that was turned back proves nothing any more. */
export function isAhead({ mono, wall }: Deadline, at: Instant): boolean {
  return at.mono < mono && at.wall >= wall.from && at.wall < wall.until;
}
