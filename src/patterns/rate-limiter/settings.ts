import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, checkWhole, refuse } from '../shared/options.ts';
import type { Limit } from './limits/limit.ts';

/** What a limiter does while its store fails. */
export type OnStoreError = 'closed' | 'open' | 'local';

/** How much room a process may take for calls to come. */
export interface AheadOptions {
  /** At most so much of a key at once, in cost; up to what the narrowest limit lets through at once. */
  readonly most: number;
  /** How long it may be used: what is left of it then is lost. Default `'1s'`. */
  readonly for?: Duration | undefined;
}

/** What a rate limiter is told when it is made. */
export interface RateLimiterOptions extends BlockOptions {
  /** A call passes all of them or is charged by none. Each has a name of its own. */
  readonly limits: readonly [Limit, ...Limit[]];
  /**
   * While the store fails, or others are faster for the whole `timeout`:
   * - `'closed'` (default): `rateLimit.unavailable`;
   * - `'open'`: lets everything through;
   * - `'local'`: the same limits, counted in this process alone.
   *
   * The last two are told by `source: 'fallback'`.
   */
  readonly onStoreError?: OnStoreError | undefined;
  /** How long the store may take for a decision; default `'5s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * For how long a refusal is repeated here without asking the store; at most until the call would be let through.
   * Default `'1s'`; 0 asks every time. A `refund`, `reset` or `block` by another process shows here after so long.
   */
  readonly blockTtl?: Duration | undefined;
  /**
   * Takes room for calls to come with those that ask the store, so that most calls of a busy key are let through here without asking.
   * It is charged when it is taken: never more is let through in all, but some of it later, by up to `for`. Default: none.
   */
  readonly ahead?: AheadOptions | undefined;
}

export interface AheadSettings {
  readonly most: number;
  readonly for: number;
}

/** The options, checked. */
export interface LimiterSettings {
  readonly name: string;
  readonly limits: readonly Limit[];
  /** The one that lets through least at once. */
  readonly narrowest: Limit;
  readonly onStoreError: OnStoreError;
  readonly timeout: number;
  readonly blockTtl: number;
  readonly ahead: AheadSettings | undefined;
}

const POLICIES: readonly unknown[] = ['closed', 'open', 'local'];

export function limiterSettings(options: RateLimiterOptions): LimiterSettings {
  const { limits, onStoreError = 'closed', timeout = '5s', blockTtl = '1s', ahead } = options;
  if (!Array.isArray(limits) || limits.length === 0) {
    refuse('limits', "limits is a list of at least one limit: [gcra({ rate: 100, per: '1m' })].");
  }
  const names = limits.map(({ name }) => name);
  const twin = names.find((name, i) => names.indexOf(name) !== i);
  if (twin !== undefined) refuse('limits', `Two limits are named '${twin}'. Give one of them another name.`);
  if (!POLICIES.includes(onStoreError)) refuse('onStoreError', "onStoreError is 'closed', 'open' or 'local'.");
  const narrowest = limits.reduce((one, other) => (other.quota < one.quota ? other : one));
  return {
    name: checkName('RateLimiter', options.name),
    limits,
    narrowest,
    onStoreError,
    timeout: milliseconds(timeout, 'timeout'),
    blockTtl: milliseconds(blockTtl, 'blockTtl'),
    ahead: ahead && {
      most: checkWhole(ahead.most, 'ahead.most', 1, narrowest.quota),
      for: milliseconds(ahead.for ?? '1s', 'ahead.for'),
    },
  };
}

/** Errors: `argument.invalid`. */
export function checkCost(cost: number, least: 0 | 1 = 0): number {
  if (Number.isSafeInteger(cost) && cost >= least && cost <= 1e12) return cost;
  return refuse('cost', `cost is a whole number from ${least} to 1e12.`);
}
