import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { manualClock, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { startInventory } from './support/inventories.ts';
import { StockHistory } from './support/inventory-history.ts';
import { openStore } from './support/stores.ts';

const LINES = [
  { sku: 'A', quantity: 2 },
  { sku: 'B', quantity: 3 },
];
const STOCKED = { A: 4, B: 4 };

/** Runs a cart to its end in a process that dies at its n-th call of the store. Resolves to whether it died. */
async function crashAt(n: number, when: 'crashBefore' | 'crashAfter', buckets: number): Promise<boolean> {
  const clock = manualClock(START, { autoAdvance: true });
  const history = new StockHistory(await openStore('memory', { clock, random: seededRandom(1) }));
  const { inventory: calm } = await startInventory(history, { clock, seed: 1, buckets });
  for (const [sku, onHand] of Object.entries(STOCKED)) await calm.create({ sku, onHand });
  let calls = 0;
  let hold: string | undefined;
  let said: 'sold' | 'nothing' = 'nothing';
  let hasCrashed = false;
  const { inventory } = await startInventory(history, {
    clock,
    seed: 2,
    script: () => (++calls === n ? when : 'none'),
  });
  try {
    hold = (await inventory.reserve(LINES, { idempotencyKey: 'cart' })).id;
    await inventory.commit(hold);
    said = 'sold';
  } catch (error) {
    // A process that is dead cannot tell what became of its last call.
    if (!(error instanceof SimulatedCrash) && !NorimakiError.is(error, 'outcome.unknown')) throw error;
    hasCrashed = true;
  }
  const label = `${when} of call ${n}`;
  // Before its time is over what it holds can be had by nobody; after, by anybody, without a job.
  const { inventory: other } = await startInventory(history, { clock, seed: 3 });
  await clock.advance(15 * 60_000);
  const isSold = (await calm.available('A')) === 2;
  for (const [sku, onHand] of Object.entries(STOCKED)) {
    const left = isSold ? onHand - (sku === 'A' ? 2 : 3) : onHand;
    expect(await calm.available(sku), `${label}, ${sku}`).toBe(left);
    expect((await other.tryReserve([{ sku, quantity: left + 1 }])).ok, label).toBe(false);
    expect((await other.tryReserve([{ sku, quantity: left }])).ok, label).toBe(true);
  }
  if (said === 'sold') expect(isSold, label).toBe(true);
  if (hold !== undefined) {
    // A late commit learns what was decided, and changes nothing.
    const late = await other.commit(hold).then(
      () => 'sold',
      (error: unknown) => (NorimakiError.is(error, 'inventory.holdExpired') ? 'expired' : error),
    );
    expect(late, label).toBe(isSold ? 'sold' : 'expired');
  }
  const { onHand } = await other.level('A');
  expect(onHand, label).toBe(isSold ? 2 : 4);
  expect(
    history.problems(['A', 'B'], () => 4),
    label,
  ).toEqual([]);
  return hasCrashed;
}

test.each([
  ['crashBefore', 1],
  ['crashAfter', 1],
  ['crashBefore', 4],
  ['crashAfter', 4],
] as const)(
  'a process may die at any step of a cart (%s, %i buckets): it is sold whole or comes back whole, without a job',
  async (when, buckets) => {
    let n = 1;
    while (await crashAt(n, when, buckets)) n++;
    expect(n).toBeGreaterThan(10);
  },
);

test.each(['commit first', 'expiry first'])(
  'of a late commit and expiry one wins: %s, whatever the clocks say',
  async (order) => {
    const clock = manualClock(START);
    const history = new StockHistory(await openStore('memory', { clock, random: seededRandom(1) }));
    const behind = manualClock(START);
    const { inventory: buyer } = await startInventory(history, { clock: behind, seed: 1 });
    const { inventory: other } = await startInventory(history, { clock, seed: 2 });
    for (const [sku, onHand] of Object.entries(STOCKED)) await buyer.create({ sku, onHand });
    for (const lines of [LINES, LINES.slice(0, 1)]) {
      const { id } = await buyer.reserve(lines);
      await clock.advance(16 * 60_000);
      const steps = [
        () =>
          buyer.commit(id).then(
            () => 'sold',
            (error: unknown) => (error as NorimakiError).code,
          ),
        () =>
          other.tryReserve([{ sku: 'A', quantity: 4 }]).then(async (tried) => {
            if (!tried.ok) return 'short';
            await other.release(tried.hold.id);
            return 'free';
          }),
      ];
      const said: unknown[] = [];
      for (const step of order === 'commit first' ? steps : steps.reverse()) said.push(await step());
      expect(said).toEqual(order === 'commit first' ? ['sold', 'short'] : ['free', 'inventory.holdExpired']);
      if (order === 'commit first') {
        for (const { sku, quantity } of lines) await buyer.restock(sku, quantity);
      }
      await behind.advance(16 * 60_000);
    }
    expect(history.problems(['A', 'B'], () => (order === 'commit first' ? 8 : 4))).toEqual([]);
  },
);

test('a cart that was decided on is sold, though its time is over before anybody finishes it', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const history = new StockHistory(await openStore('memory', { clock, random: seededRandom(1) }));
  const { inventory: survivor } = await startInventory(history, { clock, seed: 3 });
  for (const [sku, onHand] of Object.entries(STOCKED)) await survivor.create({ sku, onHand });
  for (const finish of ['audit', 'buyer'] as const) {
    let isArmed = false;
    let puts = 0;
    const { inventory } = await startInventory(history, {
      clock,
      // The ids of holds come from it.
      seed: finish === 'audit' ? 4 : 5,
      script: ({ verb }) => (isArmed && verb === 'put' && ++puts === 1 ? 'crashAfter' : 'none'),
    });
    const { id } = await inventory.reserve([
      { sku: 'A', quantity: 2 },
      { sku: 'B', quantity: 2 },
    ]);
    isArmed = true;
    await expect(inventory.commit(id)).rejects.toThrow();
    await clock.advance(60 * 60_000);
    const before = (await survivor.level('A')).ledger.sold;
    expect((await survivor.audit()).findings).toContainEqual({ problem: 'unfinishedCommit', hold: id, fixed: false });
    await expect(survivor.release(id)).rejects.toMatchObject({ code: 'inventory.holdClosed' });
    if (finish === 'audit') {
      expect((await survivor.audit({ fix: true })).isHealthy).toBe(true);
    } else {
      const { available } = await survivor.level('B');
      expect((await survivor.tryReserve([{ sku: 'B', quantity: available + 1 }])).ok).toBe(false);
    }
    expect((await survivor.level('A')).ledger.sold).toBe(before + 2);
    expect((await survivor.audit()).findings).toEqual([]);
    expect(await survivor.commit(id)).toEqual({ replayed: true });
  }
  expect(history.problems(['A', 'B'], () => 4)).toEqual([]);
});
