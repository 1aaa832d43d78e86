import { beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { Inventory } from '../../src/patterns/index.ts';
import { Cells } from '../../src/patterns/inventory/cells.ts';
import { settingsOf } from '../../src/patterns/inventory/settings.ts';
import { Spread } from '../../src/patterns/inventory/spread.ts';
import { openMemory } from '../support/open.ts';
import { Stock, type StockInventory } from './support/inventories.ts';

let db: Database;
let inventory: StockInventory;
let cells: Cells;
let spread: Spread;

beforeEach(async () => {
  ({ db } = await openMemory());
  inventory = new Inventory(db, Stock, { name: 'main', buckets: 2 });
  cells = new Cells(db, Stock, settingsOf({ name: 'main' }));
  spread = new Spread(cells, db.environment);
  await inventory.create({ sku: 'A', onHand: 10 });
});

/** What a process leaves behind that dies between sending and delivering. */
async function send(n: number, quantity: number): Promise<void> {
  await db.repo(Stock).mutate('A', ({ book, levels }) => {
    levels.default = (levels.default ?? 0) - quantity;
    book.moved -= quantity;
    book.sent['1'] = { n, at: { default: quantity } };
  });
}

async function expectAll(): Promise<void> {
  await inventory.audit({ fix: true });
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, available: 10, moving: 0 });
  expect((await inventory.audit()).findings).toEqual([]);
}

test('what is on its way is delivered by whoever comes by, once, also by two of them', async () => {
  await send(1, 4);
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, moving: 4 });
  const seen = await cells.read('A', {});
  expect(await Promise.all([spread.finish(seen, {}), spread.finish(seen, {})])).toEqual([1, 1]);
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, moving: 0 });
  await expectAll();
});

test('one who comes late to a move does not strike out the next', async () => {
  await send(1, 4);
  const seen = await cells.read('A', {});
  await spread.finish(seen, {});
  await send(2, 3);
  await spread.finish(seen, {});
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, moving: 3 });
  await expectAll();
});

test('nothing is sent after what has not arrived', async () => {
  const seen = await cells.read('A', {});
  await send(1, 4);
  await spread.gather({ sku: 'A', bucket: 1 }, { sku: 'A', parts: [{ quantity: 2 }] }, seen, {});
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, moving: 4 });
  await expectAll();
});

test('nothing is sent that was reserved meanwhile', async () => {
  await db.repo(Stock).mutate('A', (stock) => {
    stock.buckets = 1;
  });
  const seen = await cells.read('A', {});
  const { id } = await inventory.reserve([{ sku: 'A', quantity: 9 }]);
  await inventory.configure('A', { buckets: 2 });
  const whole = { stock: seen.stock, cells: [seen.cells[0], cells.merge(seen)] } as const;
  whole.cells[1].change({ default: 10 }, -1);
  await spread.gather({ sku: 'A', bucket: 1 }, { sku: 'A', parts: [{ quantity: 5 }] }, whole, {});
  const first = await db.repo(Stock).getOrThrow('A');
  expect(first.levels.default).toBeGreaterThanOrEqual(9);
  await inventory.release(id);
  await expectAll();
});
