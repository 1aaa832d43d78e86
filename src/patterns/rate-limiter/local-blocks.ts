import type { Clock } from '../../core/clock.ts';
import { recentlyUsed } from '../../core/recently-used.ts';
import type { Denied } from './decision.ts';
import { Ledger } from './ledger.ts';
import type { RateState } from './records.ts';
import type { LimiterSettings } from './settings.ts';

/** Keys whose last refusal is remembered. */
const MAX_BLOCKS = 10_000;

interface Seen {
  readonly state: RateState;
  /** When it was read, on the monotonic clock. */
  readonly at: number;
  /** The last refusal that was made of it; within a millisecond there may be thousands. */
  last?: { readonly now: number; readonly cost: number; readonly refusal: Denied };
}

/**
 * Refuses without asking the store. What was stored when a call was refused is kept: as charges only ever take room away,
 * a call that it refuses would be refused by the store too, unless somebody gave room back.
 */
export class LocalBlocks {
  readonly #settings: LimiterSettings;
  readonly #clock: Clock;
  readonly #seen = recentlyUsed<Seen>(MAX_BLOCKS);

  constructor(settings: LimiterSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The refusal of a call, `undefined` where only the store can tell. */
  refusal(key: string, cost: number): Denied | undefined {
    if (this.#seen.size === 0) return undefined;
    const seen = this.#seen.get(key);
    if (seen === undefined) return undefined;
    const { limits, blockTtl } = this.#settings;
    if (this.#clock.mono() - seen.at >= blockTtl) return undefined;
    const now = this.#clock.now();
    const { last } = seen;
    if (last !== undefined && last.now === now && last.cost === cost) return last.refusal;
    const decision = new Ledger(limits, seen.state, now, 'local-block').peek(cost);
    if (decision.allowed) return undefined;
    seen.last = { now, cost, refusal: decision };
    return decision;
  }

  /** Remembers what refused a call. */
  add(key: string, state: RateState): void {
    if (this.#settings.blockTtl > 0) this.#seen.set(key, { state, at: this.#clock.mono() });
  }

  forget(key: string): void {
    if (this.#seen.size > 0) this.#seen.delete(key);
  }
}
