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
import { compare, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

/** The guide gives up after so many tries; here it goes on with the same wait, so that both do the same work. */
const GUIDE_RETRIES = 10;
const ROUNDS = 2;
/** Less than is wanted: the last ones are refused. */
const SHARE = 0.75;

const Stock = defineEntity('stock', z.object(stockFields), { id: 'sku' });

interface Case {
  readonly contenders: number;
  readonly buckets: number;
  /** What we promise of the time. Within one process buckets only cost: pieces have to be moved. They are for many processes. */
  readonly target: number;
  /** And of the calls of the store. */
  readonly calls: number;
}

// On a disk the loop of the guide takes minutes with 64.
const CASES: Readonly<Record<'memory' | 'embedded', readonly Case[]>> = {
  memory: [
    { contenders: 64, buckets: 1, target: 0.5, calls: 5 },
    { contenders: 64, buckets: 8, target: 0.03, calls: 0.3 },
  ],
  embedded: [
    { contenders: 16, buckets: 1, target: 5, calls: 3 },
    { contenders: 16, buckets: 8, target: 0.5, calls: 0.3 },
  ],
};

/** One hot SKU, beside the loop of the guide that this project grew from: get, put if unchanged, back off. */
export async function inventoryBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const stores: readonly ['memory' | 'embedded', Store][] = [
    ['memory', await memory().openStore(systemEnvironment)],
    ['embedded', await embedded({ path: folder, durability: 'committed' }).openStore(systemEnvironment)],
  ];
  try {
    const rows: BenchRow[] = [];
    for (const [kind, store] of stores) for (const one of CASES[kind]) rows.push(...(await beside(kind, store, one)));
    return rows;
  } finally {
    for (const [, store] of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

async function beside(kind: string, store: Store, { contenders, buckets, target, calls }: Case): Promise<BenchRow[]> {
  const ours = new CountingStore(store);
  const theirs = new CountingStore(store);
  const asked = contenders;
  const stocked = Math.floor(asked * ROUNDS * SHARE);
  const sku = `hot ${buckets}`;
  const inventory = new Inventory(await open(ours), Stock, { name: 'bench', buckets });
  await inventory.create({ sku, onHand: stocked });
  // Both warm: what the first call looks up is not what a hot SKU costs.
  await inventory.available(sku);
  const guide = new GuideInventory(theirs, sku);
  await guide.create(stocked);
  ours.reset();
  theirs.reset();
  let oursHeld = 0;
  let theirsHeld = 0;
  let order = 0;
  const round = (reserve: () => Promise<void>) => () =>
    timed(asked, async () => {
      await Promise.all(Array.from({ length: contenders }, reserve));
    });
  const time = await compare(
    ROUNDS,
    round(async () => {
      // A key for each, as a shop has: so every bucket is asked.
      const tried = await inventory.tryReserve([{ sku, quantity: 1 }], { idempotencyKey: `order ${order++}` });
      if (tried.ok) oursHeld++;
    }),
    round(async () => {
      if (await guide.reserve(1)) theirsHeld++;
    }),
  );
  const level = await inventory.level(sku);
  if (oursHeld !== stocked || level.reserved !== stocked || level.available !== 0) {
    throw new Error(`Of ${stocked} pieces ${oursHeld} were promised, ${level.reserved} are held.`);
  }
  if (theirsHeld !== stocked) throw new Error(`The guide promised ${theirsHeld} of ${stocked} pieces.`);
  const total = asked * ROUNDS;
  const perSecond = Math.round(1e9 / time.ours);
  const label = `${kind}, ${contenders} on 1 SKU, ${buckets} ${buckets === 1 ? 'bucket' : 'buckets'}`;
  return [
    { name: `${label}: time (${perSecond}/s, oversold 0)`, ...time, target, unit: 'ns' },
    {
      name: `${label}: calls of the store`,
      ours: (ours.calls * 1000) / total,
      theirs: (theirs.calls * 1000) / total,
      ratio: theirs.calls / ours.calls,
      target: calls,
      unit: '/ 1000 reservations',
    },
  ];
}

/** The guide's InventoryManager: two numbers in a record, without holds that have a name or an end. */
class GuideInventory {
  readonly #store: Store;
  readonly #key: Key;

  constructor(store: Store, sku: string) {
    this.#store = store;
    this.#key = encodeTuple(['guide', sku]);
  }

  async create(quantity: number): Promise<void> {
    await this.#store.put(this.#key, bytesOf({ quantity, reserved: 0 }), { ifAbsent: true });
  }

  /** Whether there was enough. */
  async reserve(wanted: number): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.#store.get(this.#key);
      if (found === undefined) throw new Error('The stock is gone.');
      const { quantity, reserved } = JSON.parse(Buffer.from(found.value).toString()) as Item;
      if (quantity - reserved < wanted) return false;
      try {
        const next = bytesOf({ quantity, reserved: reserved + wanted });
        await this.#store.put(this.#key, next, { ifMatch: found.version });
        return true;
      } catch (error) {
        if (!NorimakiError.is(error, 'version.mismatch')) throw error;
      }
      await sleep(2 ** Math.min(attempt, GUIDE_RETRIES - 1) * 10 + Math.random() * 10);
    }
  }
}

interface Item {
  readonly quantity: number;
  readonly reserved: number;
}

function bytesOf(item: Item): Uint8Array {
  return Buffer.from(JSON.stringify(item));
}
