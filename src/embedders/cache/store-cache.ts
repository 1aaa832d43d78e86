import { createHash } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { encodeTuple } from '../../core/keys/index.ts';
import type { Store } from '../../core/store.ts';
import { systemClock } from '../../core/system.ts';
import type { EmbeddingCacheEntry, EmbeddingCacheStore } from './cache-store.ts';

/** Options of {@link storeCache}. */
export interface StoreCacheOptions {
  /** First part of every key, apart from the `root` of databases in the same store. Default `'norimaki.embeddings'`. */
  readonly root?: string | undefined;
  /** Vectors are forgotten after this time. Default: never. */
  readonly ttl?: Duration | undefined;
  /** Default: the machine's. */
  readonly clock?: Clock | undefined;
}

const CHECKSUM_BYTES = 16;

/** Over the key too, so that a value under another's key is damaged as well. */
function checksum(key: string, bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(key).update(bytes).digest().subarray(0, CHECKSUM_BYTES);
}

/** A checksum, and 32-bit floats with the lowest byte first. */
function encode({ key, vector }: EmbeddingCacheEntry): Uint8Array {
  const value = Buffer.alloc(CHECKSUM_BYTES + vector.length * 4);
  for (const [i, number] of vector.entries()) value.writeFloatLE(number, CHECKSUM_BYTES + i * 4);
  value.set(checksum(key, value.subarray(CHECKSUM_BYTES)));
  return value;
}

function decode(key: string, value: Uint8Array): Float32Array | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const numbers = bytes.subarray(CHECKSUM_BYTES);
  if (numbers.length % 4 !== 0 || !bytes.subarray(0, CHECKSUM_BYTES).equals(checksum(key, numbers))) return undefined;
  return Float32Array.from({ length: numbers.length / 4 }, (_, i) => numbers.readFloatLE(i * 4));
}

/**
 * Remembers vectors in any store, which may be that of the entities. A damaged entry counts as missing. The store stays
 * the caller's to close.
 *
 * @example
 * ```ts
 * const store = await embedded({ path: './data/vectors' }).openStore(systemEnvironment);
 * const embedder = cachedEmbedder(inner, { store: storeCache(store, { ttl: '90d' }) });
 * ```
 */
export function storeCache(
  store: Store,
  { root = 'norimaki.embeddings', ttl, clock = systemClock }: StoreCacheOptions = {},
): EmbeddingCacheStore {
  const lifetime = ttl === undefined ? undefined : milliseconds(ttl, 'ttl');
  const keyOf = (key: string): Uint8Array => encodeTuple([root, key]);
  return {
    async get(keys) {
      // What is under a key never changes, so an old answer is as good as a new one.
      const found = await store.getMany(keys.map(keyOf), { consistency: 'eventual' });
      return keys.map((key, i) => {
        const stored = found[i];
        return stored && decode(key, stored.value);
      });
    },
    async set(entries) {
      const expiresAt = lifetime === undefined ? undefined : clock.now() + lifetime;
      await Promise.all(entries.map((entry) => store.put(keyOf(entry.key), encode(entry), { expiresAt })));
    },
  };
}
