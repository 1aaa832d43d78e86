import { describe, expect, expectTypeOf, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { absent, Cache, type LoadContext } from '../../src/patterns/index.ts';
import { limitCapabilities } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { cacheWorld, settle } from './support/caches.ts';

const refusal = (argument: string) => ({ code: 'argument.invalid', details: { argument } });

describe('reading', () => {
  test('a value is loaded once, then served from memory and, in other processes, from the store', async () => {
    const { start } = await cacheWorld();
    const one = await start<{ n: number }>();
    const two = await start<{ n: number }>();
    let loads = 0;
    const loader = () => ({ n: ++loads });
    expect(await one.cache.get('a', loader)).toEqual({ n: 1 });
    expect(await one.cache.get('a', loader)).toEqual({ n: 1 });
    expect(await two.cache.get('a', loader)).toEqual({ n: 1 });
    expect(await two.cache.get('a')).toEqual({ n: 1 });
    expect(await two.cache.get('b')).toBeUndefined();
    expect(one.cache.stats()).toMatchObject({ loads: 1, misses: 1, l1Hits: 1, l2Hits: 0, l1Size: 1 });
    expect(two.cache.stats()).toMatchObject({ loads: 0, misses: 1, l1Hits: 1, l2Hits: 1, failures: 0 });
  });

  test('a value is loaded anew after its ttl, by all processes at the same instant', async () => {
    const { start, clock } = await cacheWorld();
    const one = await start<number>({ ttl: '10s' });
    const two = await start<number>({ ttl: '10s', l1: { ttl: '1h' } });
    await one.cache.put('a', 1);
    await clock.advance(9_000);
    // Its ttl began with the put, not with this read.
    expect(await two.cache.get('a', () => 2)).toBe(1);
    await clock.advance(999);
    expect(await two.cache.get('a')).toBe(1);
    await clock.advance(1);
    expect(await two.cache.get('a')).toBeUndefined();
    expect(await two.cache.get('a', () => 2)).toBe(2);
  });

  test('memory is trusted for its own ttl only', async () => {
    const { start, clock } = await cacheWorld();
    const one = await start<number>({ l1: { ttl: '5s' } });
    const two = await start<number>();
    await one.cache.put('a', 1);
    await two.cache.put('a', 2);
    await clock.advance(4_999);
    expect(await one.cache.get('a')).toBe(1);
    await clock.advance(1);
    expect(await one.cache.get('a')).toBe(2);
  });

  test('a loader may return what only looks like a promise', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<string>();
    // biome-ignore lint/suspicious/noThenProperty: as the query builders of some libraries have it.
    const query = { then: (resolve: (value: string) => void) => resolve('found') };
    expect(await cache.get('a', () => query as unknown as Promise<string>)).toBe('found');
  });

  test('every kind of value comes back as it was, empty ones too', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<unknown>();
    const other = await start<unknown>();
    const values = [null, '', 0, false, [], {}, 10n, new Date(0), new Map([['a', new Set([1])]]), Uint8Array.of(1)];
    for (const [i, value] of values.entries()) {
      expect(await cache.get(`k${i}`, () => value)).toStrictEqual(value);
      expect(await other.cache.get(`k${i}`)).toStrictEqual(value);
      expect(await other.cache.get(`k${i}`, () => 'loaded again')).toStrictEqual(value);
    }
  });

  test('what a loader gave is not the loader’s to change any more, nor the caller’s', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<{ tags: string[] }>();
    const own = { tags: ['a'] };
    const [first, second] = await Promise.all([cache.get('k', () => own), cache.get('k', () => own)]);
    own.tags.push('b');
    expect(Object.isFrozen(own)).toBe(false);
    expect(() => first.tags.push('c')).toThrow(TypeError);
    expect(second).toEqual({ tags: ['a'] });
    expect(await cache.get('k')).toEqual({ tags: ['a'] });
  });

  test('with values: copied everybody gets a copy', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<{ tags: string[] }>({ values: 'copied' });
    const [first, second] = await Promise.all([
      cache.get('k', () => ({ tags: ['a'] })),
      cache.get('k', () => ({ tags: ['a'] })),
    ]);
    first.tags.push('b');
    expect(second).toEqual({ tags: ['a'] });
    (await cache.get('k'))?.tags.push('c');
    expect(await cache.get('k')).toEqual({ tags: ['a'] });
  });

  test('a value that cannot be stored is told so, not cached as something else', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<unknown>();
    class Money {
      amount = 1;
    }
    await expect(cache.get('a', () => new Money())).rejects.toMatchObject({ code: 'validation.failed' });
    await expect(cache.put('a', () => 1)).rejects.toMatchObject({ code: 'validation.failed' });
  });

  test('a value too large for the store is returned, and refused by put', async () => {
    const { start } = await cacheWorld();
    const { cache, faulty } = await start<string>();
    const { value: limit } = faulty.capabilities.limits;
    const large = 'x'.repeat(limit);
    expect(await cache.get('a', () => large)).toBe(large);
    expect(cache.stats()).toMatchObject({ tooLarge: 1, failures: 0 });
    await expect(cache.put('a', large)).rejects.toMatchObject({
      code: 'cache.tooLarge',
      details: { cache: 'c', limit },
    });
    expect(await (await start<string>()).cache.get('a')).toBeUndefined();
  });

  test('caches of other names and tenants are others', async () => {
    const { db } = await openMemory();
    await new Cache<number>(db, { name: 'c' }).put('a', 1);
    await new Cache<number>(db, { name: 'd' }).put('a', 2);
    await new Cache<number>(db.forTenant('acme'), { name: 'c' }).put('a', 3);
    expect(await new Cache<number>(db, { name: 'c' }).get('a')).toBe(1);
    expect(await new Cache<number>(db, { name: 'd' }).get('a')).toBe(2);
    expect(await new Cache<number>(db.forTenant('acme'), { name: 'c' }).get('a')).toBe(3);
    await new Cache<number>(db, { name: 'c' }).clear();
    expect(await new Cache<number>(db, { name: 'd' }).get('a')).toBe(2);
  });
});

