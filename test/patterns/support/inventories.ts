import { z } from 'zod';
import type { Clock } from '../../../src/core/clock.ts';
import type { Store } from '../../../src/core/store.ts';
import { type Database, type Default, Entity, Field, open } from '../../../src/index.ts';
import { Inventory, type InventoryOptions, StockRecord } from '../../../src/patterns/index.ts';
import { type FaultKind, type FaultStore, faultStore, seededRandom } from '../../../src/testing/index.ts';

@Entity('stock')
export class Stock extends StockRecord {
  @Field(z.string()) title: Default<string> = 'Nori';
}

export type StockInventory = Inventory<typeof Stock>;

/** One process on a store: a database, chance and faults of its own. */
export interface InventoryProcess {
  readonly inventory: StockInventory;
  readonly faulty: FaultStore;
  readonly db: Database;
}

export interface InventoryProcessOptions extends Partial<InventoryOptions> {
  readonly clock: Clock;
  readonly seed: number;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

export async function startInventory(
  store: Store,
  { seed, clock, faults, script, ...options }: InventoryProcessOptions,
): Promise<InventoryProcess> {
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock, random: seededRandom(seed) });
  return { faulty, db, inventory: new Inventory(db, Stock, { name: 'main', ttl: '15m', ...options }) };
}
