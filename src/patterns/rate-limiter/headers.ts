import { type Item, serializeList } from 'structured-headers';
import type { LimitStatus } from './decision.ts';
import type { Limit } from './limits/limit.ts';

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-11. A refusal names only the limits that refuse: so `Retry-After`
 * is never earlier than the end of their effective window, as section 6 wants it.
 */
export function rateLimitHeaders(
  policies: readonly Limit[],
  limits: readonly LimitStatus[],
  retryAfter: number | undefined,
): Headers {
  const headers = new Headers();
  headers.set('RateLimit-Policy', serializeList(policies.map(policyItem)));
  const told = retryAfter === undefined ? limits : limits.filter((limit) => limit.retryAfter > 0);
  if (told.length > 0) headers.set('RateLimit', serializeList(told.map(limitItem)));
  if (retryAfter !== undefined) headers.set('Retry-After', String(seconds(retryAfter)));
  return headers;
}

function policyItem({ name, quota, window }: Limit): Item {
  return [
    name,
    new Map([
      ['q', quota],
      ['w', seconds(window)],
    ]),
  ];
}

/** `t` is left out where all is free: then no window runs. */
function limitItem({ name, remaining, nextAfter }: LimitStatus): Item {
  const parameters = new Map([['r', remaining]]);
  if (nextAfter > 0) parameters.set('t', seconds(nextAfter));
  return [name, parameters];
}

/** Rounded up: a client that comes back then does not come too early. */
function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
