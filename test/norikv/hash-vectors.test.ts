import { describe, expect, test } from 'vitest';
import { jumpHash, shardOf } from '../../src/wire/index.ts';
import vectors from './hash-vectors.json' with { type: 'json' };

// Every client and server of NoriKV must find the same shard for a key.

describe('a key goes to the shard of NoriKV', () => {
  test.each(vectors.key_hash_vectors)('$key', ({ key_hex, xxhash64, shard_1024, shard_256 }) => {
    const key = Buffer.from(key_hex, 'hex');
    expect([shardOf(key, 1024), shardOf(key, 256)]).toEqual([shard_1024, shard_256]);
    expect(jumpHash(BigInt(xxhash64), 1024)).toBe(shard_1024);
  });

  test.each(vectors.jump_hash_vectors)('the hash $hash', ({ hash, buckets_100, buckets_1024 }) => {
    expect([jumpHash(BigInt(hash), 100), jumpHash(BigInt(hash), 1024)]).toEqual([buckets_100, buckets_1024]);
  });

  test('any slice of a buffer by its own bytes', () => {
    const buffer = Buffer.from('..hello..');
    expect(shardOf(buffer.subarray(2, 7), 1024)).toBe(309);
    expect(shardOf(new Uint8Array(0), 1)).toBe(0);
  });
});
