import { z } from 'zod';
import { type Database, type Default, defineEntity, Entity, Field, NorimakiError } from '../../src/index.ts';
import { Inventory, StockRecord, stockFields } from '../../src/patterns/index.ts';

@Entity('stock')
class Stock extends StockRecord {
  @Field(z.string()) title!: string;
  @Field(z.number()) price: Default<number> = 0;

  label(): string {
    return `${this.title} (${this.sku})`;
  }
}

declare const db: Database;
const inventory = new Inventory(db, Stock, { name: 'main', ttl: '15m' });

const stock = await inventory.create({ sku: 'A', title: 'Tea', onHand: { AMS: 3 } });
stock.title satisfies string;
stock.label() satisfies string;
stock.buckets satisfies number;
inventory.create({ sku: 'A', title: 'Tea', price: 3, onHand: 5, backorder: true, safetyStock: 1 });
// @ts-expect-error a field is missing.
inventory.create({ sku: 'A' });
// @ts-expect-error an unknown field.
inventory.create({ sku: 'A', title: 'Tea', colour: 'red' });
// @ts-expect-error the inventory sets it.
inventory.create({ sku: 'A', title: 'Tea', levels: {} });
// @ts-expect-error a method is no field.
inventory.create({ sku: 'A', title: 'Tea', label: () => '' });
// @ts-expect-error fifteen minutes is '15m'.
new Inventory(db, Stock, { name: 'main', ttl: '15 minutes' });
// @ts-expect-error a name is missing.
new Inventory(db, Stock, {});

// @ts-expect-error a quantity is missing.
inventory.reserve([{ sku: 'A' }]);
const tried = await inventory.tryReserve([{ sku: 'A', quantity: 1, location: 'AMS' }]);
// @ts-expect-error there may be none.
tried.hold;
if (tried.ok) tried.hold.id satisfies string;
else tried.shortfalls[0]?.available satisfies number | undefined;

const Part = defineEntity('part', z.object({ ...stockFields, weight: z.number() }), { id: 'sku' });
const parts = new Inventory(db, Part, { name: 'parts' });
parts.create({ sku: 'M6', weight: 1 });
// @ts-expect-error a field is missing.
parts.create({ sku: 'M6' });

const Other = defineEntity('other', z.object({ sku: z.string() }), { id: 'sku' });
// @ts-expect-error it has not the fields of a stock.
new Inventory(db, Other, { name: 'other' });
class Plain {}
// @ts-expect-error it does not extend StockRecord.
new Inventory(db, Plain, { name: 'plain' });

try {
  await inventory.reserve([{ sku: 'A', quantity: 1 }]);
} catch (error) {
  if (NorimakiError.is(error, 'inventory.insufficient')) error.details.shortfalls[0]?.sku satisfies string | undefined;
  if (NorimakiError.is(error, 'inventory.holdClosed')) error.details.state satisfies 'committed' | 'released';
}
