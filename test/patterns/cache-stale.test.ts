import { describe, expect, test } from 'vitest';
import { encodeTuple } from '../../src/core/keys/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { type FaultKind, manualClock } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { cacheWorld, gate, settle } from './support/caches.ts';

const DOWN = (): FaultKind => 'errorBefore';

describe('what is stale', () => {
  test('is served at once while a new one is loaded', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1s', stale: '1m' });
    await cache.put('a', 1);
    await clock.advance(1_000);
    const slow = gate<number>();
    const seen: unknown[] = [];
    const loader = ({ stale }: { stale: number | undefined }) => {
      seen.push(stale);
      return slow.promise;
    };
    expect(await cache.get('a', loader)).toBe(1);
    expect(await cache.get('a', loader)).toBe(1);
    // Without a loader only what is fresh.
    expect(await cache.get('a')).toBeUndefined();
    slow.open(2);
    await settle();
    expect(await cache.get('a', loader)).toBe(2);
    expect(seen).toEqual([1]);
    expect(cache.stats()).toMatchObject({ staleHits: 2, loads: 1 });
  });

  test('is served after the soft timeout, and a new value before it', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1s', stale: '1m', timeout: { soft: '50ms' } });
    await cache.put('a', 1);
    await clock.advance(1_000);
    const slow = gate<number>();
    const slowly = cache.get('a', () => slow.promise);
    await settle();
    await clock.advance(49);
    expect(await Promise.race([slowly, idle().then(() => 'waiting')])).toBe('waiting');
    await clock.advance(1);
    expect(await slowly).toBe(1);
    slow.open(2);
    await settle();
    expect(await cache.get('a')).toBe(2);
    await clock.advance(1_000);
    expect(await cache.get('a', () => 3)).toBe(3);
  });

  test('is served if the loader fails, which is then left in peace for a while', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1s', stale: '1m', l1: { ttl: '5s' }, timeout: { soft: '1s' } });
    await cache.put('a', 1);
    await clock.advance(1_000);
    let loads = 0;
    const broken = () => {
      loads++;
      throw new Error('down');
    };
    expect(await cache.get('a', broken)).toBe(1);
    for (let i = 0; i < 5; i++) expect(await cache.get('a', broken)).toBe(1);
    expect(loads).toBe(1);
    await clock.advance(5_000);
    expect(await cache.get('a', broken)).toBe(1);
    expect(loads).toBe(2);
    await clock.advance(60_000);
    await expect(cache.get('a', broken)).rejects.toMatchObject({
      code: 'cache.loaderFailed',
      cause: { message: 'down' },
    });
  });

  test('and past its time too is not served', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1s', stale: '2s' });
    await cache.put('a', 1);
    await clock.advance(3_000);
    expect(await cache.get('a', () => 2)).toBe(2);
  });

  test('expire() makes it so, and keeps a load that began before from being stored', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1h', stale: '1m' });
    await cache.put('a', 1);
    await cache.expire('a');
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('a', () => 2)).toBe(1);
    await settle();
    expect(await cache.get('a')).toBe(2);
    await cache.expire(['a', 'b']);
    await clock.advance(60_000);
    await expect(
      cache.get('a', () => {
        throw new Error('down');
      }),
    ).rejects.toMatchObject({ code: 'cache.loaderFailed' });
  });
});

describe('a store that is down', () => {
  test('runs the loader, and memory spares it the most', async () => {
    const { start, clock } = await cacheWorld();
    let isDown = true;
    const { cache } = await start<number>({
      clock: manualClock(START, { autoAdvance: true }),
      script: () => (isDown ? DOWN() : 'none'),
    });
    let loads = 0;
    expect(await cache.get('a', () => ++loads)).toBe(1);
    expect(await cache.get('a', () => ++loads)).toBe(1);
    expect(cache.stats().failures).toBe(1);
    await expect(cache.invalidate('a')).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(cache.put('a', 2)).rejects.toMatchObject({ code: 'store.unavailable' });
    // Whatever became of it: what is in memory is not trusted any more.
    expect(await cache.get('a', () => ++loads)).toBe(2);
    isDown = false;
    void clock;
  });

  test('serves from memory what is within its stale time', async () => {
    const { start } = await cacheWorld();
    const clock = manualClock(START, { autoAdvance: true });
    let isDown = false;
    const { cache } = await start<number>({
      clock,
      ttl: '1s',
      stale: '1m',
      l1: { ttl: '1s' },
      script: () => (isDown ? DOWN() : 'none'),
    });
    await cache.put('a', 1);
    isDown = true;
    await clock.advance(30_000);
    expect(await cache.get('a', () => 2)).toBe(1);
    await clock.advance(40_000);
    expect(await cache.get('a', () => 2)).toBe(2);
  });

  test('that fails while a value is loaded costs the copy, not the call', async () => {
    const { start } = await cacheWorld();
    let isDown = false;
    const clock = manualClock(START, { autoAdvance: true });
    const { cache } = await start<number>({ clock, script: () => (isDown ? DOWN() : 'none') });
    const found = await cache.get('a', () => {
      isDown = true;
      return 1;
    });
    expect(found).toBe(1);
    expect(cache.stats().failures).toBeGreaterThan(0);
  });

  test('an entry that is damaged is loaded anew; a tag that is damaged makes the cache do without', async () => {
    const { start, store } = await cacheWorld();
    const { cache } = await start<number>({ l1: false, singleFlight: 'process' });
    const damage = (kind: string, key: string) =>
      store.put(
        encodeTuple(['norimaki', null, 0n, 'norimaki.cache', 'r', 'c', kind, key]),
        new TextEncoder().encode('{"oops'),
      );
    await cache.put('a', 1);
    await damage('entry', 'a');
    expect(await cache.get('a', () => 2)).toBe(2);
    expect(await cache.get('a', () => 3)).toBe(3);
    expect(await cache.get('a', () => 4)).toBe(3);
    await damage('entry', 'a');
    await cache.invalidate('a');
    await cache.put('a', 5);
    expect(await cache.get('a')).toBe(5);
    await damage('tag', '');
    expect(await cache.get('a', () => 6)).toBe(6);
    expect(cache.stats().failures).toBe(1);
  });
});
