import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Database, defineEntity, NorimakiError } from '../../src/index.ts';
import { Inventory, stockFields } from '../../src/patterns/index.ts';
import type { ManualClock } from '../../src/testing/index.ts';
import { type Bench, openMemory } from '../support/open.ts';
import { Stock, type StockInventory } from './support/inventories.ts';

let bench: Bench;
let db: Database;
let clock: ManualClock;
let inventory: StockInventory;

beforeEach(async () => {
  bench = await openMemory();
  ({ db, clock } = bench);
  inventory = new Inventory(db, Stock, { name: 'main', ttl: '15m' });
  await inventory.create({ sku: 'A', title: 'Sheets', onHand: 10 });
  await inventory.create({ sku: 'B', onHand: { AMS: 3, BER: 5 } });
});

const code = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof NorimakiError ? error.code : error),
  );

function countWrites({ store }: Bench): () => number {
  let writes = 0;
  const put = store.put.bind(store);
  store.put = (...call) => {
    writes++;
    return put(...call);
  };
  return () => writes;
}

describe('one SKU', () => {
  test('is reserved, then sold', async () => {
    const hold = await inventory.reserve([{ sku: 'A', quantity: 4 }]);
    expect(hold).toMatchObject({
      state: 'held',
      replayed: false,
      lines: [{ sku: 'A', location: 'default', quantity: 4 }],
    });
    expect(await inventory.level('A')).toMatchObject({ onHand: 10, reserved: 4, available: 6 });
    expect(await inventory.commit(hold.id)).toEqual({ replayed: false });
    expect(await inventory.commit(hold.id)).toEqual({ replayed: true });
    expect(await inventory.level('A')).toMatchObject({
      onHand: 6,
      reserved: 0,
      available: 6,
      ledger: { stocked: 10, sold: 4 },
    });
    expect(await code(inventory.release(hold.id))).toBe('inventory.holdClosed');
    expect(await code(inventory.extend(hold.id, '1h'))).toBe('inventory.holdClosed');
  });

  test('is given back, once, and then not sold', async () => {
    const hold = await inventory.reserve([{ sku: 'A', quantity: 4 }]);
    expect(await inventory.release(hold.id)).toBe(true);
    expect(await inventory.release(hold.id)).toBe(false);
    expect(await inventory.available('A')).toBe(10);
    expect(await code(inventory.commit(hold.id))).toBe('inventory.holdClosed');
  });

  test('comes back by itself when the time of the hold is over, and is then not sold', async () => {
    const hold = await inventory.reserve([{ sku: 'A', quantity: 10 }]);
    await clock.advance(15 * 60_000 - 1);
    expect(await inventory.available('A')).toBe(0);
    await clock.advance(1);
    expect(await inventory.available('A')).toBe(10);
    expect(await code(inventory.commit(hold.id))).toBe('inventory.holdExpired');
    expect(await inventory.release(hold.id)).toBe(false);
    await inventory.reserve([{ sku: 'A', quantity: 10 }]);
    expect(await code(inventory.commit(hold.id))).toBe('inventory.holdExpired');
  });

  test('a hold that is extended lives longer, never shorter', async () => {
    const hold = await inventory.reserve([{ sku: 'A', quantity: 1 }]);
    expect(await inventory.extend(hold.id, '1m')).toEqual(hold.expiresAt);
    await inventory.extend(hold.id, '1h');
    await clock.advance(59 * 60_000);
    await inventory.commit(hold.id);
    expect(await inventory.level('A')).toMatchObject({ onHand: 9, reserved: 0 });
  });

  test('takes one write, and leaves no record of the hold', async () => {
    const writes = countWrites(bench);
    await inventory.reserve([{ sku: 'A', quantity: 1 }]);
    expect(writes()).toBe(1);
  });

  test('64 contenders in one process share writes', async () => {
    await inventory.restock('A', 100);
    const before = (await db.repo(Stock).getOrThrow('A')).book.stocked;
    const writes = countWrites(bench);
    await Promise.all(Array.from({ length: 64 }, () => inventory.reserve([{ sku: 'A', quantity: 1 }])));
    expect(writes()).toBeLessThan(5);
    expect(writes()).toBeGreaterThan(0);
    expect(await inventory.available('A')).toBe(before - 64);
  });
});

