// A shop on the day of a sale: 400 buyers want 50 pieces, some pay, some give up, some close the laptop. No piece is sold twice.

import { defineEntity, open } from 'norimaki';
import { Inventory, stockFields } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { manualClock } from 'norimaki/testing';
import { z } from 'zod';

// A clock that can be turned forward, to see holds end. In production leave it out.
const clock = manualClock(Date.parse('2026-11-27T09:00:00Z'));
await using db = await open(memory(), { clock });

const Stock = defineEntity('stock', z.object({ ...stockFields, title: z.string() }), { id: 'sku' });
const inventory = new Inventory(db, Stock, { name: 'shop', ttl: '15m' });
await inventory.create({ sku: 'LAMP', title: 'Paper lamp', onHand: { AMS: 20, BER: 30 } });
await inventory.create({ sku: 'BULB', title: 'Bulb', onHand: 500 });

// The truck is announced twice; its number is the key, so it comes in once.
for (let i = 0; i < 2; i++) await inventory.restock('BULB', 100, { idempotencyKey: 'truck 1' });
console.log(`bulbs: ${await inventory.available('BULB')}`);

const outcomes = { paid: 0, cancelled: 0, vanished: 0, soldOut: 0 };
await Promise.all(
  Array.from({ length: 400 }, async (_, buyer) => {
    // Every third wants a bulb, too: both or nothing.
    const lines = [{ sku: 'LAMP', quantity: 1 }, ...(buyer % 3 === 0 ? [{ sku: 'BULB', quantity: 1 }] : [])];
    const tried = await inventory.tryReserve(lines, { idempotencyKey: `cart ${buyer}` });
    if (!tried.ok) {
      outcomes.soldOut++;
    } else if (buyer % 10 === 4) {
      await inventory.release(tried.hold.id);
      outcomes.cancelled++;
    } else if (buyer % 10 === 7) {
      outcomes.vanished++;
    } else {
      await inventory.commit(tried.hold.id);
      outcomes.paid++;
    }
  }),
);
const { onHand, reserved, available, ledger } = await inventory.level('LAMP');
const { paid, cancelled, vanished, soldOut } = outcomes;
console.log(
  `all answered: ${paid + cancelled + vanished + soldOut === 400}, sold as often as paid: ${ledger.sold === paid}`,
);
console.log(`nothing lost: ${onHand + ledger.sold === 50 && reserved === vanished && available === onHand - reserved}`);

// Whoever vanished keeps nobody waiting for longer than 15 minutes.
await clock.advance(15 * 60_000);
console.log(`free again: ${(await inventory.available('LAMP')) === 50 - paid}`);

const [shortfall] = await inventory
  .tryReserve([{ sku: 'LAMP', quantity: 51 }])
  .then((tried) => (tried.ok ? [] : tried.shortfalls));
console.log(`51 lamps: no, ${shortfall?.available === 50 - paid ? 'and it says how many there are' : 'but why'}`);

const { isHealthy, skus } = await inventory.audit({ fix: true });
console.log(`audit of ${skus} SKUs: ${isHealthy ? 'all is well' : 'look at the findings'}`);
