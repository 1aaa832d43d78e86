import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Database, NorimakiError, open } from '../../src/index.ts';
import { Inventory } from '../../src/patterns/index.ts';
import { Holds } from '../../src/patterns/shared/hold/index.ts';
import type { ManualClock } from '../../src/testing/index.ts';
import { type Bench, openMemory } from '../support/open.ts';
import { Stock, type StockInventory } from './support/inventories.ts';
import { collect } from './support/sessions.ts';

let bench: Bench;
let db: Database;
let clock: ManualClock;
let inventory: StockInventory;

beforeEach(async () => {
  bench = await openMemory();
  ({ db, clock } = bench);
  inventory = new Inventory(db, Stock, { name: 'main', ttl: '15m' });
  await inventory.create({ sku: 'A', onHand: 1000 });
  await inventory.create({ sku: 'B', onHand: 1000 });
});

const code = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof NorimakiError ? error.code : error),
  );

const one = [{ sku: 'A', quantity: 1 }];
const cart = [...one, { sku: 'B', quantity: 1 }];

test('a delivery and a correction under the same key are two things', async () => {
  const options = { idempotencyKey: 'monday' };
  expect(await inventory.restock('A', 5, options)).toEqual({ replayed: false });
  expect(await inventory.adjust('A', -2, options)).toEqual({ replayed: false });
  expect((await inventory.level('A')).onHand).toBe(1003);
});

test.each([
  ['one SKU', one],
  ['a cart', cart],
])('a key whose hold was given back or has expired says so: %s', async (_, lines) => {
  const { id } = await inventory.reserve(lines, { idempotencyKey: 'back' });
  await inventory.release(id);
  expect(await code(inventory.reserve(lines, { idempotencyKey: 'back' }))).toBe('inventory.holdClosed');
  await inventory.reserve(lines, { idempotencyKey: 'late' });
  await clock.advance(15 * 60_000);
  expect(await code(inventory.reserve(lines, { idempotencyKey: 'late' }))).toBe('inventory.holdExpired');
  expect([await inventory.available('A'), await inventory.available('B')]).toEqual([1000, 1000]);
});

test('a record carries as many live holds as maxHolds, not one more', async () => {
  const few = new Inventory(db, Stock, { name: 'main', maxHolds: 2 });
  await few.reserve(one);
  await few.reserve(one);
  await expect(few.reserve(one)).rejects.toMatchObject({
    code: 'inventory.tooManyHolds',
    details: { sku: 'A', limit: 2 },
  });
  expect((await inventory.level('A')).reserved).toBe(2);
  // Those whose time is over count no more, also before anybody took them away.
  await clock.advance(15 * 60_000);
  await few.reserve(one);
});

test('one call that is refused spoils no other that shares its write', async () => {
  const { id } = await inventory.reserve(one);
  const unknown = id.replace(/^s.{16}/, `s${'x'.repeat(16)}`);
  const calls = [inventory.reserve(one), inventory.commit(id), inventory.commit(unknown), inventory.reserve(one)];
  expect(await Promise.all(calls.map(code))).toEqual(['ok', 'ok', 'inventory.unknownHold', 'ok']);
  expect(await inventory.level('A')).toMatchObject({ onHand: 999, reserved: 2 });
});

test('a correction of a SKU with backorder may go below what is there', async () => {
  await inventory.configure('A', { backorder: true });
  await inventory.adjust('A', -1003);
  expect(await inventory.level('A')).toMatchObject({ onHand: -3, available: -3 });
});

describe('a cart', () => {
  test('is extended while it lives, never made shorter, and never brought back', async () => {
    const hold = await inventory.reserve(cart);
    expect(await inventory.extend(hold.id, '1m')).toEqual(hold.expiresAt);
    await clock.advance(15 * 60_000);
    expect(await code(inventory.extend(hold.id, '1h'))).toBe('inventory.holdExpired');
    expect(await code(inventory.commit(hold.id))).toBe('inventory.holdExpired');
    expect(await inventory.available('A')).toBe(1000);
    // Who learnt that it is over gave it back.
    expect((await inventory.audit()).findings).toEqual([]);
  });

  test('that was sold leaves nothing to finish', async () => {
    await inventory.commit((await inventory.reserve(cart)).id);
    expect((await inventory.audit()).findings).toEqual([]);
  });

  test('that lost one of its SKUs to somebody else while it was being taken gives the others back at once', async () => {
    await inventory.create({ sku: 'C', onHand: 2 });
    const want = [...one, { sku: 'C', quantity: 2 }];
    let lost = 0;
    for (let delay = 0; delay < 40; delay++) {
      const rival = new Inventory(await open(bench.store, db.environment), Stock, { name: 'main' });
      const asked = inventory.tryReserve(want);
      for (let turn = 0; turn < delay; turn++) await nextTurn();
      const [tried, taken] = await Promise.all([asked, rival.tryReserve([{ sku: 'C', quantity: 1 }])]);
      if (!tried.ok) lost++;
      expect(await inventory.available('A'), `delay ${delay}`).toBe(tried.ok ? 999 : 1000);
      expect(await inventory.available('C'), `delay ${delay}`).toBe(2 - (tried.ok ? 2 : 0) - (taken.ok ? 1 : 0));
      for (const held of [tried, taken]) if (held.ok) await inventory.release(held.hold.id);
    }
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(40);
  });
});

