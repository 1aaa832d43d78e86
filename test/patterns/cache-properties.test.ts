import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { NorimakiError } from '../../src/index.ts';
import type { CacheOptions } from '../../src/patterns/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { type CacheProcess, startCache } from './support/caches.ts';
import { anyFaults } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 2000, embedded: 200, norikv: 100 }
  : { memory: 15, embedded: 2, norikv: 1 };
const PROCESSES = 3;
const KEYS = ['a', 'b'];
const TAGS = ['t', 'u', 'v'];
const L1_TTL = 1_000;

interface Ack {
  readonly key: string;
  readonly value: number;
  readonly by: number;
  /** When it was acknowledged, on the clock. */
  readonly at: number;
  /** When it began, in the order of events. */
  readonly begun: number;
}

/** A number for each key that grows with every change: a call may see none that was outdated for certain when it began. */
class Source {
  readonly #values = new Map<string, number>();
  readonly #acked: Ack[] = [];
  /** A value that is put arrives at any time of its call: before or after what is invalidated meanwhile. */
  readonly #puts: { readonly key: string; readonly value: number; ended: number }[] = [];
  #order = 0;

  value(key: string): number {
    return this.#values.get(key) ?? 0;
  }

  change(key: string): { readonly value: number; readonly begun: number } {
    const value = this.value(key) + 1;
    this.#values.set(key, value);
    return { value, begun: this.#order++ };
  }

  async put(key: string, put: (value: number) => Promise<void>): Promise<void> {
    const { value } = this.change(key);
    const one = { key, value, ended: Number.POSITIVE_INFINITY };
    this.#puts.push(one);
    await put(value);
    one.ended = this.#order++;
  }

  acknowledged(ack: Ack): void {
    this.#acked.push(ack);
  }

  /** What a call of process `by` must see at least. Others may lag behind by the ttl of their memory. */
  floor(key: string, by: number, now: number, lag: number): readonly Ack[] {
    return this.#acked.filter((ack) => ack.key === key && (ack.by === by || ack.at + lag <= now));
  }

  /** Which of them a value that was seen is too old for. */
  missed(seen: number, floor: readonly Ack[]): Ack | undefined {
    return floor.find(
      (ack) =>
        seen < ack.value &&
        !this.#puts.some(({ key, value, ended }) => key === ack.key && value === seen && ended > ack.begun),
    );
  }
}

const MODES: readonly (readonly [string, Partial<CacheOptions>, number])[] = [
  ['memory is trusted for a second', { l1: { ttl: L1_TTL } }, L1_TTL],
  ['memory asks the store', { coherence: 'validate' }, 0],
  ['there is no memory', { l1: false, singleFlight: 'process' }, 0],
];

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    store = await openStore(kind, { clock, random: seededRandom(1) });
  });

  const holds = (property: (seed: number, name: string) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), (seed) => property(seed, `cache ${runs++}`)),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );

  const start = (seed: number, options: Partial<CacheOptions>): Promise<CacheProcess<number>[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        startCache<number>(store, { clock, seed: seed * 31 + i * 7, faults: anyFaults(seed + i), ...options }),
      ),
    );

  test.each(MODES)('no call sees what was invalidated before it began, where %s', async (_, options, lag) => {
    let strict = 0;
    let acknowledged = 0;
    await holds(async (seed, name) => {
      const random = seededRandom(seed);
      const processes = await start(seed, { name, ttl: '1m', jitter: 0.5, ...options });
      const source = new Source();
      const problems: string[] = [];

      const read = async (by: number, key: string): Promise<void> => {
        const { cache } = processes[by] as CacheProcess<number>;
        const floor = source.floor(key, by, clock.mono(), lag);
        const isLate = random.float() < 0.3;
        const seen = await cache.get(
          key,
          async ({ tag, signal }) => {
            const value = source.value(key);
            if (random.float() < 0.7) await clock.sleep(random.float() * 50, { signal });
            if (isLate) tag(`${key}/late`);
            return value;
          },
          { tags: [`${key}/early`] },
        );
        // While the store is down a call goes on without: nothing is promised then.
        if (cache.stats().failures > 0) return;
        strict += 1;
        const missed = source.missed(seen, floor);
        if (missed === undefined) return;
        problems.push(`process ${by} saw ${seen} of ${key}, and ${missed.value} was there before the call`);
      };

      const change = async (by: number, key: string): Promise<void> => {
        const { cache } = processes[by] as CacheProcess<number>;
        const how = pickInt(random, 5);
        if (how === 0) {
          await source.put(key, (value) => cache.put(key, value, { tags: [`${key}/early`] }));
          return;
        }
        const { value, begun } = source.change(key);
        if (how === 1) await cache.invalidateTags([`${key}/early`, 'other']);
        else if (how === 2) await cache.clear();
        // A tag that perhaps only the loader knew.
        else if (how === 3) await Promise.all([cache.invalidateTags([`${key}/late`]), cache.expire(key)]);
        else await cache.invalidate(key);
        acknowledged += 1;
        source.acknowledged({ key, value, begun, by, at: clock.mono() });
      };

      const step = async (): Promise<void> => {
        const by = pickInt(random, PROCESSES);
        const key = KEYS[pickInt(random, KEYS.length)] as string;
        await (random.float() < 0.65 ? read(by, key) : change(by, key)).catch(onlyExpected);
        if (random.float() < 0.2) await clock.sleep(random.float() * L1_TTL);
      };
      for (let round = 0; round < 8; round++) await Promise.all([step(), step(), step(), step()]);
      for (const { faulty } of processes) await faulty.heal();
      for (let by = 0; by < PROCESSES; by++) for (const key of KEYS) await read(by, key);
      expect(problems, `seed ${seed}`).toEqual([]);
    });
    // Most faults are survived, or nothing was tested.
    expectOnAverage(strict, RUNS[kind], 12);
    expectOnAverage(acknowledged, RUNS[kind], 5);
  });

  test('racing invalidations of tags all take effect', () =>
    holds(async (seed, name) => {
      const random = seededRandom(seed);
      const processes = await start(seed, { name, l1: false, singleFlight: 'process' });
      const [{ cache }] = processes as [CacheProcess<number>];
      for (let round = 0; round < 3; round++) {
        for (const tag of TAGS) await cache.put(tag, round, { tags: [tag, 'all'] }).catch(onlyExpected);
        const chosen = TAGS.filter(() => random.float() < 0.6);
        const fates = await Promise.all(
          chosen.map((tag, i) =>
            (processes[i % PROCESSES] as CacheProcess<number>).cache.invalidateTags([tag]).then(
              () => tag,
              (error) => onlyExpected(error),
            ),
          ),
        );
        for (const tag of fates) {
          if (tag !== undefined) expect(await cache.get(tag), `seed ${seed}: ${tag}`).toBeUndefined();
        }
      }
    }));

  test('what others do to a value never changes the cache, and nothing is never taken for something', () =>
    fc.assert(
      fc.asyncProperty(fc.anything(ANYTHING), async (value) => {
        const name = `cache ${runs++}`;
        const clean = { clock, name, early: 0 };
        const one = await startCache<unknown>(store, clean);
        const two = await startCache<unknown>(store, { ...clean, values: 'copied' });
        if (value === undefined) return;
        await one.cache.put('k', value);
        const expected = structuredClone(await two.cache.get('k'));
        for (const { cache } of [one, two, one, two]) {
          const found = await cache.get('k');
          expect(found).toStrictEqual(expected);
          expect(found).not.toBeUndefined();
          vandalise(found);
        }
        vandalise(value);
        expect(await one.cache.get('k')).toStrictEqual(expected);
        expect(await two.cache.get('k')).toStrictEqual(expected);
      }),
      { numRuns: RUNS[kind] * 2, seed: 20_260_101 },
    ));
});

const ANYTHING: fc.ObjectConstraints = {
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: false,
  // JavaScript's own are refused, by name.
  key: fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key)),
  values: [fc.boolean(), fc.integer(), fc.string(), fc.constant(null), fc.constant(''), fc.constant(0)],
  maxDepth: 3,
};

/** Changes whatever can be changed. */
function vandalise(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Date) value.setTime(0);
  else if (value instanceof Map || value instanceof Set) value.clear();
  else if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(7);
  else {
    for (const part of Object.values(value)) vandalise(part);
    for (const key of Object.keys(value)) Reflect.set(value, key, 'vandalised');
    Reflect.set(value, 'added', 1);
  }
}

/** What a caller has to expect of a store that fails. */
function onlyExpected(error: unknown): undefined {
  if (error instanceof NorimakiError && !NorimakiError.match(error, 'cache.')) return undefined;
  throw error;
}
