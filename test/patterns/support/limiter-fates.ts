import { NorimakiError } from '../../../src/index.ts';
import { fateOf } from '../../support/fates.ts';

/** What a caller knows of a call to a limiter that failed: it charged nothing, or perhaps it did. */
export function fateOfCall(error: unknown): 'refused' | 'unknown' {
  const isWrapped = NorimakiError.is(error, 'rateLimit.unavailable');
  return fateOf(isWrapped ? error.cause : error);
}
