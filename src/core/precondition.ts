import { NorimakiError } from './errors.ts';
import type { Precondition } from './store.ts';
import type { Version } from './version.ts';

/** Why a write whose precondition meets a key at `actual` must be refused, or `undefined` if it may go on. */
export function preconditionFailure(
  { ifMatch, ifAbsent }: Precondition,
  actual: Version | undefined,
  operation?: number,
): NorimakiError<'version.mismatch' | 'already.exists'> | undefined {
  const position = operation === undefined ? {} : { operation };
  if (ifAbsent && actual !== undefined) {
    return new NorimakiError('already.exists', 'The key exists.', position);
  }
  if (ifMatch !== undefined && ifMatch !== actual) {
    const message =
      actual === undefined ? 'The key does not exist.' : 'The key is at another version than the write expected.';
    return new NorimakiError('version.mismatch', message, { expected: ifMatch, actual, ...position });
  }
  return undefined;
}
