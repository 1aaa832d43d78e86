import { NorimakiError } from './errors.ts';
import { keyName } from './keys/index.ts';
import type { Capabilities, CommitOperation, Key, Precondition, ScanOptions } from './store.ts';
import { checkVectorWrites } from './vectors/index.ts';

// What every adapter refuses before it sends anything; adapters call these, so that all refuse alike.

export function checkKey(key: Key, limits: Capabilities['limits']): void {
  if (key.length === 0) throw new NorimakiError('argument.invalid', 'A key cannot be empty.', { argument: 'key' });
  if (key.length > limits.key) {
    throw new NorimakiError('size.exceeded', `The key has ${key.length} bytes; the limit is ${limits.key}.`, {
      what: 'key',
      bytes: key.length,
      limit: limits.key,
    });
  }
}

export function checkValue(value: Uint8Array, limits: Capabilities['limits']): void {
  if (value.length > limits.value) {
    throw new NorimakiError('size.exceeded', `The value has ${value.length} bytes; the limit is ${limits.value}.`, {
      what: 'value',
      bytes: value.length,
      limit: limits.value,
    });
  }
}

export function checkPrecondition({ ifMatch, ifAbsent }: Precondition): void {
  if (ifMatch !== undefined && ifAbsent) {
    throw new NorimakiError('argument.invalid', 'A write takes ifMatch or ifAbsent, not both.', {
      argument: 'ifMatch',
    });
  }
}

export function checkExpiry(expiresAt: number | undefined): void {
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw new NorimakiError('argument.invalid', 'expiresAt is an instant in milliseconds since 1970.', {
      argument: 'expiresAt',
    });
  }
}

export const MAX_PAGE = 1000;

/** The page size of a scan, checked. */
export function pageLimit({ limit = 100 }: ScanOptions): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new NorimakiError('argument.invalid', `limit is a whole number from 1 to ${MAX_PAGE}.`, {
      argument: 'limit',
    });
  }
  return limit;
}

export function checkCommit(operations: readonly CommitOperation[], limits: Capabilities['limits']): void {
  const seen = new Set<string>();
  for (const operation of operations) {
    checkKey(operation.key, limits);
    if (operation.type === 'put') {
      checkValue(operation.value, limits);
      checkExpiry(operation.expiresAt);
      checkVectorWrites(operation.vectors ?? []);
    }
    checkPrecondition(operation);
    const name = keyName(operation.key);
    if (seen.has(name)) {
      throw new NorimakiError('argument.invalid', 'A commit names each key at most once.', { argument: 'operations' });
    }
    seen.add(name);
  }
}
