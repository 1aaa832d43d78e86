import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { decodeTuple, encodeTuple } from '../../core/keys/index.ts';
import { systemEnvironment } from '../../core/system.ts';
import { memory } from '../../stores/memory/index.ts';
import { manualClock, seededRandom } from '../../testing/index.ts';
import { storeCache } from './store-cache.ts';

const KEY = encodeTuple(['norimaki.embeddings', 'k']);
const vector = Float32Array.of(1, -2.5, 3e-10);

describe('a cache in a store', () => {
  test('gives back what it was given, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ unit: anyCharacter }), fc.float32Array()), async (given) => {
        const cache = storeCache(await memory().openStore(systemEnvironment));
        const entries = Object.entries(given).map(([key, one]) => ({ key, vector: one }));
        await cache.set(entries);
        expect(await cache.get(entries.map(({ key }) => key))).toEqual(entries.map((entry) => entry.vector));
        expect(await cache.get(['nobody has this key'])).toEqual([undefined]);
      }),
      { numRuns: 50 },
    );
  });

  test('holds 32-bit floats with the lowest byte first', async () => {
    const store = await memory().openStore(systemEnvironment);
    await storeCache(store).set([{ key: 'k', vector }]);
    const value = (await store.get(KEY))?.value ?? new Uint8Array();
    const bytes = Buffer.from(value);
    expect([0, 1, 2].map((i) => bytes.readFloatLE(16 + i * 4))).toEqual(Array.from(vector));
    expect(bytes.length).toBe(16 + 12);
  });

  test('takes a value with any bit flipped, cut short or put under another key for missing', async () => {
    const store = await memory().openStore(systemEnvironment);
    const cache = storeCache(store);
    await cache.set([{ key: 'k', vector }]);
    const value = (await store.get(KEY))?.value ?? new Uint8Array();
    for (let bit = 0; bit < value.length * 8; bit++) {
      const damaged = Uint8Array.from(value);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await store.put(KEY, damaged);
      expect(await cache.get(['k'])).toEqual([undefined]);
    }
    for (let length = 0; length < value.length; length++) {
      await store.put(KEY, value.slice(0, length));
      expect(await cache.get(['k'])).toEqual([undefined]);
    }
    await store.put(encodeTuple(['norimaki.embeddings', 'other']), value);
    expect(await cache.get(['other'])).toEqual([undefined]);
    await store.put(KEY, value);
    expect(await cache.get(['k'])).toEqual([vector]);
  });

  test('forgets after its time', async () => {
    const clock = manualClock();
    const store = await memory().openStore({ clock, random: seededRandom(1) });
    const cache = storeCache(store, { ttl: '1d', clock });
    await cache.set([{ key: 'k', vector }]);
    await clock.advance(86_399_999);
    expect(await cache.get(['k'])).toEqual([vector]);
    await clock.advance(1);
    expect(await cache.get(['k'])).toEqual([undefined]);
  });

  test('stays below its root', async () => {
    const store = await memory().openStore(systemEnvironment);
    await storeCache(store, { root: 'mine' }).set([{ key: 'a', vector }]);
    expect(await store.get(encodeTuple(['mine', 'a']))).toBeDefined();
    expect(decodeTuple(KEY)).toEqual(['norimaki.embeddings', 'k']);
    expect(await storeCache(store).get(['a'])).toEqual([undefined]);
  });
});
