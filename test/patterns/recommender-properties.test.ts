import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store, VectorStore } from '../../src/core/store.ts';
import { open } from '../../src/index.ts';
import { type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { near, Product, type Shop, SIGNALS, type Signal, skus, startShop, stockUp } from './support/recommenders.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 300, embedded: 50, norikv: 50 }
  : { memory: 8, embedded: 1, norikv: 1 };
const PROCESSES = 3;
const HALF_LIFE = 30 * 86_400_000;
const CAMPAIGN = { seed: 20_260_101, endOnFailure: true };

interface Sent {
  readonly user: string;
  readonly item: string;
  readonly signal: Signal;
  readonly at: number;
  readonly key: string;
}

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  let clock: ManualClock;
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    clock = manualClock(START, { autoAdvance: true });
    store = await openStore(kind, { clock, random: seededRandom(1) });
    const db = await open(store as VectorStore, { clock, random: seededRandom(9) });
    await stockUp(db, 3, 12);
  });

  test('many who record at once, in several processes, are the fold of all that was acknowledged: no click is lost or doubled, no fault shrinks a profile', async () => {
    let known = 0;
    const property = async (seed: number): Promise<void> => {
      const random = seededRandom(seed);
      const name = `shop ${runs++}`;
      const calm = (await startShop(store, { clock, seed: 3, name })).shop;
      const processes = await Promise.all(
        Array.from({ length: PROCESSES }, (_, i) =>
          startShop(store, { clock, seed: seed + i, name, faults: anyFaults(seed + i) }),
        ),
      );
      const events = Array.from({ length: 40 }, (_, n): Sent => {
        const signals = Object.keys(SIGNALS) as Signal[];
        return {
          user: `user ${pickInt(random, 2)}`,
          item: `${'abc'[pickInt(random, 3)]}${pickInt(random, 4)}`,
          signal: signals[pickInt(random, signals.length)] as Signal,
          at: START - pickInt(random, 3 * HALF_LIFE),
          key: `event ${n}`,
        };
      });
      const fates = await Promise.all(
        events.map(async ({ user, item, signal, at, key }) => {
          const record = (): Promise<'done'> => {
            const { shop } = processes[pickInt(random, PROCESSES)] as { shop: Shop };
            return shop.record(user, item, signal, { at, idempotencyKey: key }).then(() => 'done');
          };
          // As a caller should: what is not certain is asked again, and what came twice comes twice.
          const fate = await record().catch(() => record().catch(fateOf));
          return fate !== 'done' || random.float() < 0.8 ? fate : record().catch(() => fate);
        }),
      );
      for (const { faulty } of processes) await faulty.heal();
      for (const user of ['user 0', 'user 1']) {
        const { items, newest } = await calm.profile(user);
        const own = events.filter((event) => event.user === user);
        const certain = own.filter((event) => fates[events.indexOf(event)] === 'done');
        known += certain.length;
        // Doubtful ones are asked for again, under their keys, until all is certain.
        for (const { item, signal, at, key } of own.filter((event) => !certain.includes(event))) {
          await calm.record(user, item, signal, { at, idempotencyKey: key });
        }
        const before = new Map(items.map((one) => [one.item, one]));
        for (const { item, at } of certain) {
          expect(before.get(item)?.at.getTime(), `seed ${seed}: ${item} shrank`).toBeGreaterThanOrEqual(at);
        }
        expect(newest === undefined || newest.getTime() <= START).toBe(true);
        const whole = await calm.profile(user);
        const then = Math.max(...own.map(({ at }) => at));
        const sums = new Map<string, number>();
        for (const { item, signal, at } of own) {
          sums.set(item, (sums.get(item) ?? 0) + SIGNALS[signal] * 2 ** ((at - then) / HALF_LIFE));
        }
        expect(whole.items.map(({ item }) => item).sort(), `seed ${seed}`).toEqual([...sums.keys()].sort());
        for (const { item, weight } of whole.items) {
          expect(weight, `seed ${seed}: ${item} of ${user}`).toBeCloseTo(sums.get(item) ?? 0, 9);
        }
      }
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
      ...CAMPAIGN,
      numRuns: RUNS[kind],
    });
    // Most faults are survived, or nothing was tested.
    expectOnAverage(known, RUNS[kind], 20);
  });

  test('edits that race recommendations: nothing seen, deleted, hidden or of another text is given, whatever fails', async () => {
    let given = 0;
    const property = async (seed: number): Promise<void> => {
      const random = seededRandom(seed);
      const prefix = `${runs++}-`;
      const calm = await startShop(store, { clock, seed: 3, name: prefix });
      const shaky = await startShop(store, { clock, seed, name: prefix, faults: anyFaults(seed) });
      const products = calm.db.repo(Product);
      const names = Array.from({ length: 10 }, (_, i) => `${prefix}${i}`);
      for (const sku of names) await products.create({ sku, kind: 'new', stock: 1, look: near(7, random) });
      const [first = '', second = ''] = names;
      for (const item of [first, second]) await calm.shop.record('mia', item, 'buy');
      for (const item of names) await calm.shop.record('ann', item, 'buy');
      /** What each item was at some time, as far as the test has begun to make it so. */
      const states = new Map(names.map((sku) => [sku, new Set(['new/1'])]));
      const gone = new Set<string>();
      const edit = async (): Promise<void> => {
        const sku = names[2 + pickInt(random, 8)] ?? '';
        if (random.float() < 0.4) {
          await products.delete(sku);
          gone.add(sku);
          return;
        }
        if (gone.has(sku)) return;
        const [kindNow, stock] = [`kind ${pickInt(random, 3)}`, pickInt(random, 2)];
        states.get(sku)?.add(`${kindNow}/${stock}`);
        const look = near(pickInt(random, 2) === 0 ? 7 : 0, random);
        await products.put({ sku, kind: kindNow, stock, look }).catch(() => undefined);
        if (gone.has(sku)) await products.delete(sku);
      };
      const ask = async (): Promise<void> => {
        const goneBefore = new Set(gone);
        const strategy = (['interests', 'average', 'bestScore', 'coVisit', 'popular', 'blended'] as const)[
          pickInt(random, 6)
        ];
        const options = { strategy, diversify: pickInt(random, 2) / 2, explore: 0.2, seed, limit: 20 };
        const list = await shaky.shop.for('mia', { ...options, filter: ({ stock }) => stock > 0 }).catch(fateOf);
        if (typeof list === 'string') return;
        for (const { item } of list) {
          given++;
          expect([first, second], `seed ${seed}: seen`).not.toContain(item.sku);
          expect(goneBefore, `seed ${seed}: ${item.sku} was deleted`).not.toContain(item.sku);
          expect(item.stock).toBe(1);
          const known = states.get(item.sku);
          if (known !== undefined) expect(known, `seed ${seed}`).toContain(`${item.kind}/${item.stock}`);
        }
      };
      for (let round = 0; round < 6; round++) await Promise.all([edit(), ask(), edit(), ask()]);
      await shaky.faulty.heal();
      for (const sku of names) await products.delete(sku);
      expect(skus(await calm.shop.for('mia', { limit: 50 })).filter((sku) => sku.startsWith(prefix))).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
      ...CAMPAIGN,
      numRuns: RUNS[kind],
    });
    expectOnAverage(given, RUNS[kind], 20);
  });

  test('a read that fails is an error, never a new user', async () => {
    const calm = (await startShop(store, { clock, seed: 3 })).shop;
    await calm.record('mia', 'a0', 'buy');
    const { shop } = await startShop(store, { clock, seed: 4, faults: { errorBefore: 1 } });
    await expect(shop.for('mia')).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(shop.profile('mia')).rejects.toMatchObject({ code: 'store.unavailable' });
    await expect(shop.record('mia', 'b0', 'view')).rejects.toMatchObject({ code: 'store.unavailable' });
    expect((await calm.profile('mia')).items.map(({ item }) => item)).toEqual(['a0']);
  });
});

test('what is counted over all users may fail, and the event is recorded all the same', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  const calm = (await startShop(store, { clock, seed: 2 })).shop;
  let puts = 0;
  const { shop } = await startShop(store, {
    clock,
    seed: 3,
    script: ({ verb }) => ((verb === 'put' || verb === 'commit') && puts++ > 0 ? 'errorBefore' : 'none'),
  });
  expect(await shop.record('mia', 'a0', 'buy', { idempotencyKey: 'k' })).toEqual({ replayed: false, counted: false });
  expect((await calm.profile('mia')).items).toMatchObject([{ item: 'a0', weight: 8 }]);
});
