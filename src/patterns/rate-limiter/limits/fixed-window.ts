import { type Duration, milliseconds } from '../../../core/duration.ts';
import { refuse } from '../../shared/options.ts';
import type { Limit, Meter, MeterState } from './limit.ts';
import { checkLimitName, checkQuota, checkWindow } from './options.ts';

/** What {@link fixedWindow} takes. */
export interface FixedWindowOptions {
  /** So much in each window. */
  readonly limit: number;
  /** A window begins at each multiple of it since 1970, in UTC: `'1d'` at midnight. */
  readonly per: Duration;
  /** How much later each window begins: with `per: '1w'`, `'4d'` makes weeks begin on Monday. */
  readonly offset?: Duration | undefined;
  /** Default: `'5000-per-1d'` and the like. */
  readonly name?: string | undefined;
}

/**
 * So much between two strokes of the clock, all of which comes back at the stroke. Up to twice as much can come within
 * `per` around a stroke: where that matters take {@link slidingWindow}. Errors: `argument.invalid`.
 *
 * @example
 * ```ts
 * fixedWindow({ limit: 10_000, per: '1d' });
 * ```
 */
export function fixedWindow({ limit, per, offset = 0, name }: FixedWindowOptions): Limit {
  const window = checkWindow(per);
  checkQuota(limit, 'limit');
  const offsetMs = milliseconds(offset, 'offset');
  if (!Number.isSafeInteger(offsetMs)) refuse('offset', 'offset is whole milliseconds.');
  const named = checkLimitName(name, limit, window);
  return {
    name: named,
    kind: 'fixedWindow',
    id: `fixedWindow:${named}`,
    quota: limit,
    window,
    meter: (state, now) => {
      const start = Math.floor((now - offsetMs) / window) * window + offsetMs;
      return new FixedWindowMeter(limit, start, start + window, state, now);
    },
  };
}

class FixedWindowMeter implements Meter {
  readonly #limit: number;
  readonly #start: number;
  readonly #end: number;
  readonly #now: number;
  #used: number;

  /** The state is the end of a window, its start, and what was used in it. */
  constructor(limit: number, start: number, end: number, state: MeterState | undefined, now: number) {
    this.#limit = limit;
    this.#start = start;
    this.#end = end;
    this.#now = now;
    const [, storedStart, used = 0] = state ?? [];
    this.#used = storedStart === start ? used : 0;
  }

  get remaining(): number {
    return Math.max(0, this.#limit - this.#used);
  }

  fits(cost: number): boolean {
    return this.#used + cost <= this.#limit;
  }

  get nextAfter(): number {
    return this.resetAfter;
  }

  get resetAfter(): number {
    return this.#used === 0 ? 0 : this.#end - this.#now;
  }

  retryAfter(cost: number): number {
    return this.#used + cost <= this.#limit ? 0 : this.#end - this.#now;
  }

  charge(cost: number): void {
    this.#used += cost;
  }

  refund(cost: number): void {
    this.#used = Math.max(0, this.#used - cost);
  }

  save(): MeterState {
    return [this.#end, this.#start, this.#used];
  }
}
