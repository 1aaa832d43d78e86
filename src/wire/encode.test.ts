import { expect, test } from 'vitest';
import { encodeMessage } from './encode.ts';
import { PutRequest, PutResponse } from './generated/norimaki/v1/norimaki.ts';

function put(size: number, expiresAt?: bigint): PutRequest {
  const value = new Uint8Array(size).fill(7);
  const precondition = { condition: { $case: 'version' as const, value: { term: 1n, index: 2n } } };
  return { key: Uint8Array.of(1, 2, 3), value, expiresAt, precondition, idempotencyKey: 'once' };
}

function generated(message: PutRequest): Buffer {
  return Buffer.from(PutRequest.encode(message).finish());
}

test('the bytes are those of the generated code, whatever was written before', () => {
  for (const size of [0, 1, 500, 1_000_000, 20, 70_000, 3]) {
    expect(encodeMessage(PutRequest, put(size)).equals(generated(put(size)))).toBe(true);
  }
});

test('they stay as they are when others are written', () => {
  const first = encodeMessage(PutRequest, put(500));
  encodeMessage(PutResponse, { version: { term: 9n, index: 9n } });
  encodeMessage(PutRequest, put(400));
  expect(first.equals(generated(put(500)))).toBe(true);
});

test('a message that cannot be written leaves nothing behind', () => {
  expect(() => encodeMessage(PutRequest, put(100, 2n ** 64n))).toThrow('too large');
  expect(encodeMessage(PutRequest, put(100)).equals(generated(put(100)))).toBe(true);
});
