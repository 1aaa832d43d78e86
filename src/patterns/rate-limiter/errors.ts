import { NorimakiError } from '../../core/errors.ts';
import type { Limit } from './limits/limit.ts';

/** The codes of a rate limiter, and what they carry in `details`. */
export interface RateLimitErrorDetails {
  /** `limit` names the one that can never let so much through, `quota` is the most that it can. */
  'rateLimit.costAboveBurst': { limiter: string; limit: string; cost: number; quota: number };
  'rateLimit.unavailable': { limiter: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends RateLimitErrorDetails {}
}

export function costAboveBurst(
  limiter: string,
  { name, quota }: Limit,
  cost: number,
): NorimakiError<'rateLimit.costAboveBurst'> {
  return new NorimakiError(
    'rateLimit.costAboveBurst',
    `A call that costs ${cost} can never pass the limit '${name}' of the limiter '${limiter}', which lets through ${quota} at most. Split the call, or raise the limit.`,
    { limiter, limit: name, cost, quota },
  );
}

export function unavailable(limiter: string, cause: unknown): NorimakiError<'rateLimit.unavailable'> {
  return new NorimakiError(
    'rateLimit.unavailable',
    `The limiter '${limiter}' could not decide, because its store failed. Try later, or say with onStoreError: 'open' or 'local' what to do meanwhile.`,
    { limiter },
    { cause },
  );
}