describe('what is absent', () => {
  test('is remembered for as long as the loader says, everywhere', async () => {
    const { start, clock } = await cacheWorld();
    const one = await start<string>({ l1: { ttl: '1h' } });
    const two = await start<string>();
    let loads = 0;
    const loader = ({ absent }: LoadContext<string>) => {
      loads++;
      return absent('30s');
    };
    for (const { cache } of [one, two, one]) expect(await cache.get('a', loader)).toBeUndefined();
    expect(loads).toBe(1);
    await clock.advance(30_000);
    expect(await one.cache.get('a', () => 'here')).toBe('here');
  });

  test('undefined is not remembered, and takes the place of a value that was there', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<string>({ ttl: '1s', stale: '1h', timeout: { soft: '1s' } });
    let loads = 0;
    const nothing = () => {
      loads++;
      return undefined;
    };
    expect(await cache.get('a', nothing)).toBeUndefined();
    expect(await cache.get('a', nothing)).toBeUndefined();
    expect(loads).toBe(2);
    await cache.put('a', 'old');
    await clock.advance(1_000);
    expect(await cache.get('a', nothing)).toBeUndefined();
    expect(await cache.get('a', nothing)).toBeUndefined();
    const broken = cache.get('a', () => {
      throw new Error('down');
    });
    await expect(broken).rejects.toMatchObject({ code: 'cache.loaderFailed' });
  });

  test('can be put, and has a type of its own', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<string>();
    await cache.put('a', absent('1m'));
    expect(await cache.get('a', () => 'never')).toBeUndefined();
    await expect(cache.put('a', undefined as never)).rejects.toMatchObject(refusal('value'));
    expectTypeOf(await cache.get('b', () => 'x')).toEqualTypeOf<string>();
    expectTypeOf(await cache.get('b', async ({ absent }) => (Math.abs(1) ? 'x' : absent()))).toEqualTypeOf<
      string | undefined
    >();
    expectTypeOf(await cache.get('b')).toEqualTypeOf<string | undefined>();
    // @ts-expect-error: a loader makes values of the cache
    await cache.get('c', () => 5);
  });
});

