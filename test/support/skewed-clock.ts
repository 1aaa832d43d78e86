import type { Clock } from '../../src/core/clock.ts';
import type { ManualClock } from '../../src/testing/index.ts';

/** A wall clock of its own, which may be wrong; waits are real. */
export class SkewedClock implements Clock {
  readonly #true: ManualClock;
  /** How far it is ahead, in milliseconds. */
  offset: number;

  constructor(trueClock: ManualClock, offset = 0) {
    this.#true = trueClock;
    this.offset = offset;
  }

  now(): number {
    return this.#true.now() + this.offset;
  }

  mono(): number {
    return this.#true.mono();
  }

  sleep(...call: Parameters<Clock['sleep']>): Promise<void> {
    return this.#true.sleep(...call);
  }
}
