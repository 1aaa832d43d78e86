import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { encodeTuple } from '../src/core/keys/index.ts';
import type { Key, Store } from '../src/core/store.ts';
import { defineEntity, NorimakiError, open, systemEnvironment } from '../src/index.ts';
import { Inventory, stockFields } from '../src/patterns/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { StoreWrapper } from '../src/testing/store-wrapper.ts';
import { compare, timed } from './compare.ts';
import type { BenchRow } from './row.ts';

const CONTENDERS = 64;
/** After so many tries the seed gives up; here it goes on with the same wait, so that both do the same work. */
const SEED_RETRIES = 10;
const Stock = defineEntity('stock', z.object(stockFields), { id: 'sku' });

/** One hot SKU with 64 contenders, beside the loop of the guide that this project grew from: get, put if unchanged, back off. */
export async function inventoryBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const stores: readonly [string, Store][] = [
    ['memory', await memory().openStore(systemEnvironment)],
    ['embedded', await embedded({ path: folder }).openStore(systemEnvironment)],
  ];
  try {
    const rows: BenchRow[] = [];
    for (const [kind, store] of stores)
      for (const buckets of [1, 8]) rows.push(...(await beside(kind, store, buckets)));
    return rows;
  } finally {
    for (const [, store] of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

async function beside(kind: string, store: Store, buckets: number): Promise<BenchRow[]> {
  const rounds = 3;
  // Half of those who ask get one.
  const stocked = (rounds * CONTENDERS) / 2;
  const name = `bench ${buckets}`;
  const ours = new CountingStore(store);
  const theirs = new CountingStore(store);
  const inventory = new Inventory(await open(ours), Stock, { name, buckets });
  await inventory.create({ sku: name, onHand: stocked });
  const seed = new SeedInventory(theirs, name);
  await seed.stock(stocked);
  ours.calls = 0;
  theirs.calls = 0;
  const sold = { ours: 0, theirs: 0 };
  const round = (who: keyof typeof sold, reserve: () => Promise<boolean>) => () =>
    timed(CONTENDERS, async () => {
      const got = await Promise.all(Array.from({ length: CONTENDERS }, reserve));
      sold[who] += got.filter(Boolean).length;
    });
  const time = await compare(
    rounds,
    round('ours', async () => (await inventory.tryReserve([{ sku: name, quantity: 1 }])).ok),
    round('theirs', () => seed.reserve(1)),
  );
  const { available, reserved, onHand } = await inventory.level(name);
  if (sold.ours !== stocked || reserved !== stocked || available !== 0 || onHand !== stocked) {
    throw new Error(`Of ${stocked} pieces ${sold.ours} were reserved, and ${available} are left.`);
  }
  const total = rounds * CONTENDERS;
  const perThousand = (count: number): number => (count * 1000) / total;
  const label = `${kind}, ${CONTENDERS} on 1 SKU, ${buckets} bucket${buckets === 1 ? '' : 's'}`;
  return [
    { name: `${label}: time of a reservation`, ...time, target: 5, unit: 'ns' },
    {
      name: `${label}: calls`,
      ours: perThousand(ours.calls),
      theirs: perThousand(theirs.calls),
      ratio: theirs.calls / ours.calls,
      target: 5,
      unit: '/ 1000 reservations',
    },
    {
      name: `${label}: rate`,
      ours: 1e9 / time.ours,
      theirs: 1e9 / time.theirs,
      ratio: time.theirs / time.ours,
      target: 5,
      unit: '/ s, oversold 0',
    },
  ];
}

/** Counts the calls that go through it. */
class CountingStore extends StoreWrapper {
  calls = 0;

  override get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    this.calls++;
    return super.get(...call);
  }

  override getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    this.calls++;
    return super.getMany(...call);
  }

  override put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    this.calls++;
    return super.put(...call);
  }
}

interface SeedItem {
  quantity: number;
  reserved: number;
}

/** The seed's inventory: a reservation is a number that is added to. */
class SeedInventory {
  readonly #store: Store;
  readonly #key: Key;

  constructor(store: Store, name: string) {
    this.#store = store;
    this.#key = encodeTuple(['seed', 'inventory', name]);
  }

  async stock(quantity: number): Promise<void> {
    await this.#store.put(this.#key, Buffer.from(JSON.stringify({ quantity, reserved: 0 } satisfies SeedItem)));
  }

  async reserve(quantity: number): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.#store.get(this.#key);
      if (found === undefined) throw new Error('The seed has no stock.');
      const item = JSON.parse(Buffer.from(found.value).toString()) as SeedItem;
      if (item.quantity - item.reserved < quantity) return false;
      item.reserved += quantity;
      try {
        await this.#store.put(this.#key, Buffer.from(JSON.stringify(item)), { ifMatch: found.version });
        return true;
      } catch (error) {
        if (!NorimakiError.is(error, 'version.mismatch')) throw error;
      }
      await sleep(2 ** Math.min(attempt, SEED_RETRIES - 1) * 10 + Math.random() * 10);
    }
  }
}