describe('too little', () => {
  test('is a result of tryReserve and an error of reserve, with what there is', async () => {
    const tried = await inventory.tryReserve([{ sku: 'A', quantity: 11 }]);
    expect(tried).toEqual({ ok: false, shortfalls: [{ sku: 'A', requested: 11, available: 10 }] });
    await expect(inventory.reserve([{ sku: 'A', quantity: 11 }])).rejects.toMatchObject({
      code: 'inventory.insufficient',
      details: { shortfalls: [{ sku: 'A', requested: 11, available: 10 }] },
    });
  });

  test('of a cart names every SKU that is short, and keeps none', async () => {
    await inventory.create({ sku: 'C', onHand: 1 });
    const tried = await inventory.tryReserve([
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 9 },
      { sku: 'C', quantity: 2 },
    ]);
    expect(tried).toEqual({
      ok: false,
      shortfalls: [
        { sku: 'B', requested: 9, available: 8 },
        { sku: 'C', requested: 2, available: 1 },
      ],
    });
    expect(await inventory.available('A')).toBe(10);
  });

  test('a key that was refused may be tried again, alone and as a cart', async () => {
    for (const lines of [
      [{ sku: 'A', quantity: 11 }],
      [
        { sku: 'A', quantity: 11 },
        { sku: 'B', quantity: 1 },
      ],
    ]) {
      const idempotencyKey = `key ${lines.length}`;
      expect((await inventory.tryReserve(lines, { idempotencyKey })).ok).toBe(false);
      await inventory.restock('A', 1);
      const hold = await inventory.reserve(lines, { idempotencyKey });
      expect((await inventory.reserve(lines, { idempotencyKey })).id).toBe(hold.id);
      await inventory.release(hold.id);
      await inventory.adjust('A', -1);
    }
  });
});

test('medusa #16502: two lines of one SKU in one call are summed before they are checked', async () => {
  const twice = [
    { sku: 'A', quantity: 6 },
    { sku: 'A', quantity: 6 },
  ];
  expect(await inventory.tryReserve(twice)).toEqual({
    ok: false,
    shortfalls: [{ sku: 'A', requested: 12, available: 10 }],
  });
  expect((await inventory.tryReserve([...twice, { sku: 'B', quantity: 1 }])).ok).toBe(false);
  expect(await inventory.level('A')).toMatchObject({ reserved: 0, available: 10 });
});

test('medusa #16569: of reservations at once no more get through than there is', async () => {
  const calls = Array.from({ length: 30 }, (_, i) =>
    inventory.tryReserve(
      i % 2 === 0
        ? [{ sku: 'A', quantity: 3 }]
        : [
            { sku: 'A', quantity: 3 },
            { sku: 'B', quantity: 1 },
          ],
    ),
  );
  const held = (await Promise.all(calls)).filter(({ ok }) => ok);
  expect(held.length).toBe(3);
  expect(await inventory.level('A')).toMatchObject({ reserved: 9, available: 1 });
});

test('medusa #12401: what is reserved is never negative, whatever is released how often', async () => {
  const holds = await Promise.all([1, 2].map(() => inventory.reserve([{ sku: 'A', quantity: 2 }])));
  const ids = [...holds, ...holds].map(({ id }) => id);
  await Promise.all(ids.map((id) => inventory.release(id)));
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, reserved: 0, available: 10 });
  await Promise.all(holds.map(({ id }) => code(inventory.commit(id))));
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, reserved: 0, available: 10 });
});

