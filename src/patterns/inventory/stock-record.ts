import { z } from 'zod';
import { Field, Id } from '../../decorators/index.ts';
import { ringForm } from '../shared/key-ring.ts';
import { endRingForm } from './end-ring.ts';

/** So many idempotency keys, and closed holds of each kind, are remembered by a record. */
export const REMEMBERED = 128;

const count = z.int().nonnegative();
const keyRing = z.string().regex(ringForm(REMEMBERED));
const endRing = z.string().regex(endRingForm(REMEMBERED));
/** By location. */
const pieces = z.record(z.string(), z.int().positive());

const book = z.object({
  /** Live holds, and perhaps some that have expired; times in milliseconds since 1970. */
  holds: z.record(
    z.string(),
    z.object({
      at: pieces,
      expiresAt: z.int(),
      cart: z.boolean().optional(),
      /** Which of all that this record ever took: tells it from others of the same name. */
      n: z.int().positive(),
    }),
  ),
  /** Holds that it ever took. */
  taken: count,
  /** What became of the newest holds that are closed, but for carts: these have records of their own. */
  committed: endRing,
  released: endRing,
  expired: endRing,
  /** The newest keys of restock and adjust. */
  keys: keyRing,
  /** All that ever came in, was corrected, was sold, and was moved here from other buckets, as sums. */
  stocked: count,
  adjusted: z.int(),
  sold: count,
  moved: z.int(),
  /** The last move to each bucket; `at` is what is still on its way. */
  sent: z.record(z.string(), z.object({ n: count, at: pieces })),
  /** The number of the last move from each bucket. */
  received: z.record(z.string(), count),
});

/** The fields of one record that holds stock: the SKU's own, or that of a bucket. */
export const cellFields = {
  levels: z.record(z.string(), z.int()),
  book,
};

/**
 * The fields that every stock has, for `defineEntity`:
 *
 * @example
 * ```ts
 * const Stock = defineEntity('stock', z.object({ ...stockFields, title: z.string() }), { id: 'sku' });
 * ```
 */
export const stockFields = {
  sku: z.string().min(1),
  ...cellFields,
  backorder: z.boolean(),
  safetyStock: count,
  buckets: z.int().min(1).max(64),
};

/** What one record of stock holds and what it has seen. */
export type StockBook = z.output<typeof book>;

/**
 * What a class of stock extends, adding fields of its own. `Inventory` sets the fields that are declared here; fields of your own are
 * changed with the repository.
 *
 * @example
 * ```ts
 * @Entity('stock')
 * class Stock extends StockRecord {
 *   @Field(z.string()) title!: string;
 * }
 * ```
 */
export abstract class StockRecord {
  @Id(stockFields.sku) sku!: Id<string>;
  /** Pieces on hand at each location; of a SKU with buckets those of the first. */
  @Field(stockFields.levels) levels!: Record<string, number>;
  /** Its holds and its ledger. */
  @Field(stockFields.book) book!: StockBook;
  /** Whether it is sold beyond what is there. */
  @Field(stockFields.backorder) backorder!: boolean;
  /** Pieces that are never reserved. */
  @Field(stockFields.safetyStock) safetyStock!: number;
  /** Records that share the stock. */
  @Field(stockFields.buckets) buckets!: number;
}

/** What `Inventory` knows of any stock. */
export type StockFields = Pick<StockRecord, keyof typeof stockFields>;

/** What a record of stock holds: a SKU's own record, or that of a bucket. */
export type Cell = Pick<StockFields, 'levels' | 'book'> & Partial<Pick<StockFields, 'backorder' | 'safetyStock'>>;
export type StockHold = StockBook['holds'][string];
/** Pieces by location. */
export type Pieces = StockHold['at'];

export function blankBook(): StockBook {
  return {
    holds: {},
    taken: 0,
    committed: '',
    released: '',
    expired: '',
    keys: '',
    stocked: 0,
    adjusted: 0,
    sold: 0,
    moved: 0,
    sent: {},
    received: {},
  };
}
