import type { Random } from '../clock.ts';
import { type Duration, milliseconds } from '../duration.ts';
import { NorimakiError } from '../errors.ts';

/** How often and how long a call tries again. */
export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly maxAttempts?: number | undefined;
  /** Time in all, from the call to its last try. */
  readonly deadline?: Duration | undefined;
  /** Upper bound of the first wait. */
  readonly base?: Duration | undefined;
  /** Upper bound of any wait. */
  readonly cap?: Duration | undefined;
}

/** {@link RetryOptions} with every value decided; times in milliseconds. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly deadline: number;
  readonly base: number;
  readonly cap: number;
}

/**
 * For version conflicts: many tries, because each conflict means that somebody else made progress. The waits grow past
 * the time of a durable commit, or a handful of processes on one key would keep on colliding.
 */
export const CONFLICT_POLICY: RetryPolicy = { maxAttempts: 64, deadline: 30_000, base: 1, cap: 250 };

/** For a store that does not answer: few, growing waits, because the store may be drowning. */
export const OUTAGE_POLICY: RetryPolicy = { maxAttempts: 4, deadline: 30_000, base: 25, cap: 2_000 };

/** The policy that `options` make of `defaults`. Errors: `argument.invalid`. */
export function retryPolicy(options: RetryOptions | undefined, defaults: RetryPolicy): RetryPolicy {
  if (options === undefined) return defaults;
  const { maxAttempts = defaults.maxAttempts, deadline, base, cap } = options;
  if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 1) {
    throw new NorimakiError('argument.invalid', 'retry.maxAttempts is a whole number from 1.', {
      argument: 'retry.maxAttempts',
    });
  }
  return {
    maxAttempts,
    deadline: milliseconds(deadline ?? defaults.deadline, 'retry.deadline'),
    base: milliseconds(base ?? defaults.base, 'retry.base'),
    cap: milliseconds(cap ?? defaults.cap, 'retry.cap'),
  };
}

/**
 * The wait in milliseconds before try `attempt + 1`: anything from 0 to `base · 2^(attempt − 1)`, at most `cap`.
 * "Full jitter", so that clients that failed together do not come back together
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function fullJitter(attempt: number, { base, cap }: RetryPolicy, random: Random): number {
  return random.float() * Math.min(cap, base * 2 ** Math.min(attempt - 1, 30));
}
