import { z } from 'zod';
import type { Store } from '../../../core/store.ts';
import { defineEntity } from '../../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../../repositories/index.ts';

/** Who writes a snapshot, and until when nobody else does. */
const claim = z.object({ id: z.string(), pieces: z.number().int(), until: z.number() });

const record = z.object({
  /** Of the search. */
  name: z.string(),
  /** That it is of. */
  entity: z.string(),
  /** Of the snapshot; `''`: the head, which says which one is good. */
  snapshot: z.string(),
  /** From 0. */
  piece: z.number().int(),
  /** Of a piece: bytes, as base64. */
  data: z.string().optional(),
  /** Of the head: the good one. `digest`: of all its bytes. */
  current: z.object({ id: z.string(), pieces: z.number().int(), digest: z.string() }).optional(),
  /** Of the head: the one that is being written. */
  writing: claim.optional(),
  /** Of the head: those that are to be dropped, as long as that may not have been done. */
  leftovers: z.array(z.object({ id: z.string(), pieces: z.number().int() })).optional(),
});

/** Snapshots of indexes of words: a head for each, and pieces. */
const SnapshotRecord = defineEntity('norimaki.search', record, {
  id: ['name', 'entity', 'snapshot', 'piece'],
  versioned: 'version',
  ring: 8,
});

export type SnapshotRecords = RepositoryOf<typeof SnapshotRecord, Store>;
export type SnapshotHead = z.output<typeof record>;

export function snapshotRecords(db: Database): SnapshotRecords {
  return db.repo(SnapshotRecord);
}
