import { setImmediate as idle } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { manualClock } from '../../src/testing/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { startStock } from './support/inventory-shop.ts';

const PROCESSES = 8;
const BUYERS = 50;
const STOCKED = 50;

interface Bought {
  readonly sold: number;
  readonly cancelled: number;
  readonly refused: number;
}

test('50 pieces, 400 buyers in 8 processes, 10 percent cancel, answers are lost, one process is killed: never below 0, at most 50 sold, the sum conserved', {
  timeout: 180_000,
}, async () => {
  const { data } = await temporaryFolder();
  await using db = await open(embedded({ path: data, durability: 'committed' }));
  const inventory = startStock(db);
  await inventory.create({ sku: 'hot', onHand: STOCKED });
  await inventory.create({ sku: 'other', onHand: 1000 });
  const children = Array.from({ length: PROCESSES }, (_, i) => startChild('buyer', data, i, BUYERS));
  const doomed = startChild('buyer', data, PROCESSES, BUYERS);
  for (const child of [...children, doomed]) expect(await child.next()).toEqual({ ready: true });
  for (const child of [...children, doomed]) {
    child.send('go');
    child.process.stdin?.end();
  }
  const problems: string[] = [];
  let looks = 0;
  const ended = Promise.all(children.map((child) => child.ended));
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver) {
    // Not at one instant, as it has buckets: what was sold is read with or before what is left.
    const { available, ledger } = await inventory.level('hot');
    looks++;
    if (available < 0 || ledger.sold > STOCKED) problems.push(`${available} available, ${ledger.sold} sold`);
    if (ledger.sold > 0) doomed.process.kill('SIGKILL');
    // Reads of a folder take no turn of the event loop, and the children's words do.
    await idle();
  }
  doomed.process.kill('SIGKILL');
  await doomed.ended;
  expect(await ended).toEqual(children.map(() => ({ code: 0, signal: null, errors: '' })));
  expect(problems).toEqual([]);
  expect(looks).toBeGreaterThan(3);
  const bought = children.map(({ messages }) => messages[1] as Bought);
  const sum = (of: keyof Bought): number => bought.reduce((total, one) => total + one[of], 0);
  expect(sum('sold') + sum('cancelled') + sum('refused')).toBe(PROCESSES * BUYERS);
  expect(bought.filter(({ sold }) => sold > 0).length).toBeGreaterThan(1);

  // What the killed one held comes back when its time is over, without a job.
  const clock = manualClock(Date.now() + 16 * 60_000);
  await using later = await open(embedded({ path: data, durability: 'committed' }), { clock });
  const stock = startStock(later);
  await stock.audit({ fix: true });
  const level = await stock.level('hot');
  expect(level.ledger.sold).toBeLessThanOrEqual(STOCKED);
  expect(level.ledger.sold).toBeGreaterThanOrEqual(sum('sold'));
  expect(level).toMatchObject({
    onHand: STOCKED - level.ledger.sold,
    available: STOCKED - level.ledger.sold,
    reserved: 0,
  });
  expect((await stock.audit()).findings).toEqual([]);
});
