import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { NorimakiError } from '../../src/index.ts';
import { type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { type InventoryProcess, startInventory } from './support/inventories.ts';
import { StockHistory } from './support/inventory-history.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1000, embedded: 100, norikv: 100 }
  : { memory: 12, embedded: 2, norikv: 1 };
const PROCESSES = 3;
const STOCKED = { A: 6, B: 4, C: 3 } as const;
const SKUS = Object.keys(STOCKED) as (keyof typeof STOCKED)[];
const TTL = 60_000;

/** What a caller was told of a hold. */
interface Known {
  readonly lines: readonly { sku: string; quantity: number }[];
  sold: boolean;
  givenBack: boolean;
  expired: boolean;
}

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  let clock: ManualClock;
  let history: StockHistory;
  let runs = 0;

  beforeEach(async () => {
    clock = manualClock(START, { autoAdvance: true });
    history = new StockHistory(await openStore(kind, { clock, random: seededRandom(1) }));
  });

  test.each([1, 3])(
    'with %i buckets: never more sold and held than there is, the sum is conserved, ends exclude each other, and all comes back',
    async (buckets) => {
      let sold = 0;
      const property = async (seed: number): Promise<void> => {
        const random = seededRandom(seed);
        const prefix = `${runs++} `;
        const skus = SKUS.map((sku) => prefix + sku);
        const calm = await startInventory(history, { clock, seed: 3, name: prefix, ttl: TTL, buckets });
        for (const sku of SKUS) await calm.inventory.create({ sku: prefix + sku, onHand: STOCKED[sku] });
        const processes = await Promise.all(
          Array.from({ length: PROCESSES }, (_, i) =>
            startInventory(history, {
              clock,
              seed: seed + i,
              name: prefix,
              ttl: TTL,
              buckets,
              faults: anyFaults(seed + i),
            }),
          ),
        );
        const known = new Map<string, Known>();
        let n = 0;
        const step = async (): Promise<void> => {
          const { inventory } = processes[pickInt(random, PROCESSES)] as InventoryProcess;
          const ids = [...known.keys()];
          const id = ids[pickInt(random, Math.max(1, ids.length))];
          const dice = random.float();
          if (dice < 0.5 || id === undefined) {
            const lines = Array.from({ length: 1 + pickInt(random, 3) }, () => ({
              sku: skus[pickInt(random, skus.length)] as string,
              quantity: 1 + pickInt(random, 3),
            }));
            const idempotencyKey = `key ${n++}`;
            const ask = () => inventory.tryReserve(lines, { idempotencyKey });
            const found = await ask()
              .catch(() => ask())
              .catch(fateOf);
            if (typeof found === 'object' && found.ok) {
              known.set(found.hold.id, { lines, sold: false, givenBack: false, expired: false });
            }
            return;
          }
          const one = known.get(id) as Known;
          const failed = (error: unknown): void => {
            if (NorimakiError.is(error, 'inventory.holdExpired')) one.expired = true;
            else if (!NorimakiError.is(error, 'inventory.holdClosed')) fateOf(error);
          };
          if (dice < 0.75)
            await inventory.commit(id).then(() => {
              one.sold = true;
            }, failed);
          else if (dice < 0.85)
            await inventory.release(id).then((did) => {
              one.givenBack ||= did;
            }, failed);
          else if (dice < 0.92) await inventory.extend(id, TTL).catch(failed);
          else await clock.advance(pickInt(random, TTL));
        };
        for (let round = 0; round < 9; round++) await Promise.all([step(), step(), step()]);
        for (const { faulty } of processes) await faulty.heal();

        for (const [id, { sold: isSold, givenBack, expired }] of known) {
          const ends = [isSold, givenBack, expired].filter(Boolean).length;
          expect(ends, `seed ${seed}: the hold ${id} ended in two ways`).toBeLessThanOrEqual(1);
        }
        // What is known to be sold is sold, once; what is known to have ended otherwise is not.
        await clock.advance(3 * TTL);
        await calm.inventory.audit({ skus, fix: true });
        for (const sku of SKUS) {
          const level = await calm.inventory.level(prefix + sku);
          const pieces = (holds: readonly Known[]): number =>
            holds
              .flatMap(({ lines }) => lines)
              .reduce((sum, line) => sum + (line.sku === prefix + sku ? line.quantity : 0), 0);
          const all = [...known.values()];
          const least = pieces(all.filter((hold) => hold.sold));
          const most = pieces(all.filter(({ givenBack, expired }) => !givenBack && !expired));
          expect(
            level.ledger.sold >= least && level.ledger.sold <= most,
            `seed ${seed}: ${least} <= ${level.ledger.sold} <= ${most}`,
          ).toBe(true);
          expect(level, `seed ${seed}`).toMatchObject({
            onHand: STOCKED[sku] - level.ledger.sold,
            available: STOCKED[sku] - level.ledger.sold,
            reserved: 0,
            moving: 0,
          });
          sold += level.ledger.sold;
        }
        expect(
          history.problems(skus, (sku) => STOCKED[sku.slice(prefix.length) as keyof typeof STOCKED]),
          `seed ${seed}`,
        ).toEqual([]);
      };
      await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
        numRuns: RUNS[kind],
        seed: 20_260_101,
        endOnFailure: true,
      });
      // Most faults are survived, or nothing was tested.
      expectOnAverage(sold, RUNS[kind], 1);
    },
    120_000,
  );

  test('stock comes in once under its key, however often it is asked for', async () => {
    const store: Store = history;
    const { inventory } = await startInventory(store, { clock, seed: 4 });
    await inventory.create({ sku: 'K' });
    const { inventory: shaky } = await startInventory(store, {
      clock,
      seed: 5,
      faults: { errorAfter: 0.3, lostRequest: 0.2 },
    });
    for (let i = 0; i < 10; i++) {
      const ask = (): Promise<boolean> =>
        shaky.restock('K', 2, { idempotencyKey: `${i}` }).then(
          () => true,
          () => false,
        );
      while (!(await ask())) await clock.advance(10);
      await ask();
    }
    expect(await inventory.level('K')).toMatchObject({ onHand: 20, ledger: { stocked: 20 } });
  });
});
