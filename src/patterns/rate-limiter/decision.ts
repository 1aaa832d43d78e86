import { rateLimitHeaders } from './headers.ts';
import type { Limit } from './limits/limit.ts';

/**
 * Where a decision comes from: the store; room that was taken ahead, or what the last refusal says, both here without asking the
 * store; or what `onStoreError` says while the store fails.
 */
export type DecisionSource = 'store' | 'ahead' | 'local-block' | 'fallback';

/** How one limit stands after a decision. Times are in milliseconds. */
export interface LimitStatus {
  readonly name: string;
  /** The most that can be let through at once. */
  readonly quota: number;
  /** In how long all of the quota comes back. */
  readonly window: number;
  /** How much would be let through now. */
  readonly remaining: number;
  /** Until more would be; 0 if all is free. */
  readonly nextAfter: number;
  /** Until all is free again. */
  readonly resetAfter: number;
  /** How long this limit alone refuses the call; 0 if it does not. */
  readonly retryAfter: number;
}

interface DecisionParts {
  /** The least that any limit leaves. */
  readonly remaining: number;
  /** One for each limit, in the order of the limiter; empty if `onStoreError` is `'open'` and the store failed. */
  readonly limits: readonly LimitStatus[];
  readonly source: DecisionSource;
  /**
   * `RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-11, and `Retry-After` of a refusal.
   *
   * @example
   * ```ts
   * response.setHeaders(decision.headers());
   * ```
   */
  headers(): Headers;
}

/** The call is let through, and charged. */
export interface Allowed extends DecisionParts {
  readonly allowed: true;
  /** It was let through before, under the same idempotency key, and is not charged again. */
  readonly replayed: boolean;
}

/** The call is refused, and costs nothing. */
export interface Denied extends DecisionParts {
  readonly allowed: false;
  /** Milliseconds by this process's clock: then the same call is let through if nobody else was, and not before. */
  readonly retryAfter: number;
  /** The limit that refuses longest, or `'block'`. */
  readonly by: string;
}

/** What {@link RateLimiter.consume} resolves to. A refusal is a result, not an error. */
export type Decision = Allowed | Denied;

// Two classes that share no base: a call to `super` would be a fourth of what a decision costs.

export class AllowedDecision implements Allowed {
  readonly allowed = true;
  readonly replayed: boolean;
  readonly remaining: number;
  readonly limits: readonly LimitStatus[];
  readonly source: DecisionSource;
  readonly #policies: readonly Limit[];

  constructor(policies: readonly Limit[], limits: readonly LimitStatus[], source: DecisionSource, replayed = false) {
    this.replayed = replayed;
    this.remaining = leastOf(limits);
    this.limits = limits;
    this.source = source;
    this.#policies = policies;
  }

  headers(): Headers {
    return rateLimitHeaders(this.#policies, this.limits, undefined);
  }
}

export class DeniedDecision implements Denied {
  readonly allowed = false;
  readonly retryAfter: number;
  readonly by: string;
  readonly remaining: number;
  readonly limits: readonly LimitStatus[];
  readonly source: DecisionSource;
  readonly #policies: readonly Limit[];

  constructor(
    policies: readonly Limit[],
    limits: readonly LimitStatus[],
    source: DecisionSource,
    retryAfter: number,
    by: string,
  ) {
    this.retryAfter = retryAfter;
    this.by = by;
    this.remaining = leastOf(limits);
    this.limits = limits;
    this.source = source;
    this.#policies = policies;
  }

  headers(): Headers {
    return rateLimitHeaders(this.#policies, this.limits, this.retryAfter);
  }
}

/** The least that any of them leaves; 0 of none. */
export function leastOf(limits: readonly LimitStatus[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { remaining } of limits) if (remaining < least) least = remaining;
  return limits.length === 0 ? 0 : least;
}
