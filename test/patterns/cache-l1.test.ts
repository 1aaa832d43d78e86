import fc from 'fast-check';
import { LRUCache } from 'lru-cache';
import { expect, test } from 'vitest';
import { LocalTier } from '../../src/patterns/cache/l1/local.ts';
import { FrequencySketch, hashOf } from '../../src/patterns/cache/l1/sketch.ts';
import { TinyLfu } from '../../src/patterns/cache/l1/tiny-lfu.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { isLong } from '../support/campaign.ts';

const commands = fc.array(
  fc.record({
    kind: fc.constantFrom('get', 'get', 'get', 'set', 'set', 'delete'),
    key: fc.integer({ min: 0, max: 30 }).map((n) => `k${n}`),
    bytes: fc.integer({ min: 0, max: 40 }),
  }),
  { maxLength: 300 },
);

test('it is a map that never holds more than its bounds, and tells of all that had to go', () => {
  fc.assert(
    fc.property(commands, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 150 }), (all, max, maxBytes) => {
      const model = new Map<string, { readonly value: number; readonly bytes: number }>();
      const held = new TinyLfu<number>({ max, maxBytes }, seededRandom(1), (key, value) => {
        expect(model.get(key)?.value).toBe(value);
        model.delete(key);
      });
      for (const [value, { kind, key, bytes }] of all.entries()) {
        if (kind === 'get') expect(held.get(key)).toBe(model.get(key)?.value);
        else if (kind === 'delete') {
          expect(held.delete(key)).toBe(model.get(key)?.value);
          model.delete(key);
        } else {
          model.delete(key);
          if (bytes <= maxBytes) model.set(key, { value, bytes });
          expect(held.set(key, value, bytes)).toBe(model.has(key));
        }
        expect(held.size).toBe(model.size);
        expect(held.size).toBeLessThanOrEqual(max);
        expect(held.bytes).toBe([...model.values()].reduce((sum, { bytes }) => sum + bytes, 0));
        expect(held.bytes).toBeLessThanOrEqual(maxBytes);
      }
      held.clear();
      expect([held.size, held.bytes]).toEqual([0, 0]);
    }),
    { numRuns: isLong ? 20_000 : 300, seed: 20_260_101 },
  );
});

/** Keys as they are asked for: a few far more often than others, and now and then all of a long list, once. */
function* requests(count: number, seed: number): Generator<string> {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    if (i % 2_000 < 500) yield `scan ${i}`;
    // About Zipf's law.
    else yield `key ${Math.floor(2_000 ** random.float())}`;
  }
}

function hitRate(cache: { get(key: string): unknown; set(key: string, value: number): unknown }): number {
  let hits = 0;
  const count = 40_000;
  for (const key of requests(count, 3)) {
    if (cache.get(key) !== undefined) hits++;
    else cache.set(key, 1);
  }
  return hits / count;
}

test('a scan pushes out nothing that is asked for often: more hits than LRU, in the same room', () => {
  const ours = new TinyLfu<number>({ max: 100, maxBytes: 1e9 }, seededRandom(1), () => {});
  const lru = new LRUCache<string, number>({ max: 100 });
  const rates = [hitRate({ get: (key) => ours.get(key), set: (key, value) => ours.set(key, value, 1) }), hitRate(lru)];
  expect(rates[0]).toBeGreaterThan((rates[1] as number) + 0.04);
});

test('what was popular once makes room for what is popular now', () => {
  const held = new TinyLfu<number>({ max: 50, maxBytes: 1e9 }, seededRandom(1), () => {});
  const ask = (era: string, rounds: number): number => {
    let hits = 0;
    for (let i = 0; i < rounds * 50; i++) {
      const key = `${era} ${i % 50}`;
      if (held.get(key) !== undefined) hits++;
      else held.set(key, 1, 1);
    }
    return hits / (rounds * 50);
  };
  expect(ask('old', 20)).toBeGreaterThan(0.8);
  ask('new', 40);
  expect(ask('new', 20)).toBeGreaterThan(0.9);
});

test('a sketch never counts too low, seldom too high, and forgets by halves', () => {
  const sketch = new FrequencySketch(1_000);
  const keys = Array.from({ length: 500 }, (_, i) => `key ${i}`);
  for (const [i, key] of keys.entries()) for (let n = 0; n <= i % 8; n++) sketch.add(hashOf(key, 1));
  const errors = keys.map((key, i) => sketch.estimate(hashOf(key, 1)) - (1 + (i % 8)));
  expect(Math.min(...errors)).toBe(0);
  expect(errors.filter((error) => error > 1).length).toBeLessThan(25);
  for (let i = 0; i < 12_000; i++) sketch.add(hashOf(`other ${i}`, 1));
  expect(sketch.estimate(hashOf('key 7', 1))).toBeLessThan(16);
});

test('what had to make room is in no index of tags any more', () => {
  const local = new LocalTier<number>({ max: 3, maxBytes: 1e9 }, seededRandom(1));
  const servable = { take: () => 1, shared: { value: 1 }, bytes: 1 };
  const rest = { calmUntil: 1, until: 1, expiresAt: 1, staleUntil: 1, cost: 0, isStale: false, version: undefined };
  const admit = (key: string, tags: string[]) => {
    const ticket = local.tickets.open(key);
    local.admit(key, ticket, { ...rest, servable, shared: servable.shared, tags });
    local.tickets.close(key, ticket);
  };
  for (let i = 0; i < 100; i++) admit(`k${i}`, ['all', `tag ${i}`]);
  expect(local.size).toBe(3);
  expect(local.evictions).toBe(97);
  expect(local.tagCount).toBeLessThanOrEqual(4);
  local.dropTags(['all']);
  expect([local.size, local.tagCount, local.bytes]).toEqual([0, 0, 0]);
  admit('again', ['x']);
  admit('again', ['y']);
  local.dropTags(['x']);
  expect(local.size).toBe(1);
  local.dropTags(['y']);
  expect(local.size).toBe(0);
});
