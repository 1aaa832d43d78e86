import type { Environment } from '../../core/clock.ts';
import { type Duration, milliseconds } from '../../core/duration.ts';
import type { Database } from '../../repositories/index.ts';
import { keyHash } from '../shared/key-ring.ts';
import { storedKey } from '../shared/limiter-key.ts';
import { requireStore } from '../shared/require-store.ts';
import { late, Turns, type WaitLimits } from '../shared/turns.ts';
import type { Allowed, Decision } from './decision.ts';
import { costAboveBurst } from './errors.ts';
import type { Consume } from './ledger.ts';
import { LocalBlocks } from './local-blocks.ts';
import { rateRecords } from './records.ts';
import { RoomAhead } from './room-ahead.ts';
import { checkCost, type LimiterSettings, limiterSettings, type RateLimiterOptions } from './settings.ts';
import { StoreDecisions } from './store-decisions.ts';

/** What every call of a rate limiter takes. */
export interface RateLimitCallOptions {
  /** Gives up waiting; what is already on its way to the store may still be applied. */
  readonly signal?: AbortSignal | undefined;
}

export interface ConsumeOptions extends RateLimitCallOptions {
  /** What the call costs; a whole number from 0, default 1. */
  readonly cost?: number | undefined;
  /** Repeating the call with the same key, in any process, charges it once, while the record remembers the key. */
  readonly idempotencyKey?: string | undefined;
}

export interface WaitOptions extends ConsumeOptions {
  /** How long to wait at most; default: for ever. */
  readonly deadline?: Duration | undefined;
}

/** How {@link RateLimiter.refund} and {@link RateLimiter.penalty} can be repeated. */
export interface AdjustOptions extends RateLimitCallOptions {
  /** Repeating the call with the same key, in any process, counts once, while the record remembers the key. */
  readonly idempotencyKey?: string | undefined;
}

/** What one limiter did in this process. */
export interface RateLimiterStats {
  /** Calls that were decided, here or by the store. */
  readonly decisions: number;
  /** Those of them that were refused. */
  readonly denials: number;
  /** Calls that were let through by room that was taken ahead. */
  readonly ahead: number;
  /** Refusals that did not ask the store. */
  readonly localBlocks: number;
  /** Decisions by `onStoreError`. */
  readonly fallbacks: number;
  /** Rounds of calls that the store decided together: a read each, and a write if any of its calls was let through. */
  readonly rounds: number;
}

/**
 * Lets through so much and no more, over all processes that share a store. All limits of a key are one record, decided
 * by one compare-and-swap: a call is charged by all of them, or refused and charged by none.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `store.closed`, `aborted`.
 *
 * @example
 * ```ts
 * const api = new RateLimiter(db, { name: 'api', limits: [gcra({ rate: 100, per: '1m', burst: 20 })] });
 * const decision = await api.consume(userId);
 * if (!decision.allowed) console.log(`again in ${decision.retryAfter} ms`);
 * ```
 */