describe('a cart', () => {
  const lines = [
    { sku: 'A', quantity: 2 },
    { sku: 'B', quantity: 1, location: 'AMS' },
  ];

  test('is held whole, and sold whole', async () => {
    const hold = await inventory.reserve(lines);
    expect(hold.lines).toEqual([
      { sku: 'A', location: 'default', quantity: 2 },
      { sku: 'B', location: 'AMS', quantity: 1 },
    ]);
    expect(await inventory.commit(hold.id)).toEqual({ replayed: false });
    expect(await inventory.commit(hold.id)).toEqual({ replayed: true });
    expect(await code(inventory.release(hold.id))).toBe('inventory.holdClosed');
    expect(await inventory.level('A')).toMatchObject({ onHand: 8, reserved: 0 });
    expect(await inventory.level('B')).toMatchObject({ onHand: 7, locations: { AMS: { onHand: 2, available: 2 } } });
  });

  test('is given back', async () => {
    const hold = await inventory.reserve(lines);
    expect(await inventory.release(hold.id)).toBe(true);
    expect(await inventory.release(hold.id)).toBe(false);
    expect(await code(inventory.commit(hold.id))).toBe('inventory.holdClosed');
    expect([await inventory.available('A'), await inventory.available('B')]).toEqual([10, 8]);
  });

  test('comes back when its time is over: to who looks, and to who needs it', async () => {
    const hold = await inventory.reserve([
      { sku: 'A', quantity: 10 },
      { sku: 'B', quantity: 8 },
    ]);
    await clock.advance(15 * 60_000);
    expect([await inventory.available('A'), await inventory.available('B')]).toEqual([10, 8]);
    await inventory.reserve([{ sku: 'A', quantity: 10 }]);
    expect(await code(inventory.commit(hold.id))).toBe('inventory.holdExpired');
    expect(await inventory.level('B')).toMatchObject({ onHand: 8, reserved: 0 });
  });

  test('that was extended is not taken for late', async () => {
    const hold = await inventory.reserve(lines);
    await inventory.extend(hold.id, '1h');
    await clock.advance(30 * 60_000);
    expect(await inventory.available('A')).toBe(8);
    expect((await inventory.tryReserve([{ sku: 'A', quantity: 9 }])).ok).toBe(false);
    await inventory.commit(hold.id);
    expect(await inventory.available('A')).toBe(8);
  });
});

test('the same key gives the same hold, alone and as a cart, also once it is sold', async () => {
  for (const lines of [
    [{ sku: 'A', quantity: 2 }],
    [
      { sku: 'A', quantity: 2 },
      { sku: 'B', quantity: 1 },
    ],
  ]) {
    const idempotencyKey = `order ${lines.length}`;
    const holds = await Promise.all([1, 2, 3].map(() => inventory.reserve(lines, { idempotencyKey })));
    expect(new Set(holds.map(({ id }) => id)).size).toBe(1);
    expect(holds.filter(({ replayed }) => !replayed).length).toBe(1);
    const [{ id } = { id: '' }] = holds;
    const other = lines.map((line) => ({ ...line, quantity: 1 }));
    expect(await code(inventory.reserve(other, { idempotencyKey }))).toBe('argument.invalid');
    await inventory.commit(id);
    expect(await inventory.reserve(lines, { idempotencyKey })).toMatchObject({
      id,
      state: 'committed',
      replayed: true,
    });
  }
  expect(await inventory.level('A')).toMatchObject({ onHand: 6, reserved: 0 });
});

test('stock comes in once under its key, and is corrected down to what is held', async () => {
  expect(await inventory.restock('A', 5, { idempotencyKey: 'truck' })).toEqual({ replayed: false });
  expect(await inventory.restock('A', 5, { idempotencyKey: 'truck' })).toEqual({ replayed: true });
  await inventory.reserve([{ sku: 'A', quantity: 12 }]);
  expect(await code(inventory.adjust('A', -4))).toBe('inventory.insufficient');
  await inventory.adjust('A', -3, { idempotencyKey: 'broken' });
  await inventory.adjust('A', -3, { idempotencyKey: 'broken' });
  expect(await inventory.level('A')).toMatchObject({
    onHand: 12,
    available: 0,
    ledger: { stocked: 15, adjusted: -3, sold: 0 },
  });
});

