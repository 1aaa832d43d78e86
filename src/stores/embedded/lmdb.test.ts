import { expect, test } from 'vitest';
import { NorimakiError } from '../../core/errors.ts';
import { loadLmdb } from './lmdb.ts';

test.each([
  ['is not installed', () => Promise.reject(new Error("Cannot find package 'lmdb'")), 'npm install lmdb'],
  ['is another version', () => Promise.resolve({ open: () => {} }), 'npm install lmdb@3'],
])('says what to do when lmdb %s', async (_, load, cure) => {
  const error = await loadLmdb(load).catch((reason: unknown) => reason);
  expect(NorimakiError.is(error, 'capability.missing') && error.details.neededBy).toBe('the embedded store');
  expect(String(error)).toContain(cure);
});

test('takes the lmdb that is installed', async () => {
  expect(await loadLmdb()).toHaveProperty('open');
});
