import { beforeEach, describe, expect, test } from 'vitest';
import { type Database, NorimakiError } from '../../src/index.ts';
import { Inventory } from '../../src/patterns/index.ts';
import { Holds } from '../../src/patterns/shared/hold/index.ts';
import { holdRecords } from '../../src/patterns/shared/hold/record.ts';
import type { ManualClock } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { Stock, type StockInventory } from './support/inventories.ts';

/** So many keys, and closed holds of each kind, a record remembers. */
const REMEMBERED = 128;

let db: Database;
let clock: ManualClock;
let inventory: StockInventory;

beforeEach(async () => {
  ({ db, clock } = await openMemory());
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

async function sellMore(count: number): Promise<void> {
  const holds = await Promise.all(Array.from({ length: count }, () => inventory.reserve(one)));
  await Promise.all(holds.map(({ id }) => inventory.commit(id)));
}

describe('what is forgotten', () => {
  test('a hold that was sold and is forgotten is unknown, and is never sold a second time', async () => {
    const { id } = await inventory.reserve(one);
    await inventory.commit(id);
    await sellMore(REMEMBERED - 1);
    expect(await inventory.commit(id)).toEqual({ replayed: true });
    await sellMore(1);
    expect(await code(inventory.commit(id))).toBe('inventory.unknownHold');
    expect(await code(inventory.release(id))).toBe('inventory.unknownHold');
    expect((await inventory.level('A')).ledger.sold).toBe(REMEMBERED + 1);
  });

  test('a key of one SKU holds until 128 later ones; then it reserves again, as the page says', async () => {
    const options = { idempotencyKey: 'order' };
    const { id } = await inventory.reserve(one, options);
    await inventory.commit(id);
    await sellMore(REMEMBERED - 1);
    expect(await inventory.reserve(one, options)).toMatchObject({ id, state: 'committed' });
    expect(await inventory.commit(id)).toEqual({ replayed: true });
    await sellMore(1);
    expect(await inventory.reserve(one, options)).toMatchObject({ state: 'held', replayed: false });
  });

  test('what was forgotten under a key is not sold by its id once the key has reserved anew', async () => {
    const options = { idempotencyKey: 'order' };
    const first = await inventory.reserve(one, options);
    await inventory.commit(first.id);
    await sellMore(REMEMBERED);
    const second = await inventory.reserve(one, options);
    expect(second.id).not.toBe(first.id);
    for (const call of [inventory.commit(first.id), inventory.release(first.id), inventory.extend(first.id, '1h')]) {
      expect(await code(call)).toBe('inventory.unknownHold');
    }
    expect(await inventory.level('A')).toMatchObject({ reserved: 1, ledger: { sold: REMEMBERED + 1 } });
    expect(await inventory.commit(second.id)).toEqual({ replayed: false });
    expect(await code(inventory.commit(first.id))).toBe('inventory.unknownHold');
    expect(await inventory.reserve(one, options)).toMatchObject({ id: second.id, state: 'committed' });
  });

  test('a key of one SKU that is kept as a cart is remembered for as long as remember says, however many follow', async () => {
    const brief = new Inventory(db, Stock, { name: 'main', ttl: '15m', remember: '1h' });
    const options = { idempotencyKey: 'order', asCart: true };
    const { id } = await brief.reserve(one, options);
    expect(await brief.commit(id)).toEqual({ replayed: false });
    await sellMore(REMEMBERED + 1);
    expect(await brief.reserve(one, options)).toMatchObject({ id, state: 'committed', lines: one });
    expect(await brief.commit(id)).toEqual({ replayed: true });
    await clock.advance(74 * 60_000);
    expect(await brief.reserve(one, options)).toMatchObject({ id, state: 'committed' });
    expect((await inventory.level('A')).ledger.sold).toBe(REMEMBERED + 2);
    await clock.advance(2 * 60_000);
    expect(await brief.reserve(one, options)).toMatchObject({ state: 'held' });
  });

  test('a cart is remembered by its own record, for as long as remember says, however many follow', async () => {
    const brief = new Inventory(db, Stock, { name: 'main', ttl: '15m', remember: '1h' });
    const options = { idempotencyKey: 'order' };
    const { id } = await brief.reserve(cart, options);
    await brief.commit(id);
    await sellMore(REMEMBERED + 1);
    // It ends with its time at the earliest.
    await clock.advance(74 * 60_000);
    expect(await brief.reserve(cart, options)).toMatchObject({ id, state: 'committed' });
    expect(await brief.commit(id)).toEqual({ replayed: true });
    expect((await inventory.level('B')).ledger.sold).toBe(1);
    await clock.advance(2 * 60_000);
    expect(await code(brief.commit(id))).toBe('inventory.unknownHold');
    expect((await inventory.level('B')).ledger.sold).toBe(1);
  });

  test.each(['sold', 'given back', 'late, and met by nobody'])(
    'a cart under a key that is forgotten is a new one, and holds what it says: the first was %s',
    async (end) => {
      const brief = new Inventory(db, Stock, { name: 'main', ttl: '15m', remember: '1h' });
      const options = { idempotencyKey: 'order' };
      const { id } = await brief.reserve(cart, options);
      if (end === 'sold') await brief.commit(id);
      if (end === 'given back') await brief.release(id);
      // The record of the cart ends when somebody asks.
      if (end.startsWith('late')) {
        await clock.advance(20 * 60_000);
        const { holds } = (await db.repo(Stock).getOrThrow('A')).book;
        expect(Object.keys(holds)).toEqual([id]);
        expect(await holdRecords(db).get({ block: JSON.stringify(['inventory', 'main']), id })).toBeDefined();
        const carts = new Holds(db, { block: JSON.stringify(['inventory', 'main']), remember: 3_600_000 });
        expect(await carts.meet(id, {})).toEqual({ do: 'undo' });
      }
      await clock.advance(90 * 60_000);
      const before = (await inventory.level('A')).ledger.sold;
      const again = await brief.reserve(cart, options);
      expect(again).toMatchObject({
        state: 'held',
        lines: [
          { sku: 'A', quantity: 1 },
          { sku: 'B', quantity: 1 },
        ],
      });
      for (const sku of ['A', 'B']) expect(await inventory.level(sku)).toMatchObject({ reserved: 1 });
      await clock.advance(10 * 60_000);
      expect(await brief.commit(again.id)).toEqual({ replayed: false });
      for (const sku of ['A', 'B']) {
        expect(await inventory.level(sku)).toMatchObject({ reserved: 0, ledger: { sold: before + 1 } });
      }
    },
  );

  test('a truck is remembered until 128 later ones', async () => {
    const bring = (key: string) => inventory.restock('A', 1, { idempotencyKey: key });
    await bring('truck');
    await Promise.all(Array.from({ length: REMEMBERED - 1 }, (_, i) => bring(`${i}`)));
    expect(await bring('truck')).toEqual({ replayed: true });
    await bring('one more');
    expect(await bring('truck')).toEqual({ replayed: false });
  });
});

test('a key whose hold was sold says what was asked for, and until when a cart had been kept', async () => {
  const lines = [
    { sku: 'A', quantity: 2, location: 'default' },
    { sku: 'B', quantity: 3 },
  ];
  const options = { idempotencyKey: 'order' };
  const { id, expiresAt } = await inventory.reserve(lines, options);
  await inventory.commit(id);
  await clock.advance(1000);
  expect(await inventory.reserve(lines, options)).toEqual({ id, state: 'committed', lines, expiresAt, replayed: true });
  const single = await inventory.reserve(lines.slice(1), { idempotencyKey: 'one' });
  await inventory.commit(single.id);
  expect(await inventory.reserve(lines.slice(1), { idempotencyKey: 'one' })).toMatchObject({
    id: single.id,
    lines: lines.slice(1),
  });
});