test('locations: the fullest first, or in an order of yours', async () => {
  const at = async (one: StockInventory, quantity: number): Promise<unknown> => {
    const { id, lines } = await one.reserve([{ sku: 'B', quantity }]);
    await one.release(id);
    return Object.fromEntries(lines.map(({ location, quantity: pieces }) => [location, pieces]));
  };
  expect(await at(inventory, 4)).toEqual({ BER: 4 });
  expect(await at(inventory, 7)).toEqual({ BER: 5, AMS: 2 });
  const near = new Inventory(db, Stock, { name: 'main', allocation: ['AMS', 'PAR'] });
  expect(await at(near, 4)).toEqual({ AMS: 3, BER: 1 });
  const own = new Inventory(db, Stock, { name: 'main', allocation: (free) => Object.keys(free).sort().reverse() });
  expect(await at(own, 6)).toEqual({ BER: 5, AMS: 1 });
  expect(await inventory.tryReserve([{ sku: 'B', quantity: 4, location: 'AMS' }])).toEqual({
    ok: false,
    shortfalls: [{ sku: 'B', location: 'AMS', requested: 4, available: 3 }],
  });
});

test('safety stock is not reserved, and backorder sells what is not there', async () => {
  await inventory.configure('A', { safetyStock: 4 });
  expect(await inventory.available('A')).toBe(6);
  expect((await inventory.tryReserve([{ sku: 'A', quantity: 7 }])).ok).toBe(false);
  await inventory.configure('A', { safetyStock: 0, backorder: true });
  const hold = await inventory.reserve([{ sku: 'A', quantity: 13 }]);
  expect(await inventory.available('A')).toBe(-3);
  await inventory.commit(hold.id);
  await inventory.configure('A', { backorder: false });
  expect((await inventory.tryReserve([{ sku: 'A', quantity: 1 }])).ok).toBe(false);
  await inventory.restock('A', 4);
  expect((await inventory.tryReserve([{ sku: 'A', quantity: 1 }])).ok).toBe(true);
});

test('too many live holds in one record are refused until some end', async () => {
  const few = new Inventory(db, Stock, { name: 'main', maxHolds: 2 });
  const first = await few.reserve([{ sku: 'A', quantity: 1 }], { ttl: '1m' });
  await few.reserve(
    [
      { sku: 'A', quantity: 1 },
      { sku: 'B', quantity: 1 },
    ],
    { ttl: '1m' },
  );
  expect(await code(few.reserve([{ sku: 'A', quantity: 1 }]))).toBe('inventory.tooManyHolds');
  await few.release(first.id);
  await few.reserve([{ sku: 'A', quantity: 1 }]);
  await clock.advance(60_000);
  await few.reserve([{ sku: 'A', quantity: 1 }]);
});

describe('buckets', () => {
  beforeEach(() => inventory.configure('A', { buckets: 8 }));

  test('sell all there is and no more, wherever it lies', async () => {
    const clients = Array.from({ length: 4 }, () => new Inventory(db, Stock, { name: 'main' }));
    const calls = Array.from({ length: 20 }, (_, i) =>
      (clients[i % 4] as StockInventory).tryReserve([{ sku: 'A', quantity: 1 }], { idempotencyKey: `${i}` }),
    );
    const tried = await Promise.all(calls);
    expect(tried.filter(({ ok }) => ok).length).toBe(10);
    for (const one of tried) if (one.ok) await inventory.commit(one.hold.id);
    expect(await inventory.level('A')).toMatchObject({
      onHand: 0,
      reserved: 0,
      available: 0,
      moving: 0,
      ledger: { sold: 10 },
    });
  });

  test('gather what one buyer wants, and what is corrected', async () => {
    for (let i = 0; i < 6; i++) {
      const { id } = await inventory.reserve([{ sku: 'A', quantity: 5 }], { idempotencyKey: `${i}` });
      await inventory.release(id);
    }
    const hold = await inventory.reserve([
      { sku: 'A', quantity: 9 },
      { sku: 'B', quantity: 1 },
    ]);
    await inventory.release(hold.id);
    await inventory.adjust('A', -10);
    expect(await inventory.level('A')).toMatchObject({ onHand: 0, available: 0 });
    expect(await inventory.audit()).toMatchObject({ isHealthy: true, skus: 2, findings: [] });
  });
});

