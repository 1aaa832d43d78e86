import { expect, test } from 'vitest';
import { recentlyUsed } from './recently-used.ts';

test('keeps as many as it is told, those that were used last', () => {
  const cache = recentlyUsed<object>(3);
  for (const key of ['a', 'b', 'c']) cache.set(key, {});
  cache.get('a');
  cache.set('d', {});
  cache.set('d', {});
  expect([...cache.keys()].sort()).toEqual(['a', 'c', 'd']);
});

test('forgets what has aged', () => {
  let now = 1;
  const cache = recentlyUsed<object>(3, { ttl: 10, ttlResolution: 0, perf: { now: () => now } });
  cache.set('a', {});
  now = 11;
  expect(cache.get('a')).toBeDefined();
  now = 12;
  expect(cache.get('a')).toBeUndefined();
});

test('sets no room aside for what may never come', () => {
  const before = process.memoryUsage().heapUsed;
  const caches = Array.from({ length: 100 }, () => recentlyUsed<object>(1_000_000));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  expect(caches.length).toBe(100);
});
