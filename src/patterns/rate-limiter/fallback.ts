import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { recentlyUsed } from '../../core/recently-used.ts';
import { AllowedDecision, type Decision } from './decision.ts';
import { unavailable } from './errors.ts';
import { type Consume, Ledger } from './ledger.ts';
import { blankState, type RateState } from './records.ts';
import type { LimiterSettings } from './settings.ts';

/** Keys that are counted here while the store fails. */
const MAX_KEYS = 10_000;

const OTHER_FAILURES: ReadonlySet<string> = new Set(['conflict.exhausted', 'outcome.unknown', 'deadline.exceeded']);

/** Whether the store is to blame, so that `onStoreError` has the word. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof NorimakiError) || error.code === 'store.closed') return false;
  return error.code.startsWith('store.') || OTHER_FAILURES.has(error.code);
}

/** Decides while the store fails. */
export class Fallback {
  readonly #settings: LimiterSettings;
  readonly #clock: Clock;
  readonly #states = recentlyUsed<RateState>(MAX_KEYS);

  constructor(settings: LimiterSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Errors: `rateLimit.unavailable`. */
  decide(key: string, calls: readonly Consume[], cause: unknown): Decision[] {
    const { name, limits, onStoreError } = this.#settings;
    if (onStoreError === 'closed') throw unavailable(name, cause);
    if (onStoreError === 'open') return calls.map(() => new AllowedDecision(limits, [], 'fallback'));
    const state = this.#states.get(key) ?? blankState();
    const ledger = new Ledger(limits, state, this.#clock.now(), 'fallback');
    const decisions = calls.map((call) => ledger.consume(call));
    ledger.save(state);
    this.#states.set(key, state);
    return decisions;
  }

  /** Errors: `rateLimit.unavailable`. */
  peek(key: string, cost: number, cause: unknown): Decision {
    const { name, limits, onStoreError } = this.#settings;
    if (onStoreError === 'closed') throw unavailable(name, cause);
    if (onStoreError === 'open') return new AllowedDecision(limits, [], 'fallback');
    return new Ledger(limits, this.#states.get(key) ?? blankState(), this.#clock.now(), 'fallback').peek(cost);
  }
}