test('an audit finds what does not add up, and mends it', async () => {
  await inventory.reserve([
    { sku: 'A', quantity: 1 },
    { sku: 'B', quantity: 1 },
  ]);
  await db.repo(Stock).mutate('A', (stock) => Object.assign(stock.levels, { default: 7 }) && undefined);
  await db.repo(Stock).mutate('B', (stock) => Object.assign(stock.levels, { AMS: -2 }) && undefined);
  await clock.advance(15 * 60_000);
  const progress: number[] = [];
  const report = await inventory.audit({ onProgress: ({ done }) => progress.push(done) });
  expect(report.isHealthy).toBe(false);
  expect(report.findings.map(({ sku, problem, pieces }) => [sku, problem, pieces])).toEqual([
    ['A', 'lateHold', undefined],
    ['A', 'imbalance', 3],
    ['B', 'lateHold', undefined],
    ['B', 'imbalance', 5],
    ['B', 'negative', 2],
  ]);
  expect(progress).toEqual([1, 2]);
  expect((await inventory.audit({ fix: true })).isHealthy).toBe(true);
  expect((await inventory.audit()).findings).toEqual([]);
  expect(await inventory.level('B')).toMatchObject({ onHand: 5, available: 5 });
});

test('bad input says what is wrong, and changes nothing', async () => {
  const calls: (() => Promise<unknown>)[] = [
    () => inventory.reserve([]),
    () => inventory.reserve([{ sku: 'A', quantity: -5 }]),
    () => inventory.reserve([{ sku: 'A', quantity: 0 }]),
    () => inventory.reserve([{ sku: 'A', quantity: 1.5 }]),
    () => inventory.reserve([{ sku: '', quantity: 1 }]),
    () => inventory.reserve([{ sku: 'A', quantity: 1, location: '__proto__' }]),
    () => inventory.reserve([{ sku: 'A', quantity: 1 }], { ttl: 0 }),
    () => inventory.restock('A', -5),
    () => inventory.adjust('A', 0),
  ];
  for (const call of calls) expect(await code(call())).toBe('argument.invalid');
  for (const call of [
    () => inventory.reserve([{ sku: 'X', quantity: 1 }]),
    () =>
      inventory.reserve([
        { sku: 'X', quantity: 1 },
        { sku: 'A', quantity: 1 },
      ]),
    () => inventory.restock('X', 1),
    () => inventory.available('X'),
  ]) {
    expect(await code(call())).toBe('inventory.unknownSku');
  }
  for (const id of ['', 'x', 's', 'constructor', `c${'x'.repeat(16)}.0`, `s${'x'.repeat(16)}.0.QQ`]) {
    expect(await code(inventory.commit(id))).toBe('inventory.unknownHold');
    expect(await code(inventory.release(id))).toBe('inventory.unknownHold');
    expect(await code(inventory.extend(id, '1m'))).toBe('inventory.unknownHold');
  }
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, reserved: 0 });
});

test('what defineEntity made is stock as well', async () => {
  const Plain = defineEntity('plain', z.object({ ...stockFields, title: z.string() }), { id: 'sku' });
  const plain = new Inventory(db, Plain, { name: 'plain' });
  expect(await plain.create({ sku: 'A', title: 'Sheets', onHand: 2, safetyStock: 1 })).toMatchObject({
    title: 'Sheets',
  });
  expect(await plain.available('A')).toBe(1);
  expect(await inventory.available('A')).toBe(10);
});
