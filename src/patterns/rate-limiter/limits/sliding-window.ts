import type { Duration } from '../../../core/duration.ts';
import { refuse } from '../../shared/options.ts';
import type { Limit, Meter, MeterState } from './limit.ts';
import { checkLimitName, checkQuota, checkWindow } from './options.ts';

/** What {@link slidingWindow} takes. */
export interface SlidingWindowOptions {
  /** So much in any stretch of `per`, wherever it begins. */
  readonly limit: number;
  readonly per: Duration;
  /**
   * `'exact'` remembers every charge: up to a limit of 1,000. A number, 1 to 1,000, remembers that many stretches of the
   * window, each as if all of it had come at its last charge: never lets through more, may refuse for up to
   * `per / precision` longer. Default: `'exact'` up to a limit of 100, else 100.
   */
  readonly precision?: 'exact' | number | undefined;
  /** Default: `'5000-per-1d'` and the like. */
  readonly name?: string | undefined;
}

const EXACT_BY_DEFAULT = 100;
const MAX_ENTRIES = 1000;

/**
 * A log of what was let through: in any stretch of `per`, at most `limit`. Errors: `argument.invalid`.
 *
 * @example
 * ```ts
 * slidingWindow({ limit: 5_000, per: '1d' });
 * ```
 */
export function slidingWindow({ limit, per, precision, name }: SlidingWindowOptions): Limit {
  const window = checkWindow(per);
  checkQuota(limit, 'limit');
  const width = widthOf(precision ?? (limit <= EXACT_BY_DEFAULT ? 'exact' : EXACT_BY_DEFAULT), limit, window);
  const named = checkLimitName(name, limit, window);
  return {
    name: named,
    kind: 'slidingWindow',
    id: `slidingWindow:${named}`,
    quota: limit,
    window,
    meter: (state, now) => new SlidingWindowMeter(limit, window, width, state, now),
  };
}

function widthOf(precision: 'exact' | number, limit: number, window: number): number {
  if (precision === 'exact') {
    if (limit <= MAX_ENTRIES) return 1;
    return refuse('precision', `An exact log takes a limit of at most ${MAX_ENTRIES}. Give a number: precision: 100.`);
  }
  if (Number.isSafeInteger(precision) && precision >= 1 && precision <= MAX_ENTRIES)
    return Math.ceil(window / precision);
  return refuse('precision', `precision is 'exact', or a whole number from 1 to ${MAX_ENTRIES}.`);
}

interface Entry {
  /** Of the last charge in it. */
  at: number;
  cost: number;
}

/** What was charged in one stretch of `width` milliseconds is one entry; with a width of 1 the log is exact. */
class SlidingWindowMeter implements Meter {
  readonly #limit: number;
  readonly #window: number;
  readonly #width: number;
  readonly #now: number;
  /** Oldest first; none has left the window. */
  readonly #entries: Entry[] = [];
  #used = 0;

  /** The state is the end of the log, then the instant and the cost of each entry. */
  constructor(limit: number, window: number, width: number, state: MeterState | undefined, now: number) {
    this.#limit = limit;
    this.#window = window;
    this.#width = width;
    this.#now = now;
    if (state === undefined) return;
    for (let i = 1; i + 1 < state.length; i += 2) {
      // Both are there, as the loop says.
      const [at, cost] = [state[i] as number, state[i + 1] as number];
      if (at + window <= now) continue;
      this.#entries.push({ at, cost });
      this.#used += cost;
    }
  }

  get remaining(): number {
    return Math.max(0, this.#limit - this.#used);
  }

  fits(cost: number): boolean {
    return this.#used + cost <= this.#limit;
  }

  get nextAfter(): number {
    return this.#used >= this.#limit ? this.retryAfter(1) : this.#leavesAfter(this.#entries[0]);
  }

  get resetAfter(): number {
    return this.#leavesAfter(this.#entries.at(-1));
  }

  retryAfter(cost: number): number {
    let tooMuch = this.#used + cost - this.#limit;
    let after = 0;
    for (const entry of this.#entries) {
      if (tooMuch <= 0) break;
      tooMuch -= entry.cost;
      after = this.#leavesAfter(entry);
    }
    return after;
  }

  charge(cost: number): void {
    this.#used += cost;
    const last = this.#entries.at(-1);
    const isSame = last !== undefined && Math.floor(last.at / this.#width) === Math.floor(this.#now / this.#width);
    // Penalties could go on for ever.
    if (last !== undefined && (isSame || this.#entries.length > MAX_ENTRIES)) {
      last.at = this.#now;
      last.cost += cost;
    } else {
      this.#entries.push({ at: this.#now, cost });
    }
  }

  refund(cost: number): void {
    let left = cost;
    // The newest first: what is about to come back anyway is no refund.
    for (let last = this.#entries.at(-1); last !== undefined && left > 0; last = this.#entries.at(-1)) {
      const taken = Math.min(left, last.cost);
      last.cost -= taken;
      this.#used -= taken;
      left -= taken;
      if (last.cost === 0) this.#entries.pop();
    }
  }

  save(): MeterState {
    return [this.#now + this.resetAfter, ...this.#entries.flatMap(({ at, cost }) => [at, cost])];
  }

  #leavesAfter(entry: Entry | undefined): number {
    return entry === undefined ? 0 : entry.at + this.#window - this.#now;
  }
}
