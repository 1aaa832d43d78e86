import xxhash from 'xxhash-wasm';

const { h64Raw } = await xxhash();

const MULTIPLIER = 2862933555777941757n;
const U64 = 0xffff_ffff_ffff_ffffn;

/**
 * Jump consistent hash (Lamping and Veach, 2014, https://arxiv.org/abs/1406.2294): the bucket, 0 to `buckets` − 1, of a
 * 64-bit hash. When a bucket is added, only what moves into it moves.
 */
export function jumpHash(hash: bigint, buckets: number): number {
  let key = hash;
  let bucket = -1;
  let next = 0;
  while (next < buckets) {
    bucket = next;
    key = (key * MULTIPLIER + 1n) & U64;
    next = Math.floor((bucket + 1) * (2 ** 31 / (Number(key >> 33n) + 1)));
  }
  return bucket;
}

/** The shard of a key, as NoriKV spreads them: jump hash of xxhash64 with seed 0 over the raw bytes. */
export function shardOf(key: Uint8Array, shards: number): number {
  return jumpHash(h64Raw(key), shards);
}
