import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { absent } from '../../src/patterns/index.ts';
import { cacheWorld, gate, settle } from './support/caches.ts';

describe('one load for all who ask', () => {
  test('in a process', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<number>();
    const slow = gate<number>();
    let loads = 0;
    const ask = () =>
      cache.get('a', () => {
        loads++;
        return slow.promise;
      });
    const early = Array.from({ length: 50 }, ask);
    await settle();
    const late = Array.from({ length: 50 }, ask);
    await settle();
    slow.open(7);
    expect(new Set(await Promise.all([...early, ...late]))).toEqual(new Set([7]));
    expect(loads).toBe(1);
  });

  test('in a process without memory, too: who came late is told once it is known to be good', async () => {
    const { start } = await cacheWorld();
    for (const options of [{ l1: false }, { coherence: 'validate' }] as const) {
      const { cache } = await start<number>({ ...options, name: JSON.stringify(options) });
      // What is not stored must not be loaded for each of them either.
      for (const result of [7, undefined]) {
        const slow = gate<number | undefined>();
        let loads = 0;
        const ask = () =>
          cache.get(`key of ${result}`, () => {
            loads++;
            return slow.promise;
          });
        const all = [ask()];
        for (let i = 0; i < 5; i++) {
          await settle();
          all.push(ask());
        }
        slow.open(result);
        expect(await Promise.all(all)).toEqual(Array.from({ length: 6 }, () => result));
        expect(loads).toBe(1);
      }
    }
  });

  test('of many keys at once, with one call to the store', async () => {
    const { start } = await cacheWorld();
    let reads = 0;
    const { cache } = await start<string>({
      singleFlight: 'process',
      script: ({ verb }) => {
        if (verb === 'getMany') reads++;
        return 'none';
      },
    });
    await cache.put('b', 'B');
    reads = 0;
    const asked: (readonly string[])[] = [];
    const found = await cache.getMany(['a', 'b', 'c', 'a', 'd'], (keys) => {
      asked.push(keys);
      return keys.map((key) => (key === 'd' ? absent('1m') : key.toUpperCase()));
    });
    expect(found).toEqual(['A', 'B', 'C', 'A', undefined]);
    expect(asked).toEqual([['a', 'c', 'd']]);
    expect(reads).toBe(1);
    expect(await cache.getMany(['a', 'd'])).toEqual(['A', undefined]);
    await expect(cache.getMany(['x', 'y'], () => ['only one'])).rejects.toMatchObject({ code: 'cache.loaderFailed' });
  });

  test('among processes, while its lease is healthy', async () => {
    const { start, clock } = await cacheWorld();
    const one = await start<number>();
    const two = await start<number>();
    const slow = gate<number>();
    let loads = 0;
    const loader = () => {
      loads++;
      return slow.promise;
    };
    const first = one.cache.get('a', loader);
    await settle();
    const second = two.cache.get('a', loader);
    // Longer than the lease: it is renewed.
    for (let i = 0; i < 40; i++) await clock.advance(500);
    expect(loads).toBe(1);
    slow.open(7);
    await settle();
    await clock.advance(300);
    expect(await Promise.all([first, second])).toEqual([7, 7]);
    expect(loads).toBe(1);
  });

  test('a key whose loader died with its process is free again after the lease', async () => {
    const { start, clock } = await cacheWorld();
    const dead = await start<number>();
    const alive = await start<number>();
    void dead.cache.get('a', () => new Promise<number>(() => {})).catch(() => {});
    await settle();
    dead.faulty.crash();
    let found: number | undefined;
    void alive.cache
      .get('a', () => 7)
      .then((value) => {
        found = value;
      });
    for (let i = 0; i < 49; i++) {
      await settle();
      await clock.advance(100);
    }
    expect(found).toBeUndefined();
    for (let i = 0; i < 10; i++) {
      await settle();
      await clock.advance(100);
    }
    expect(found).toBe(7);
  });

  test('a load that failed gives the key free at once', async () => {
    const { start, clock } = await cacheWorld();
    const one = await start<number>();
    const two = await start<number>();
    const slow = gate<number>();
    const first = one.cache.get('a', () => slow.promise);
    await settle();
    const second = two.cache.get('a', () => 7);
    slow.fail(new Error('no'));
    await expect(first).rejects.toMatchObject({ code: 'cache.loaderFailed' });
    await settle();
    await clock.advance(300);
    expect(await second).toBe(7);
  });

  test('the one who gives up takes nobody with it; the last one stops the loader', async () => {
    const { start } = await cacheWorld();
    const { cache } = await start<number>();
    const [impatient, patient] = [new AbortController(), new AbortController()];
    const signals: AbortSignal[] = [];
    const ask = (signal: AbortSignal) =>
      cache.get(
        'a',
        (context) => {
          signals.push(context.signal);
          return new Promise<number>(() => {});
        },
        { signal },
      );
    const first = ask(impatient.signal);
    await settle();
    const second = ask(patient.signal);
    await settle();
    impatient.abort();
    await expect(first).rejects.toMatchObject({ code: 'aborted' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    patient.abort();
    await expect(second).rejects.toMatchObject({ code: 'aborted' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(getEventListeners(patient.signal, 'abort')).toEqual([]);
    // A load that was called off is not what the next one gets.
    expect(await cache.get('a', () => 3)).toBe(3);
    await expect(cache.get('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('the hard timeout', () => {
  test('ends a loader and tells everybody', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ timeout: { hard: '2s' } });
    let stopped: unknown;
    const hanging = Promise.all([
      cache.get('a', ({ signal }) => {
        signal.addEventListener('abort', () => {
          stopped = true;
        });
        return new Promise<number>(() => {});
      }),
    ]);
    const failure = expect(hanging).rejects.toMatchObject({
      code: 'cache.loaderTimeout',
      details: { cache: 'c', waited: 2_000 },
    });
    await settle();
    await clock.advance(2_000);
    await failure;
    expect(stopped).toBe(true);
    await settle();
    expect(clock.sleeping).toBe(0);
    expect(await cache.get('a', () => 1)).toBe(1);
  });
});

describe('not all at once', () => {
  test('jitter spreads the ends of what was stored together', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '100s', jitter: 0.5, l1: false });
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    for (const key of keys) await cache.put(key, 1);
    const left = async () => (await cache.getMany(keys)).filter((value) => value !== undefined).length;
    await clock.advance(50_000);
    expect(await left()).toBe(40);
    await clock.advance(25_000);
    expect(await left()).toBeGreaterThan(8);
    expect(await left()).toBeLessThan(32);
    await clock.advance(25_000);
    expect(await left()).toBe(0);
  });

  test('a value that is slow to load is loaded early by a few, before it expires for all', async () => {
    const { start, clock } = await cacheWorld();
    const { cache } = await start<number>({ ttl: '100s', early: 1, l1: { ttl: '1h' }, timeout: { hard: '1h' } });
    let loads = 0;
    const loader = async () => {
      loads++;
      await clock.sleep(2_000);
      return loads;
    };
    const first = cache.get('a', loader);
    await settle();
    await clock.advance(2_000);
    await first;
    await clock.advance(50_000);
    for (let i = 0; i < 50; i++) await cache.get('a', loader);
    // 50 seconds before its end nobody thinks of it.
    expect(loads).toBe(1);
    let asked = 0;
    for (; loads === 1 && asked < 60; asked++) {
      await clock.advance(1_000);
      // Nobody waits for it.
      expect(await cache.get('a', loader)).toBe(1);
      await settle();
    }
    expect(loads).toBe(2);
    expect(asked).toBeLessThan(50);
    expect(cache.stats()).toMatchObject({ earlyLoads: 1, misses: 1 });
  });
});