export class RateLimiter {
  readonly name: string;
  readonly #settings: LimiterSettings;
  readonly #environment: Environment;
  readonly #blocks: LocalBlocks;
  readonly #ahead: RoomAhead | undefined;
  readonly #decisions: StoreDecisions;
  readonly #turns: Turns;
  #localBlocks = 0;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: RateLimiterOptions) {
    this.#settings = limiterSettings(options);
    requireStore('RateLimiter', db, options, {
      cas: 'two calls at once can both take the last place',
      ifAbsent: 'two first calls can both take the last place',
    });
    this.name = this.#settings.name;
    const { limits, ahead } = this.#settings;
    const { environment } = db;
    this.#environment = environment;
    this.#blocks = new LocalBlocks(this.#settings, environment.clock);
    this.#ahead = ahead && new RoomAhead(limits, ahead, environment.clock);
    this.#decisions = new StoreDecisions(this.#settings, rateRecords(db), environment, {
      blocks: this.#blocks,
      ahead: this.#ahead,
    });
    this.#turns = new Turns(environment.clock);
  }

  /**
   * Asks to be let through, and is charged if it is. Calls of one process that wait for the same key are decided in the
   * order in which they came, by one write. Errors: `rateLimit.costAboveBurst`, `rateLimit.unavailable`.
   *
   * @example
   * ```ts
   * const decision = await api.consume(userId, { cost: 3, idempotencyKey: requestId });
   * response.setHeaders(decision.headers());
   * ```
   */
  consume(key: string, options: ConsumeOptions = NO_OPTIONS): Promise<Decision> {
    // Not async: that would cost a hot key a fifth of its speed.
    try {
      const { cost = 1, idempotencyKey, signal } = options;
      const stored = storedKey(key);
      if (cost !== 1) this.#checkCost(cost);
      if (idempotencyKey === undefined) {
        const ahead = this.#decisions.consumeAhead(stored, cost);
        if (ahead !== undefined) return Promise.resolve(ahead);
        const refusal = this.#blocks.refusal(stored, cost);
        if (refusal !== undefined) {
          this.#localBlocks++;
          return Promise.resolve(refusal);
        }
      }
      const id = hashed('consume', idempotencyKey);
      return this.#decisions.consume(stored, id === undefined && cost === 1 ? ONE : { cost, id }, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Waits until it is let through. Callers of one process with the same key are served in the order in which they came;
   * between processes there is no order. Errors: `deadline.exceeded` as soon as it is known that it will not be in time,
   * and those of {@link consume}.
   *
   * @example
   * ```ts
   * await api.wait('crawler', { deadline: '10s', signal });
   * ```
   */
  async wait(key: string, options: WaitOptions = {}): Promise<Allowed> {
    const { deadline, signal } = options;
    const { clock } = this.#environment;
    const from = clock.mono();
    const until = deadline === undefined ? undefined : from + milliseconds(deadline, 'deadline');
    const limits: WaitLimits = { signal, from, until };
    const stored = storedKey(key);
    return this.#turns.run(stored, limits, async () => {
      for (;;) {
        const decision = await this.consume(key, options);
        if (decision.allowed) return decision;
        if (until !== undefined && clock.mono() + decision.retryAfter > until) throw late(clock, limits);
        await this.#turns.sleep(stored, decision.retryAfter, limits);
      }
    });
  }

  /** What {@link consume} would say now; charges nothing. */
  async peek(key: string, { cost = 1, signal }: ConsumeOptions = {}): Promise<Decision> {
    this.#checkCost(cost);
    const stored = storedKey(key);
    return this.#ahead?.peek(stored, cost) ?? this.#decisions.peek(stored, cost, signal);
  }

  /**
   * Gives back what a call was charged that was not used after all; no more than there is to give back. Resolves to what
   * {@link peek} would say after it. Errors: those of a repository's write.
   */
  async refund(key: string, cost = 1, options: AdjustOptions = {}): Promise<Decision> {
    return this.#adjust('refund', key, cost, options);
  }

  /** Charges whether it fits or not: what is too much has to come back before anything is let through. Otherwise as {@link refund}. */
  async penalty(key: string, cost = 1, options: AdjustOptions = {}): Promise<Decision> {
    return this.#adjust('penalty', key, cost, options);
  }

  /** Refuses every call for so long; 0 ends it. Otherwise as {@link refund}. */
  async block(key: string, duration: Duration, options: RateLimitCallOptions = {}): Promise<Decision> {
    return this.#change(key, { kind: 'block', duration: Math.ceil(milliseconds(duration, 'duration')) }, options);
  }

  /** Forgets all charges and the block. Otherwise as {@link refund}. */
  async reset(key: string, options: RateLimitCallOptions = {}): Promise<Decision> {
    return this.#change(key, { kind: 'reset' }, options);
  }

  /** What this object did so far. */
  stats(): RateLimiterStats {
    const { decisions, denials, fallbacks, rounds } = this.#decisions.stats;
    const localBlocks = this.#localBlocks;
    const ahead = this.#ahead?.used ?? 0;
    return {
      decisions: decisions + ahead + localBlocks,
      denials: denials + localBlocks,
      ahead,
      localBlocks,
      fallbacks,
      rounds,
    };
  }

  #adjust(
    kind: 'refund' | 'penalty',
    key: string,
    cost: number,
    { idempotencyKey, signal }: AdjustOptions,
  ): Promise<Decision> {
    return this.#change(key, { kind, cost: checkCost(cost, 1), id: hashed(kind, idempotencyKey) }, { signal });
  }

  async #change(
    key: string,
    change: Parameters<StoreDecisions['change']>[1],
    { signal }: RateLimitCallOptions,
  ): Promise<Decision> {
    const stored = storedKey(key);
    const decision = await this.#decisions.change(stored, change, signal);
    this.#turns.poke(stored);
    return decision;
  }

  #checkCost(cost: number): void {
    checkCost(cost);
    const { narrowest } = this.#settings;
    if (cost > narrowest.quota) throw costAboveBurst(this.name, narrowest, cost);
  }
}

const NO_OPTIONS: ConsumeOptions = {};

/** What nearly every call asks for. */
const ONE: Consume = { cost: 1, id: undefined };

/** Keys of different calls do not meet. */
function hashed(kind: string, idempotencyKey: string | undefined): string | undefined {
  return idempotencyKey === undefined ? undefined : keyHash(`${kind} ${idempotencyKey}`);
}
