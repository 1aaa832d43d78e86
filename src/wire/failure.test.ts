import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { NorimakiError } from '../core/errors.ts';
import { makeVersion } from '../core/version.ts';
import { decodeFailure, encodeFailure, fromFailure, toFailure } from './failure.ts';

const over = (error: unknown): NorimakiError | undefined => {
  const failure = decodeFailure(encodeFailure(toFailure(error)));
  return failure === undefined ? undefined : fromFailure(failure);
};

test.each([
  new NorimakiError('version.mismatch', 'Another version.', {
    expected: makeVersion(0n, 2n ** 64n - 1n),
    operation: 3,
  }),
  new NorimakiError('already.exists', 'It exists.', {}),
  new NorimakiError('size.exceeded', 'Too long.', { what: 'key', bytes: 1025, limit: 1024 }),
  new NorimakiError('store.unavailable', 'Away.', { applied: 'unknown' }),
])('$code arrives as it was sent', (error) => {
  const arrived = over(error);
  expect(arrived).toBeInstanceOf(NorimakiError);
  expect(arrived).toMatchObject({ code: error.code, message: error.message, details: error.details });
});

test('what is no error of a store tells nothing of itself', () => {
  for (const error of [new Error('the secret'), new NorimakiError('not.found', 'the secret', { entity: 'secret' })]) {
    const failure = toFailure(error);
    expect(failure.status).toBe(status.INTERNAL);
    expect(JSON.stringify(failure)).not.toContain('secret');
    expect(over(error)).toBeUndefined();
  }
});

test('what a peer should not send is no error of ours', () => {
  expect(decodeFailure(Uint8Array.of(0xff, 0xff))).toBeUndefined();
  for (const code of ['', 'toString', '__proto__', 'not.found']) {
    expect(fromFailure({ status: 13, message: 'm', code, details: '{}' })).toBeUndefined();
  }
  expect(fromFailure({ status: 13, message: 'm', code: 'store.full', details: '{' })).toBeUndefined();
});
