import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import { ringForm } from '../shared/key-ring.ts';
import { REMEMBERED_KEYS } from './key-ring.ts';
import { BUCKET_FORM } from './tally.ts';

/** So many that one read of the store still gets them all. */
export const MAX_SHARDS = 256;

const shardCount = z.int().min(1).max(MAX_SHARDS);
const ordinal = z.int().nonnegative();
const integer = z.string().regex(/^-?\d{1,60}$/);
const counts = z.array(z.string().regex(BUCKET_FORM));

const head = z.object({
  name: z.string(),
  /** How often the counter was reset. */
  epoch: ordinal,
  /** How often its shards were replaced by others. */
  generation: ordinal,
  shards: shardCount,
  min: integer.optional(),
  max: integer.optional(),
  /** Of a windowed counter. */
  window: z.object({ width: z.int().positive(), buckets: z.int().positive() }).optional(),
  /** What the shards of earlier generations counted. */
  carried: counts,
  /** What the next generation will be, once one was decided on; from then on this one is sealed, shard by shard. */
  next: z.object({ shards: shardCount, isReset: z.boolean() }).optional(),
});

const shard = z.object({
  name: z.string(),
  generation: ordinal,
  shard: ordinal,
  counts,
  /** The shard's own share of the bounds: its count stays between the two. */
  floor: integer.optional(),
  ceiling: integer.optional(),
  /** The newest idempotency keys that were counted here. */
  keys: z.string().regex(ringForm(REMEMBERED_KEYS)),
  /** Nothing changes here any more: the next generation counts. */
  sealed: z.boolean(),
});

/** The one record that says which shards count. */
const CounterHead = defineEntity('norimaki.counter', head, { id: 'name' });

const CounterShard = defineEntity('norimaki.counter.shard', shard, {
  id: ['name', 'generation', 'shard'],
  versioned: 'version',
  // A shard is written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  ring: 64,
});

export type HeadRecord = z.output<typeof head>;
export type ShardRecord = z.output<typeof shard>;

export interface CounterRecords {
  readonly heads: RepositoryOf<typeof CounterHead, Store>;
  readonly shards: RepositoryOf<typeof CounterShard, Store>;
}

export function counterRecords(db: Database): CounterRecords {
  return { heads: db.repo(CounterHead), shards: db.repo(CounterShard) };
}
