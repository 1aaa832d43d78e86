import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { type ClassShape, NorimakiError, type Repository } from '../../src/index.ts';
import { holdRecords } from '../../src/patterns/shared/hold/record.ts';
import { keyHash } from '../../src/patterns/shared/key-ring.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type FaultCall, type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { type InventoryProcess, Stock, type StockInventory, startInventory } from './support/inventories.ts';
import { StockHistory } from './support/inventory-history.ts';

// Two callers have the same order. One of them stands still for a while in the middle of reserving it.

/** More than a record remembers of each kind of end. */
const MANY = 130;
const STOCKED = 1000;
const ORDER = [
  { sku: 'A', quantity: 2 },
  { sku: 'B', quantity: 3 },
];
const KEY = { idempotencyKey: 'order' };

interface World {
  readonly clock: ManualClock;
  readonly history: StockHistory;
  readonly calm: StockInventory;
  readonly stocks: Repository<ClassShape<Stock>>;
  start(script?: (call: FaultCall) => Promise<'none' | 'crashAfter'>, clock?: Clock): Promise<InventoryProcess>;
  /** Whether the order is held. */
  isHeld(): Promise<boolean>;
}

async function openWorld(): Promise<World> {
  const clock = manualClock(START, { autoAdvance: true });
  const history = new StockHistory(await memory().openStore({ clock, random: seededRandom(1) }));
  let seed = 1;
  const start: World['start'] = (script, own = clock) =>
    startInventory(history, { clock: own, seed: seed++, script, remember: '1h' });
  const { inventory: calm, db } = await start();
  for (const sku of ['A', 'B']) await calm.create({ sku, onHand: STOCKED });
  const id = { block: JSON.stringify(['inventory', 'main']), id: `c${keyHash(KEY.idempotencyKey)}.0` };
  const isHeld = async (): Promise<boolean> => (await holdRecords(db).get(id))?.state === 'held';
  return { clock, history, calm, stocks: db.repo(Stock), start, isHeld };
}

/** The clocks of a process that stands still: its monotonic clock does, too; its wall clock goes on, or is behind ever after. */
function stalledClock(clock: ManualClock, wall: 'goes on' | 'is behind') {
  let lost = 0;
  const stalled: Clock = {
    now: () => clock.now() - (wall === 'goes on' ? 0 : lost),
    mono: () => clock.mono() - lost,
    sleep: (ms, options) => clock.sleep(ms, options),
  };
  const lose = (ms: number): void => {
    lost += ms;
  };
  return { stalled, lose };
}

const isOfStock = ({ verb, keys }: FaultCall): boolean =>
  verb !== 'get' && verb !== 'getMany' && keys.some((key) => /[^.]stock/.test(Buffer.from(key).toString('latin1')));

/** What records remember of holds that ended, once as many of others have ended in each way as they remember. */
const endsOfOthers = await (async () => {
  const { clock, calm, stocks } = await openWorld();
  const sku = 'A';
  const many = (ttl?: '1ms') =>
    Promise.all(
      Array.from({ length: MANY }, () => calm.reserve([{ sku, quantity: 1 }], ttl === undefined ? {} : { ttl })),
    );
  await Promise.all((await many()).map(({ id }) => calm.commit(id)));
  await Promise.all((await many()).map(({ id }) => calm.release(id)));
  await many('1ms');
  await clock.advance(2);
  await calm.adjust(sku, MANY);
  const { committed, released, expired } = (await stocks.getOrThrow(sku)).book;
  return { committed, released, expired };
})();

/** Every record forgets what it knew of holds that ended. */
async function forgetEnds(stocks: World['stocks']): Promise<void> {
  for (const sku of ['A', 'B']) await stocks.mutate(sku, ({ book }) => void Object.assign(book, endsOfOthers));
}

const FATES = {
  held: async () => {},
  'sold of one SKU, by a process that crashed then': async ({ start }: World, id: string) => {
    let puts = 0;
    const { inventory } = await start(async (call) => (isOfStock(call) && ++puts === 1 ? 'crashAfter' : 'none'));
    await expect(inventory.commit(id)).rejects.toThrow();
  },
  sold: async ({ calm }: World, id: string) => {
    await calm.commit(id);
  },
  released: async ({ calm }: World, id: string) => {
    await calm.release(id);
  },
  expired: async ({ calm, clock }: World, id: string) => {
    await clock.advance(15 * 60_000);
    await expect(calm.commit(id)).rejects.toMatchObject({ code: 'inventory.holdExpired' });
  },
  'sold, and forgotten': async ({ calm, clock }: World, id: string) => {
    await calm.commit(id);
    await clock.advance(2 * 60 * 60_000);
  },
  'expired, and forgotten': async ({ calm, clock }: World, id: string) => {
    await clock.advance(15 * 60_000);
    await expect(calm.commit(id)).rejects.toMatchObject({ code: 'inventory.holdExpired' });
    await clock.advance(2 * 60 * 60_000);
  },
} satisfies Record<string, (world: World, id: string) => Promise<void>>;
type FateName = keyof typeof FATES;

