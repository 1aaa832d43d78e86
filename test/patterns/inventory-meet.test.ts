import { beforeEach, expect, test } from 'vitest';
import type { Database } from '../../src/index.ts';
import { Inventory } from '../../src/patterns/index.ts';
import { Cells } from '../../src/patterns/inventory/cells.ts';
import type { InventoryContext } from '../../src/patterns/inventory/context.ts';
import { finishCommit, meetCarts, undo } from '../../src/patterns/inventory/meet.ts';
import { settingsOf } from '../../src/patterns/inventory/settings.ts';
import { Spread } from '../../src/patterns/inventory/spread.ts';
import { take } from '../../src/patterns/inventory/take.ts';
import { Holds } from '../../src/patterns/shared/hold/index.ts';
import type { ManualClock } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { Stock, type StockInventory } from './support/inventories.ts';

const TTL = 15 * 60_000;
const CART = [
  { sku: 'A', quantity: 1 },
  { sku: 'B', quantity: 2 },
];

let db: Database;
let clock: ManualClock;
let inventory: StockInventory;
/** As the inventory has it inside. */
let ctx: InventoryContext;

beforeEach(async () => {
  ({ db, clock } = await openMemory());
  inventory = new Inventory(db, Stock, { name: 'main', ttl: '15m' });
  const settings = settingsOf({ name: 'main', ttl: '15m' });
  const cells = new Cells(db, Stock, settings);
  const carts = new Holds(db, { block: JSON.stringify(['inventory', 'main']), remember: settings.remember });
  ctx = { settings, cells, spread: new Spread(cells, db.environment), carts, environment: db.environment };
  for (const sku of ['A', 'B']) await inventory.create({ sku, onHand: 10 });
});

const holdsOf = async (sku: string) => (await db.repo(Stock).getOrThrow(sku)).book.holds;
const place = { sku: 'A', bucket: 0 };

/** What somebody wakes up with and puts there, when all is over. */
const putLate = (id: string, expiresAt: number) =>
  ctx.cells.change(place, (cell) => cell.put(id, { at: { default: 3 }, expiresAt, cart: true }), {});

test('only a cart that was decided on is finished, whoever calls for it', async () => {
  const { id } = await inventory.reserve(CART);
  await finishCommit(ctx, id, {});
  expect(await inventory.level('A')).toMatchObject({ reserved: 1, ledger: { sold: 0 } });
  await inventory.release(id);
  await finishCommit(ctx, id, {});
  expect(await inventory.level('A')).toMatchObject({ onHand: 10, reserved: 0, ledger: { sold: 0 } });
});

test('who finishes a cart sells what was noted, and gives what came too late back at once', async () => {
  const { id } = await inventory.reserve(CART);
  await ctx.carts.decide(id, 'commit', {});
  await ctx.cells.change(place, (cell) => cell.sell(id), {});
  await putLate(id, clock.now() + TTL);
  await finishCommit(ctx, id, {});
  expect(await holdsOf('A')).toEqual({});
  expect(await inventory.level('A')).toMatchObject({ onHand: 9, reserved: 0, ledger: { sold: 1 } });
  expect(await inventory.level('B')).toMatchObject({ onHand: 8, reserved: 0, ledger: { sold: 2 } });
  expect(await ctx.carts.get(id, {})).toMatchObject({ state: 'committed' });
});

test('a cart that is late at a record and was extended is left there, and lives as long as its own record says', async () => {
  const { id } = await inventory.reserve(CART);
  const until = await inventory.extend(id, '1h');
  await clock.advance(TTL);
  const { n = 0 } = (await holdsOf('A'))[id] ?? {};
  expect(await meetCarts(ctx, place, [{ id, n }], {})).toBe(0);
  expect((await holdsOf('A'))[id]).toMatchObject({ n, expiresAt: until.getTime() });
  await clock.advance(60 * 60_000);
  expect(await meetCarts(ctx, place, [{ id, n }], {})).toBe(1);
  expect(await holdsOf('A')).toEqual({});
});

