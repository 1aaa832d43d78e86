import { describe, expect, test } from 'vitest';
import { memory } from '../../src/stores/memory/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { type CacheProcessOptions, gate, startCache } from './support/caches.ts';

// What users of other caches reported, step by step.

async function processes<T>(options: Partial<CacheProcessOptions>) {
  const { clock = manualClock(START) } = options;
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const start = (seed: number) => startCache<T>(store, { early: 0, ...options, clock, seed });
  const [one, two] = [await start(1), await start(2)];
  return { clock, one: one.cache, two: two.cache };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await idle();
}

describe('bentocache', () => {
  test('#71: what is deleted by tag is not served from its grace period', async () => {
    const { one, two } = await processes<number>({ ttl: '2m', stale: '10m', l1: { ttl: 0 } });
    const tags = ['x', 'z'];
    expect(await one.get('baz', () => 1, { tags })).toBe(1);
    expect(await two.get('baz')).toBe(1);
    await one.invalidateTags(['x']);
    for (const cache of [one, two]) expect(await cache.get('baz')).toBeUndefined();
    expect(await two.get('baz', () => 2, { tags })).toBe(2);
  });

  test('#115: a loader in the background is told the stale value', async () => {
    const { one, clock } = await processes<string>({ ttl: '1s', stale: '2m' });
    await one.put('foo', 'bar');
    await clock.advance(1_000);
    let told: unknown;
    const value = await one.get('foo', ({ stale }) => {
      told = stale;
      return 'baz';
    });
    expect(value).toBe('bar');
    await settle();
    expect(told).toBe('bar');
    expect(await one.get('foo')).toBe('baz');
  });

  test('a delete, by key or tag, while a factory runs is not lost', async () => {
    const { one, two } = await processes<string>({ l1: { ttl: 0 } });
    const deletes = [() => two.invalidate('key'), () => two.invalidateTags(['tag']), () => two.clear()];
    for (const erase of deletes) {
      const old = gate<string>();
      const loading = one.get('key', () => old.promise, { tags: ['tag'] });
      await settle();
      await erase();
      old.open('old');
      expect(await loading).toBe('old');
      for (const cache of [one, two]) expect(await cache.get('key')).toBeUndefined();
    }
  });

  test('#103: with a stale value at hand nobody waits for the lock of who loads', async () => {
    const { one, two, clock } = await processes<string>({ ttl: '1s', stale: '6h', l1: { ttl: 0 } });
    await one.put('key', 'stale');
    await clock.advance(1_000);
    const fresh = gate<string>();
    for (const cache of [one, one, two, two]) expect(await cache.get('key', () => fresh.promise)).toBe('stale');
    fresh.open('fresh');
    await settle();
    expect(await one.get('key')).toBe('fresh');
  });
});

describe('FusionCache', () => {
  test('#535: an invalidation while an entry is loaded is not ignored', async () => {
    const { one, two } = await processes<string>({});
    const outdated = gate<string>();
    const loading = one.get('key', () => outdated.promise, { tags: ['tag'] });
    await settle();
    await one.invalidateTags(['tag']);
    outdated.open('outdated');
    await loading;
    expect(await one.get('key', () => 'new', { tags: ['tag'] })).toBe('new');
    expect(await two.get('key')).toBe('new');
  });

  test('#628: an invalidation by tag that races an eager refresh is not lost', async () => {
    const { one, clock } = await processes<string>({ ttl: '10s', early: 5, l1: { ttl: '1h' } });
    const load = (value: string) => async () => {
      await clock.sleep(1_000);
      return value;
    };
    const first = one.get('key', load('v1'), { tags: ['tag'] });
    await settle();
    await clock.advance(1_000);
    expect(await first).toBe('v1');
    let refreshes = 0;
    const refresh = () => {
      refreshes++;
      return load('v1')();
    };
    for (let i = 0; i < 9 && refreshes === 0; i++) {
      await clock.advance(1_000);
      expect(await one.get('key', refresh, { tags: ['tag'] })).toBe('v1');
      await settle();
    }
    expect(refreshes).toBe(1);
    await clock.advance(500);
    await one.invalidateTags(['tag']);
    await clock.advance(500);
    await settle();
    expect(await one.get('key')).toBeUndefined();
  });

  test('#625: who asks after a removal does not get what is being loaded since before', async () => {
    const { one } = await processes<string>({});
    const outdated = gate<string>();
    const before = one.get('key', () => outdated.promise);
    await settle();
    await one.invalidate('key');
    expect(await one.get('key', () => 'new')).toBe('new');
    outdated.open('outdated');
    await before;
    expect(await one.get('key')).toBe('new');
  });
});

test('cacheable: two bumps of one tag at once are two', async () => {
  const { one, two } = await processes<number>({ l1: false, clock: manualClock(START, { autoAdvance: true }) });
  for (let i = 0; i < 5; i++) {
    const old = gate<number>();
    const loading = one.get('key', () => old.promise, { tags: ['tag'] });
    await settle();
    await Promise.all([one.invalidateTags(['tag']), two.invalidateTags(['tag'])]);
    old.open(i);
    await loading;
    expect(await two.get('key')).toBeUndefined();
  }
});