describe('the cache itself', () => {
  test('refuses what makes no sense', async () => {
    const { db } = await openMemory();
    const make = (options: object) => () => new Cache(db, { name: 'c', ...options });
    expect(make({ name: '' })).toThrow(expect.objectContaining(refusal('name')));
    expect(make({ ttl: 0 })).toThrow(expect.objectContaining(refusal('ttl')));
    expect(make({ ttl: '29d', stale: '2d' })).toThrow(expect.objectContaining(refusal('ttl')));
    expect(make({ jitter: 1.5 })).toThrow(expect.objectContaining(refusal('jitter')));
    expect(make({ early: -1 })).toThrow(expect.objectContaining(refusal('early')));
    expect(make({ l1: { max: 0 } })).toThrow(expect.objectContaining(refusal('l1.max')));
    expect(make({ l1: { maxBytes: 1.5 } })).toThrow(expect.objectContaining(refusal('l1.maxBytes')));
    expect(make({ coherence: 'magic' })).toThrow(expect.objectContaining(refusal('coherence')));
    expect(make({ singleFlight: true })).toThrow(expect.objectContaining(refusal('singleFlight')));
    expect(make({ values: 'mutable' })).toThrow(expect.objectContaining(refusal('values')));
    expect(make({ timeout: { hard: 0 } })).toThrow(expect.objectContaining(refusal('timeout.hard')));
    const cache = new Cache<number>(db, { name: 'c' });
    for (const key of ['', '\ud800', 'x'.repeat(513)]) {
      await expect(cache.get(key, () => 1)).rejects.toMatchObject(refusal('key'));
      await expect(cache.put(key, 1)).rejects.toMatchObject(refusal('key'));
      await expect(cache.invalidate(key)).rejects.toMatchObject(refusal('key'));
      await expect(cache.invalidateTags([key])).rejects.toMatchObject(refusal('tag'));
    }
    await expect(cache.get('a', () => 1, { ttl: '31d' })).rejects.toMatchObject(refusal('ttl'));
    await expect(cache.get('a', () => 1, { tags: 'one' as never })).rejects.toMatchObject(refusal('tags'));
    await expect(cache.get('a', ({ setTtl }) => setTtl('31d') as never)).rejects.toMatchObject({
      code: 'cache.loaderFailed',
      cause: { code: 'argument.invalid' },
    });
  });

  test('needs atomic compare-and-swap, unless its user accepts that', async () => {
    const { store } = await openMemory();
    const db = await open(limitCapabilities(store, ['cas']));
    expect(() => new Cache(db, { name: 'c' })).toThrow(NorimakiError);
    expect(await new Cache<number>(db, { name: 'c', unsafe: true }).get('a', () => 1)).toBe(1);
  });

  test('close() calls off what is under way and leaves no timer behind', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1s', stale: '1m' });
    await cache.put('a', 1);
    await clock.advance(1_000);
    let signal: AbortSignal | undefined;
    const hanging = (context: { signal: AbortSignal }) => {
      ({ signal } = context);
      return new Promise<number>(() => {});
    };
    expect(await cache.get('a', hanging)).toBe(1);
    await settle();
    expect(signal?.aborted).toBe(false);
    const waiting = expect(cache.get('b', hanging)).rejects.toMatchObject({ code: 'aborted' });
    await settle();
    await cache.close();
    await waiting;
    await settle();
    expect(signal?.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
    expect(cache.stats().l1Size).toBe(0);
  });

  test('stores no value for longer than it may be served, and a while', async () => {
    const { start, clock, store } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '1s', stale: '1s', timeout: { hard: '1s' } });
    await cache.get('a', () => 1);
    await clock.advance(2 * 3_600_000);
    // A write of another key is when the memory store tidies up.
    await (await start<number>({ name: 'other' })).cache.put('b', 1);
    const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
    expect(entries).toHaveLength(1);
  });
});
