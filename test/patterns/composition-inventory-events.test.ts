import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity } from '../../src/index.ts';
import { Inventory, stockFields } from '../../src/patterns/index.ts';
import type { FaultKind } from '../../src/testing/index.ts';
import { isLong } from '../support/campaign.ts';
import { Tally } from './support/event-tally.ts';
import { STORE_KINDS, type StoreKind } from './support/stores.ts';
import { type EventProcess, LEASE, type SubscriptionWorld, subscriptionWorld } from './support/subscription-worlds.ts';

const Shelf = defineEntity('shelf', z.object(stockFields), { id: 'sku' });
const SKU = 'nori';

const stockOf = ({ db }: EventProcess) => new Inventory(db, Shelf, { name: 'shop', ttl: '1h' });

/** A shop whose carts were paid for: an event of each names what the cart holds. */
async function paidShop(kind: StoreKind): Promise<{ world: SubscriptionWorld; shop: EventProcess }> {
  const world = await subscriptionWorld(kind);
  const shop = await world.start(500);
  const pay = async (): Promise<void> => {
    const inventory = stockOf(shop);
    await inventory.create({ sku: SKU });
    await inventory.restock(SKU, 10);
    for (const [cart, quantity] of [
      ['a', 2],
      ['b', 3],
    ] as const) {
      const hold = await inventory.reserve([{ sku: SKU, quantity }], { idempotencyKey: cart });
      await shop.store.append(Tally.stream(cart), [Tally.event('Noted', { text: hold.id })], { expected: 'new' });
    }
  };
  await world.until(pay());
  return { world, shop };
}

/** What became of a cart at a worker. */
interface Sale {
  readonly worker: string;
  readonly cart: string;
  readonly replayed: boolean;
}

/** Sells what carts hold as their events come. */
function sell(
  process: EventProcess,
  worker: string,
  sales: Sale[],
  hooks: { before?: () => void; after?: (cart: string) => Promise<void> } = {},
) {
  const inventory = stockOf(process);
  return process.store.subscribe(
    { name: 'seller', streams: Tally, lease: LEASE, retry: { base: 1 }, checkpointEvery: 1 },
    async (event) => {
      if (event.type !== 'Noted') return;
      hooks.before?.();
      const { replayed } = await inventory.commit(event.data.text);
      sales.push({ worker, cart: event.stream.id, replayed });
      await hooks.after?.(event.stream.id);
    },
  );
}

async function soldOnce(world: SubscriptionWorld, process: EventProcess): Promise<void> {
  const level = await world.until(stockOf(process).level(SKU));
  expect(level).toMatchObject({
    onHand: 5,
    reserved: 0,
    available: 5,
    ledger: { stocked: 10, adjusted: 0, sold: 5 },
  });
  const audited = await world.until(stockOf(process).audit());
  expect(audited.findings).toEqual([]);
}

describe.each(STORE_KINDS)('stock that is sold as events come, on the %s store', (kind) => {
  test('a worker that crashes after the commit and before its checkpoint: the event comes again, and is sold once', async () => {
    const { world, shop } = await paidShop(kind);
    const sales: Sale[] = [];
    const one = await world.start(1);
    sell(one, 'one', sales, { after: async () => one.faulty.crash() }).done.catch(() => {});
    const firstSale = async (): Promise<void> => {
      while (sales.length === 0) await world.clock.sleep(50);
    };
    await world.until(firstSale());
    const two = await world.start(1000);
    const second = sell(two, 'two', sales);
    await world.until(second.caughtUp());
    const crashed = sales[0]?.cart;
    expect(sales.map(({ worker, replayed }) => [worker, replayed])).toEqual(
      expect.arrayContaining([
        ['one', false],
        ['two', true],
        ['two', false],
      ]),
    );
    // What came again is what the crash was at.
    expect(sales.filter(({ replayed }) => replayed).map(({ cart }) => cart)).toEqual([crashed]);
    await soldOnce(world, shop);
    await world.until(second.close());
  });

  test('a worker that is replaced while it sells goes on too late: both sell, and it is sold once', async () => {
    const { world, shop } = await paidShop(kind);
    const sales: Sale[] = [];
    let isCut = false;
    const one = await world.start(1, { script: () => (isCut ? 'errorBefore' : 'none') });
    let goOn = (): void => {};
    const late = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const first = sell(one, 'one', sales, {
      after: async () => {
        // Its network is gone, so that it cannot renew; the process goes on.
        isCut = sales.length === 1;
        await late;
      },
    });
    const isSelling = async (): Promise<void> => {
      while (!isCut) await world.clock.sleep(50);
    };
    await world.until(isSelling());
    const second = sell(await world.start(1000), 'two', sales);
    await world.until(second.caughtUp());
    isCut = false;
    goOn();
    await world.until(Promise.all([first.close(), second.close()]));
    expect(sales.filter(({ replayed }) => !replayed)).toHaveLength(2);
    expect(sales.filter(({ worker }) => worker === 'two').length).toBe(2);
    await soldOnce(world, shop);
    const { handled } = await world.until(shop.store.subscription('seller').lag());
    expect(handled).toBe(2n);
  });

  test('a worker that crashes at each call of the store in turn, from the event to its checkpoint', async () => {
    const again: boolean[] = [];
    // Which calls there are is the same on all stores: on those that are slow some are enough.
    const stride = kind === 'memory' || isLong ? 1 : 3;
    for (let call = 1; call <= 8; call += stride) {
      const { world, shop } = await paidShop(kind);
      const sales: Sale[] = [];
      const fault: FaultKind = call % 2 === 0 ? 'crashBefore' : 'crashAfter';
      let calls = Number.NEGATIVE_INFINITY;
      let hasCrashed = false;
      const script = (): FaultKind | 'none' => {
        calls++;
        if (calls !== call) return 'none';
        hasCrashed = true;
        return fault;
      };
      const one = await world.start(1, { script });
      const begin = (): void => {
        if (calls < 0) calls = 0;
      };
      sell(one, 'one', sales, { before: begin }).done.catch(() => {});
      const crash = async (): Promise<void> => {
        while (!hasCrashed) await world.clock.sleep(50);
      };
      await world.until(crash());
      const two = sell(await world.start(1000), 'two', sales);
      await world.until(two.caughtUp());
      again.push(...sales.filter(({ worker }) => worker === 'two').map(({ replayed }) => replayed));
      await soldOnce(world, shop);
      await world.until(two.close());
    }
    // Some crashes came before it was sold, some after.
    expect(new Set(again)).toEqual(new Set([true, false]));
  });
});
