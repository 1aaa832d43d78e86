import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import type { StreamId } from './stream-id.ts';

const ordinal = z.int().nonnegative();

const place = {
  /** The name of the event store. */
  store: z.string(),
  category: z.string(),
  stream: z.string(),
};

const event = z.object({
  id: z.string(),
  type: z.string(),
  /** The version of the aggregate's definition that wrote it; 0 where there is none. */
  schema: ordinal,
  /** As the schema of its type stores it. */
  data: z.unknown(),
  metadata: z.unknown().optional(),
  /** Whose its personal fields are, and these, encrypted. */
  personal: z.object({ subject: z.string(), fields: z.record(z.string(), z.string()) }).optional(),
});

/** Events that were appended together: all of them or none. */
const commit = z.object({
  id: z.string(),
  events: ordinal,
  /** Of its idempotency key, and of the events under that key. */
  key: z.string().optional(),
  content: z.string().optional(),
});

const slot = z.object({
  ...place,
  /** From 1. */
  slot: z.int().positive(),
  /** The version of the stream before it. */
  from: ordinal,
  /** What was appended at once by one process, in order. */
  commits: z.array(commit),
  events: z.array(event),
  at: z.date(),
  /** The stream takes no more. */
  closes: z.boolean().optional(),
});

const head = z.object({ ...place, slot: ordinal, version: ordinal, closed: z.boolean().optional() });

const snapshot = z.object({
  ...place,
  /** Of the aggregate's definition. */
  schema: ordinal,
  version: ordinal,
  slot: ordinal,
  /** The state, encrypted if personal fields went into it. */
  state: z.unknown(),
  subjects: z.array(z.string()),
});

const subject = z.object({
  store: z.string(),
  subject: z.string(),
  /** 32 bytes as base64url; none once the subject was forgotten. */
  key: z.string().optional(),
});

const STREAM = ['store', 'category', 'stream'] as const;

/** Written once, never changed: what happened. */
export const SlotEntity = defineEntity('norimaki.events.slot', slot, { id: [...STREAM, 'slot'] });
/** Where a stream ends, or ended a while ago. It is there before the first slot. */
export const HeadEntity = defineEntity('norimaki.events.head', head, { id: STREAM });
/** Disposable. */
const SnapshotEntity = defineEntity('norimaki.events.snapshot', snapshot, { id: STREAM });
const SubjectEntity = defineEntity('norimaki.events.subject', subject, { id: ['store', 'subject'] });

export type SlotRecord = z.output<typeof slot>;
export type SlotEvent = z.output<typeof event>;
export type SlotCommit = z.output<typeof commit>;
export type SnapshotRecord = z.output<typeof snapshot>;

export interface EventRecords {
  readonly slots: RepositoryOf<typeof SlotEntity, Store>;
  readonly heads: RepositoryOf<typeof HeadEntity, Store>;
  readonly snapshots: RepositoryOf<typeof SnapshotEntity, Store>;
  readonly subjects: RepositoryOf<typeof SubjectEntity, Store>;
}

export function eventRecords(db: Database): EventRecords {
  return {
    slots: db.repo(SlotEntity),
    heads: db.repo(HeadEntity),
    snapshots: db.repo(SnapshotEntity),
    subjects: db.repo(SubjectEntity),
  };
}

/** The id of what is stored once for each stream. */
export function streamRecord(store: string, { category, id }: StreamId) {
  return { store, category, stream: id };
}
