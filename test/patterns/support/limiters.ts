import type { Store } from '../../../src/core/store.ts';
import { open } from '../../../src/index.ts';
import { RateLimiter, type RateLimiterOptions } from '../../../src/patterns/index.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { SkewedClock } from '../../support/skewed-clock.ts';

/** One process on a store: a clock, chance and faults of its own. */
export interface LimiterProcess {
  readonly limiter: RateLimiter;
  readonly faulty: FaultStore;
  readonly clock: SkewedClock;
}

export interface LimiterProcessOptions extends RateLimiterOptions {
  readonly trueClock: ManualClock;
  readonly seed: number;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
}

export async function startLimiter(
  store: Store,
  { trueClock, seed, faults, ...options }: LimiterProcessOptions,
): Promise<LimiterProcess> {
  const clock = new SkewedClock(trueClock);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock: trueClock, faults, maxDelay: 20 });
  const db = await open(faulty, { clock, random: seededRandom(seed) });
  return { clock, faulty, limiter: new RateLimiter(db, options) };
}

/** A call that was let through, at some instant of the true time from `from` to `to`. */
export interface Admission {
  readonly from: number;
  readonly to: number;
  readonly cost: number;
}

/**
 * The stretches of time in which more was let through than `most` allows. Only calls that lie in a stretch as a whole are
 * counted in it.
 */
export function excesses(admissions: readonly Admission[], most: (from: number, to: number) => number): string[] {
  const found: string[] = [];
  for (const { from } of admissions) {
    for (const { to } of admissions) {
      const inside = admissions.filter((one) => one.from >= from && one.to <= to);
      const cost = inside.reduce((sum, one) => sum + one.cost, 0);
      if (inside.length > 0 && cost > most(from, to))
        found.push(`${cost} in ${to - from} ms, at most ${most(from, to)}`);
    }
  }
  return found;
}
