import { z } from 'zod';
import { type Database, defineEntity } from '../../../src/index.ts';
import { Inventory, stockFields } from '../../../src/patterns/index.ts';

const Shelf = defineEntity('shelf', z.object(stockFields), { id: 'sku' });

/** The stock of a shop; without a decorator, as a child process is bundled as it stands. */
export function startStock(db: Database): Inventory<typeof Shelf> {
  return new Inventory(db, Shelf, { name: 'shop', ttl: '15m', buckets: 2 });
}
