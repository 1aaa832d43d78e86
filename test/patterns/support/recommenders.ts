import { z } from 'zod';
import type { Random } from '../../../src/core/clock.ts';
import type { Store, VectorStore } from '../../../src/core/store.ts';
import { type Database, type Default, Embedding, Entity, Field, Id, open } from '../../../src/index.ts';
import { Recommender, type RecommenderOptions } from '../../../src/patterns/index.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';

const DIMENSIONS = 8;

@Entity('product')
export class Product {
  @Id() sku!: Id<string>;
  @Field(z.string()) kind: Default<string> = 'thing';
  @Field(z.int()) stock: Default<number> = 1;
  @Embedding({ dimensions: DIMENSIONS, index: 'exact' }) look?: Float32Array;
}

export const SIGNALS = { view: 1, cart: 4, buy: 8, dislike: -6, shown: 0 } as const;
export type Signal = keyof typeof SIGNALS;
export type Shop = Recommender<typeof Product, Signal>;

/** One process on a store: a database, chance and faults of its own. */
export interface ShopProcess {
  readonly shop: Shop;
  readonly db: Database<VectorStore, undefined>;
  readonly faulty: FaultStore<Store>;
}

export interface ShopOptions extends Partial<Omit<RecommenderOptions<Signal, 'look'>, 'signals'>> {
  readonly clock: ManualClock;
  readonly seed: number;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

export async function startShop(
  store: Store,
  { seed, clock, faults, script, ...options }: ShopOptions,
): Promise<ShopProcess> {
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  // Every kind of store here has vectors.
  const db = await open(faulty as FaultStore<VectorStore>, { clock, random: seededRandom(seed) });
  return { faulty, db, shop: new Recommender(db, Product, { name: 'shop', signals: SIGNALS, ...options }) };
}

/** A vector near one axis. */
export function near(axis: number, random: Random, noise = 0.2): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, (_, i) => (i === axis ? 1 : 0) + (random.float() - 0.5) * noise);
}

/** Products around some axes, `count` of each: `a0`, `a1`, … of the first, `b0`, … of the second. */
export async function stockUp(db: Database<VectorStore, undefined>, axes: number, count: number, seed = 1) {
  const random = seededRandom(seed);
  const inputs = Array.from({ length: axes * count }, (_, i) => {
    const axis = Math.floor(i / count);
    return { sku: `${'abcdefgh'[axis]}${i % count}`, kind: 'abcdefgh'[axis] ?? '', look: near(axis, random) };
  });
  const results = await db.repo(Product).createMany(inputs);
  for (const result of results) if (!result.ok) throw result.error;
}

export const skus = (list: readonly { readonly item: Product }[]): string[] => list.map(({ item }) => item.sku);
