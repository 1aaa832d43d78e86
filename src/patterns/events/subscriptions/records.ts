import { z } from 'zod';
import type { Store, WatchStore } from '../../../core/store.ts';
import { defineEntity } from '../../../decorators/index.ts';
import type { Database, EntityChanges, RepositoryOf } from '../../../repositories/index.ts';
import { leaseFields } from '../../shared/lease/index.ts';
import type { FeedStore } from '../feed/feed-store.ts';

const SubscriptionEntity = defineEntity(
  'norimaki.events.subscription',
  z.object({
    store: z.string(),
    name: z.string(),
    /** Of which streams; all where there are none. */
    categories: z.array(z.string()).optional(),
    /** For good: with another number a stream could have two workers at once. */
    partitions: z.int().positive(),
    from: z.enum(['start', 'end']),
    /** Of `from: 'end'`: the partitions whose streams all have a cursor. */
    begun: z.array(z.int()),
  }),
  { id: ['store', 'name'] },
);

/** The newest operations that a record remembers: workers that meet at it are more certain of what became of theirs. */
const RING = 64;

const WorkerEntity = defineEntity(
  'norimaki.events.worker',
  z.object({ store: z.string(), subscription: z.string(), partition: z.int(), ...leaseFields }),
  { id: ['store', 'subscription', 'partition'], ring: RING },
);

const CursorEntity = defineEntity(
  'norimaki.events.cursor',
  z.object({
    store: z.string(),
    subscription: z.string(),
    /** {@link streamKey}, which is short however long the name of the stream is. */
    key: z.string(),
    /** The last slot that was handled whole. */
    slot: z.int().nonnegative(),
    /** The last event that was handled. */
    version: z.bigint().nonnegative(),
  }),
  { id: ['store', 'subscription', 'key'] },
);

const ParkedEntity = defineEntity(
  'norimaki.events.parked',
  z.object({
    store: z.string(),
    subscription: z.string(),
    key: z.string(),
    version: z.bigint(),
    category: z.string(),
    stream: z.string(),
    type: z.string(),
    /** The slot before its own. */
    slot: z.int().nonnegative(),
    partition: z.int().nonnegative(),
    attempts: z.int(),
    reason: z.string(),
    parkedAt: z.date(),
    /** Somebody asked for it to be handled again. */
    replay: z.boolean(),
  }),
  { id: ['store', 'subscription', 'key', 'version'], index: { bySubscription: ['store', 'subscription', 'replay'] } },
);

export interface SubscriptionRecords {
  readonly subscriptions: RepositoryOf<typeof SubscriptionEntity, Store>;
  readonly workers: RepositoryOf<typeof WorkerEntity, Store>;
  readonly cursors: RepositoryOf<typeof CursorEntity, Store>;
  readonly parked: RepositoryOf<typeof ParkedEntity, FeedStore>;
  /** Tells which events are parked, or asked for again; `undefined`: the store cannot. */
  readonly parkedChanges: ((signal: AbortSignal) => EntityChanges<ParkedId>) | undefined;
}

type ParkedId = Parameters<SubscriptionRecords['parked']['get']>[0];

/** One event that was set aside. */
export type ParkedRecord = NonNullable<Awaited<ReturnType<SubscriptionRecords['parked']['get']>>>;

export function subscriptionRecords(db: Database<FeedStore>): SubscriptionRecords {
  return {
    parkedChanges: isWatched(db) ? (signal) => db.repo(ParkedEntity).watch({ signal }) : undefined,
    subscriptions: db.repo(SubscriptionEntity),
    workers: db.repo(WorkerEntity),
    cursors: db.repo(CursorEntity),
    parked: db.repo(ParkedEntity),
  };
}

export function isWatched<St extends Store>(db: Database<St>): db is Database<St & WatchStore> {
  return db.store.capabilities.watch;
}
