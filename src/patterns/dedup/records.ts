import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';

// Written by many; the more operations they remember, the rarer is `outcome.unknown`.
const RING = 32;

/** Why a group is in the cluster of another. */
const link = z.object({
  /** The group that leads on. */
  key: z.string(),
  kind: z.enum(['near', 'semantic', 'merged']),
  score: z.number(),
  /** The two texts that were compared. */
  one: z.string(),
  other: z.string(),
});

const group = z.object({
  name: z.string(),
  /** The hash of the text; with a suffix of a document that is kept apart. */
  key: z.string(),
  /** The document that holds the text; the others are its copies. None: nobody has the text at the moment. */
  holder: z.string().optional(),
  /** Counts every claim and change of the holder, so that who saw it gone cannot replace one that has come back. */
  turn: z.int(),
  /** When the text was first claimed, in milliseconds since 1970. */
  at: z.number(),
  /** Of its entries in buckets: another one whenever the text comes back. */
  mark: z.string(),
  buckets: z.array(z.string()),
  /** What is similar has been looked for since the text was claimed. */
  isReady: z.boolean(),
  /** It was told to be unique. Never taken back. */
  isSettled: z.boolean(),
  /** It joins no settled cluster by itself. */
  isApart: z.boolean(),
  into: link.optional(),
});

const entry = z.object({
  name: z.string(),
  id: z.string(),
  /** The group of its text. */
  key: z.string(),
  /** Groups of texts that it had before, and may still stand in. */
  left: z.array(z.string()),
  turn: z.int(),
});

const bucket = z.object({ name: z.string(), bucket: z.string(), entries: z.array(z.string()) });

const ticket = z.object({
  name: z.string(),
  ticket: z.string(),
  id: z.string(),
  hash: z.string(),
  forgetAt: z.date(),
});

const head = z.object({ name: z.string(), scheme: z.string() });

const DedupGroup = defineEntity('norimaki.dedup.group', group, { id: ['name', 'key'], ring: RING });
const DedupEntry = defineEntity('norimaki.dedup.entry', entry, {
  id: ['name', 'id'],
  versioned: 'version',
  ring: RING,
});
const DedupBucket = defineEntity('norimaki.dedup.bucket', bucket, { id: ['name', 'bucket'], ring: RING });
const DedupTicket = defineEntity('norimaki.dedup.ticket', ticket, { id: ['name', 'ticket'], deadline: 'forgetAt' });
const DedupHead = defineEntity('norimaki.dedup.head', head, { id: 'name' });

export type Group = z.output<typeof group>;
export type Link = z.output<typeof link>;
export type Entry = z.output<typeof entry>;

export interface DedupRecords {
  readonly groups: RepositoryOf<typeof DedupGroup, Store>;
  readonly entries: RepositoryOf<typeof DedupEntry, Store>;
  readonly buckets: RepositoryOf<typeof DedupBucket, Store>;
  readonly tickets: RepositoryOf<typeof DedupTicket, Store>;
  readonly heads: RepositoryOf<typeof DedupHead, Store>;
}

export function dedupRecords(db: Database): DedupRecords {
  return {
    groups: db.repo(DedupGroup),
    entries: db.repo(DedupEntry),
    buckets: db.repo(DedupBucket),
    tickets: db.repo(DedupTicket),
    heads: db.repo(DedupHead),
  };
}