describe('buckets', () => {
  test('there are never fewer of them', async () => {
    await inventory.configure('A', { buckets: 8 });
    await inventory.configure('A', { buckets: 2 });
    expect((await db.repo(Stock).getOrThrow('A')).buckets).toBe(8);
  });

  test('backorder and carts work on them, too', async () => {
    await inventory.create({ sku: 'C', onHand: 2, backorder: true });
    await inventory.configure('C', { buckets: 4 });
    await inventory.configure('B', { buckets: 2 });
    const hold = await inventory.reserve([
      { sku: 'C', quantity: 5 },
      { sku: 'B', quantity: 1000 },
    ]);
    expect((await inventory.tryReserve(cart)).ok).toBe(false);
    await inventory.commit(hold.id);
    expect(await inventory.level('C')).toMatchObject({ onHand: -3, available: -3 });
    expect(await inventory.level('B')).toMatchObject({ onHand: 0, reserved: 0 });
  });

  test('safety stock is kept wherever the pieces lie when it is set', async () => {
    await inventory.configure('A', { buckets: 4 });
    for (const idempotencyKey of ['a', 'b', 'c', 'd', 'e', 'f']) {
      await inventory.release((await inventory.reserve([{ sku: 'A', quantity: 1000 }], { idempotencyKey })).id);
    }
    await inventory.configure('A', { safetyStock: 400 });
    expect(await inventory.available('A')).toBe(600);
    for (const idempotencyKey of ['g', 'h', 'i', 'j', 'k', 'l']) {
      const tried = await inventory.tryReserve([{ sku: 'A', quantity: 601 }], { idempotencyKey });
      expect(tried).toEqual({ ok: false, shortfalls: [{ sku: 'A', requested: 601, available: 600 }] });
    }
    expect((await inventory.tryReserve([{ sku: 'A', quantity: 600 }])).ok).toBe(true);
    expect((await inventory.tryReserve(one)).ok).toBe(false);
  });
});

test.each<[string, (it: StockInventory) => Promise<unknown>]>([
  ['a location that every object has', (it) => it.restock('A', 1, { location: 'constructor' })],
  ['the same in a line', (it) => it.reserve([{ sku: 'A', quantity: 1, location: 'toString' }])],
  ['the same at the beginning', (it) => it.create({ sku: 'C', onHand: { valueOf: 1 } as never })],
  ['an empty location', (it) => it.reserve([{ sku: 'A', quantity: 1, location: '' }])],
  ['an empty key of a hold', (it) => it.reserve(one, { idempotencyKey: '' })],
  ['an empty key of a truck', (it) => it.restock('A', 1, { idempotencyKey: '' })],
  ['a negative safety stock', (it) => it.configure('A', { safetyStock: -1 })],
  ['too many buckets', (it) => it.configure('A', { buckets: 65 })],
  ['a negative beginning', (it) => it.create({ sku: 'C', onHand: -1 })],
])('%s is refused, and changes nothing', async (_, call) => {
  expect(await code(call(inventory))).toBe('argument.invalid');
  expect(await inventory.level('A')).toMatchObject({ onHand: 1000, available: 1000 });
  expect(await code(inventory.level('C'))).toBe('inventory.unknownSku');
});

test('a call that is given up before it begins does nothing', async () => {
  const signal = AbortSignal.abort();
  for (const call of [
    () => inventory.reserve(one, { signal }),
    () => inventory.reserve(cart, { signal }),
    () => inventory.restock('A', 1, { signal }),
    () => inventory.available('A', { signal }),
    () => inventory.audit({ signal }),
  ]) {
    expect(await code(call())).toBe('aborted');
  }
  expect(await inventory.level('A')).toMatchObject({ onHand: 1000, available: 1000 });
});

describe('an audit', () => {
  test('leaves an extended cart alone, and names what is held beyond what there is', async () => {
    const { id } = await inventory.reserve(cart);
    await inventory.extend(id, '1h');
    await clock.advance(30 * 60_000);
    expect((await inventory.audit({ fix: true })).findings).toEqual([]);
    await inventory.configure('A', { backorder: true });
    await inventory.reserve([{ sku: 'A', quantity: 1004 }]);
    expect((await inventory.audit()).findings).toEqual([]);
    await inventory.configure('A', { backorder: false });
    expect((await inventory.audit({ fix: true })).findings).toEqual([
      { problem: 'oversold', sku: 'A', pieces: 5, fixed: false },
    ]);
    expect(await inventory.commit(id)).toEqual({ replayed: false });
  });
});

test('a cart that is refused is told so before it leaves a record behind', async () => {
  expect((await inventory.tryReserve([...one, { sku: 'B', quantity: 1001 }])).ok).toBe(false);
  const carts = new Holds(db, { block: JSON.stringify(['inventory', 'main']), remember: 1000 });
  expect(await collect(carts.all({}))).toEqual([]);
  await inventory.reserve(cart);
  expect(await collect(carts.all({}))).toMatchObject([{ state: 'held' }]);
});

test('a cart that cannot be had for another reason than too little gives back at once what it took', async () => {
  const few = new Inventory(db, Stock, { name: 'main', maxHolds: 1 });
  await few.reserve([{ sku: 'B', quantity: 1 }]);
  await expect(few.reserve(cart)).rejects.toMatchObject({ code: 'inventory.tooManyHolds', details: { sku: 'B' } });
  expect(await inventory.level('A')).toMatchObject({ reserved: 0, available: 1000 });
  // Its record is over, so that its holds are nobody's.
  expect((await db.repo(Stock).getOrThrow('A')).book.holds).toEqual({});
});