test('what was met is given back, not what somebody has put there since under the same name', async () => {
  const { id } = await inventory.reserve(CART);
  const { n = 0 } = (await holdsOf('A'))[id] ?? {};
  await inventory.release(id);
  const newer = await putLate(id, clock.now() + 2 * TTL);
  await meetCarts(ctx, place, [{ id, n }], {});
  expect((await holdsOf('A'))[id]).toMatchObject({ n: newer.n });
  await meetCarts(ctx, place, [{ id, n: newer.n }], {});
  expect(await holdsOf('A')).toEqual({});
});

test('who gives a closed cart back leaves alone what a cart that was begun anew under its name holds', async () => {
  const { id, expiresAt } = await inventory.reserve(CART);
  const cart = await ctx.carts.decide(id, 'release', {});
  if (cart === undefined) throw new Error('It is remembered.');
  await undo(ctx, cart, {});
  await putLate(id, expiresAt.getTime() + 1);
  await undo(ctx, cart, {});
  expect(Object.keys(await holdsOf('A'))).toEqual([id]);
  // As long as it may live itself, what it left behind is its own.
  await ctx.cells.change(place, (cell) => cell.drop(id, 'expired'), {});
  await putLate(id, expiresAt.getTime());
  await undo(ctx, cart, {});
  expect(await holdsOf('A')).toEqual({});
});

test('nothing is taken for a cart whose time is over', async () => {
  const want = { sku: 'A', parts: [{ quantity: 1 }] } as const;
  const taking = { place, id: 'cart', want, expiresAt: clock.now(), cart: true };
  expect(await take(ctx, taking, {})).toMatchObject({ kind: 'closed', ending: 'expired' });
  expect(await holdsOf('A')).toEqual({});
  expect(await take(ctx, { ...taking, expiresAt: clock.now() + 1 }, {})).toMatchObject({ kind: 'held' });
});

test('what a cart of the same name left behind that was forgotten is given back before this one takes its own', async () => {
  const left = await putLate('cart', clock.now() - 1);
  const want = { sku: 'A', parts: [{ quantity: 10 }] } as const;
  const taken = await take(ctx, { place, id: 'cart', want, expiresAt: clock.now() + TTL, cart: true }, {});
  expect(taken).toMatchObject({ kind: 'held', replayed: false, hold: { at: { default: 10 }, n: left.n + 1 } });
  // Who comes again finds the same, also when it was given more time meanwhile.
  for (const expiresAt of [clock.now() + TTL, clock.now() + TTL - 1]) {
    const again = await take(ctx, { place, id: 'cart', want, expiresAt, cart: true }, {});
    expect(again).toMatchObject({ kind: 'held', replayed: true, hold: { n: left.n + 1 } });
  }
});

test('a word of who has begun a hold does not reach one that was begun anew under its id', async () => {
  const begin = (expiresAt: number) => ctx.carts.begin({ id: 'x', expiresAt, participants: ['a'] }, {});
  const old = await begin(clock.now() + TTL);
  await ctx.carts.decide('x', 'release', {});
  await clock.advance(8 * 24 * 60 * 60_000);
  const anew = await begin(clock.now() + TTL);
  for (const step of ['abandon', 'hold'] as const) {
    expect(await ctx.carts.decideBegun(old, step, { participants: ['old'] })).toMatchObject({ state: 'pending' });
  }
  expect(await ctx.carts.decideBegun(anew, 'hold', { participants: ['new'] })).toMatchObject({
    state: 'held',
    participants: ['new'],
  });
  // It is held: nothing is noted a second time, and nobody who finds too little gives it back.
  for (const step of ['abandon', 'hold'] as const) {
    const after = await ctx.carts.decideBegun(anew, step, { participants: ['other'] });
    expect(after).toMatchObject({ state: 'held', participants: ['new'] });
  }
});