/** The caller stands still at its n-th call of the store, until the order of the other has met its fate. */
async function stallAt(n: number, fate: FateName, wall: 'goes on' | 'is behind'): Promise<boolean> {
  const label = `${fate}, at call ${n}`;
  const world = await openWorld();
  const { clock, history, calm, stocks, start } = world;
  const { stalled: own, lose } = stalledClock(clock, wall);
  let id = '';
  let calls = 0;
  let wasHeld = false;
  const { inventory: stalled } = await start(async () => {
    if (++calls !== n) return 'none';
    const since = clock.mono();
    wasHeld = await world.isHeld();
    const { inventory } = await start();
    ({ id } = await inventory.reserve(ORDER, KEY));
    await FATES[fate](world, id);
    await forgetEnds(stocks);
    lose(clock.mono() - since);
    return 'none';
  }, own);
  const said = await stalled.reserve(ORDER, KEY).catch((error: unknown) => {
    if (NorimakiError.is(error, 'inventory.holdClosed') || NorimakiError.is(error, 'inventory.holdExpired'))
      return error;
    throw error;
  });
  if (calls < n) return false;
  const isHeldByOther = fate === 'held';
  // It says what was so when it stood still already, or what is so now.
  if (isHeldByOther || wasHeld) expect(said, label).toMatchObject({ id, state: 'held', lines: ORDER });
  const isSold = fate.startsWith('sold');
  const wanted = Object.fromEntries(ORDER.map(({ sku, quantity }) => [sku, isSold ? quantity : 0]));
  const isAnew = !wasHeld && fate.endsWith('forgotten') && 'state' in said && said.state === 'held';
  if (!wasHeld) {
    if (isSold && !isAnew) expect(said, label).toMatchObject({ id, state: 'committed' });
    if (fate === 'released') expect(said, label).toMatchObject({ code: 'inventory.holdClosed' });
    if (fate === 'expired') expect(said, label).toMatchObject({ code: 'inventory.holdExpired' });
  }
  // What it took too late it gave back itself.
  if (!('state' in said && said.state === 'held')) {
    // What is decided on and not sold yet is not its own.
    const mine = fate.startsWith('sold of one') ? ORDER.slice(0, 1) : ORDER;
    for (const { sku } of mine) expect((await calm.level(sku)).reserved, `${label}, ${sku}`).toBe(0);
  }
  // The other's hold is what it was.
  if (isHeldByOther) {
    expect(await calm.commit(id), label).toEqual({ replayed: false });
    for (const { sku, quantity } of ORDER) wanted[sku] = quantity;
  }
  // What is held after a process forgot that it was sold is a new hold, which holds what it says.
  if (isAnew) {
    await calm.commit(said.id);
    for (const { sku, quantity } of ORDER) wanted[sku] = quantity + (wanted[sku] ?? 0);
  }
  await calm.audit({ fix: true });
  await clock.advance(60 * 60_000);
  for (const [sku, quantity] of Object.entries(wanted)) {
    const { onHand, available, reserved, ledger } = await calm.level(sku);
    expect({ sold: ledger.sold, onHand, available, reserved }, `${label}, ${sku}`).toEqual({
      sold: quantity,
      onHand: STOCKED - quantity,
      available: STOCKED - quantity,
      reserved: 0,
    });
  }
  expect(
    (await calm.audit()).findings.filter(({ problem }) => problem !== 'lateHold'),
    label,
  ).toEqual([]);
  expect(
    history.problems(['A', 'B'], () => STOCKED),
    label,
  ).toEqual([]);
  return true;
}

describe('of two callers with one key one stands still at any step, while everything that records remember is pushed out', () => {
  const fates = Object.keys(FATES) as FateName[];

  test.each(fates)('the other’s order is %s: it is sold once, and nothing stays held', async (fate) => {
    let n = 1;
    while (await stallAt(n, fate, 'goes on')) n++;
    expect(n).toBeGreaterThan(8);
  });

  // Whose clock is behind by more than an order is remembered is beyond what is promised.
  test.each(fates.filter((fate) => !fate.endsWith('forgotten')))(
    'the same with a clock that stays behind: %s',
    async (fate) => {
      let n = 1;
      while (await stallAt(n, fate, 'is behind')) n++;
      expect(n).toBeGreaterThan(8);
    },
  );
});

test('who finds too little does not take back what another with the same key has got meanwhile', async () => {
  const { calm, start } = await openWorld();
  const SCARCE = [
    { sku: 'A', quantity: 1 },
    { sku: 'C', quantity: 2 },
  ];
  await calm.create({ sku: 'C', onHand: 2 });
  let id = '';
  let writes = 0;
  const { inventory: unlucky } = await start(async (call) => {
    const isOfCart = call.verb !== 'get' && call.keys.some((key) => Buffer.from(key).includes('norimaki.hold'));
    if (!isOfCart) return 'none';
    writes++;
    if (writes === 1) await calm.reserve([{ sku: 'C', quantity: 1 }], { ttl: '1m', idempotencyKey: 'rival' });
    // It has found too little, and is about to say so.
    if (writes === 2) {
      await calm.restock('C', 5);
      ({ id } = await (await start()).inventory.reserve(SCARCE, KEY));
    }
    return 'none';
  });
  expect(await unlucky.tryReserve(SCARCE, KEY)).toMatchObject({ ok: true, hold: { id, state: 'held', lines: SCARCE } });
  expect(writes).toBeGreaterThan(1);
  expect(await calm.commit(id)).toEqual({ replayed: false });
  expect(await calm.level('C')).toMatchObject({ onHand: 5, reserved: 1 });
});
