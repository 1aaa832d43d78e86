import { createHash } from 'node:crypto';
import { NorimakiError } from '../../core/errors.ts';

const MAX_BYTES = 256;

/**
 * A key as it is stored: one that is too long for a store, as an attacker may send it, by its hash. Errors:
 * `argument.invalid`.
 */
export function storedKey(key: string): string {
  if (typeof key !== 'string' || key === '' || !key.isWellFormed()) {
    throw new NorimakiError(
      'argument.invalid',
      'The key of a limiter is a string of well-formed Unicode, not empty: those with the same key share its limits.',
      { argument: 'key' },
    );
  }
  if (key.length * 3 <= MAX_BYTES || Buffer.byteLength(key) <= MAX_BYTES) return key;
  return `sha256:${createHash('sha256').update(key).digest('base64url')}`;
}
