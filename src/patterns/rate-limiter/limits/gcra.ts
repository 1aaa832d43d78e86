import type { Duration } from '../../../core/duration.ts';
import { refuse } from '../../shared/options.ts';
import type { Limit, Meter, MeterState } from './limit.ts';
import { checkLimitName, checkQuota, checkWindow } from './options.ts';

/** What {@link gcra} takes. */
export interface GcraOptions {
  /** So much in each `per`, evenly: what was used comes back bit by bit, not all at once. */
  readonly rate: number;
  readonly per: Duration;
  /** How much may come at once; default: `rate`. */
  readonly burst?: number | undefined;
  /** Default: `'100-per-1m'` and the like. */
  readonly name?: string | undefined;
}

/**
 * The generic cell rate algorithm, also known as a token or a leaky bucket: in any stretch of time T, at most
 * `burst + rate × T / per` is let through. Exact, and constant in size. Errors: `argument.invalid`.
 *
 * @example
 * ```ts
 * gcra({ rate: 100, per: '1m', burst: 20 });
 * ```
 */
export function gcra({ rate, per, burst = rate, name }: GcraOptions): Limit {
  const perMs = checkWindow(per);
  checkQuota(rate, 'rate');
  checkQuota(burst, 'burst');
  const divisor = greatestCommonDivisor(rate, perMs);
  const parts = perMs / divisor;
  if (burst * parts > Number.MAX_SAFE_INTEGER / 4) {
    refuse('burst', 'burst × per is too large to be counted exactly. Make them smaller, or rounder.');
  }
  const named = checkLimitName(name, rate, perMs);
  return {
    name: named,
    kind: 'gcra',
    id: `gcra:${named}`,
    quota: burst,
    window: Math.ceil((burst * perMs) / rate),
    meter: (state, now) => new GcraMeter(rate / divisor, parts, burst, state, now),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A call is `per` parts, of which `rate` come back in each millisecond: whole numbers, so that no rounding adds up. */
class GcraMeter implements Meter {
  readonly #rate: number;
  readonly #per: number;
  readonly #capacity: number;
  readonly #now: number;
  /** Parts that have not come back yet. */
  #debt: number;

  /** The state is the end of the debt, the instant at which it was counted, the debt, and `per` at that time. */
  constructor(rate: number, per: number, burst: number, state: MeterState | undefined, now: number) {
    this.#rate = rate;
    this.#per = per;
    this.#capacity = burst * per;
    this.#now = now;
    const [, at = now, stored = 0, storedPer = per] = state ?? [];
    const debt = storedPer === per ? stored : Math.ceil((stored / storedPer) * per);
    this.#debt = Math.max(0, debt - Math.max(0, now - at) * rate);
  }

  get remaining(): number {
    const room = this.#capacity - this.#debt;
    return room <= 0 ? 0 : Math.floor(room / this.#per);
  }

  fits(cost: number): boolean {
    return this.#debt + cost * this.#per <= this.#capacity;
  }

  get nextAfter(): number {
    if (this.#debt === 0) return 0;
    return Math.ceil((this.#debt - this.#capacity + (this.remaining + 1) * this.#per) / this.#rate);
  }

  get resetAfter(): number {
    return this.#whenDebtIs(0);
  }

  retryAfter(cost: number): number {
    return this.#whenDebtIs(this.#capacity - cost * this.#per);
  }

  charge(cost: number): void {
    this.#debt = Math.min(Number.MAX_SAFE_INTEGER / 2, this.#debt + cost * this.#per);
  }

  refund(cost: number): void {
    this.#debt = Math.max(0, this.#debt - cost * this.#per);
  }

  save(): MeterState {
    return [this.#now + this.resetAfter, this.#now, this.#debt, this.#per];
  }

  #whenDebtIs(debt: number): number {
    const above = this.#debt - debt;
    return above <= 0 ? 0 : Math.ceil(above / this.#rate);
  }
}
