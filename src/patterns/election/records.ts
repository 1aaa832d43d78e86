import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import { leaseFields } from '../shared/lease/index.ts';

/** What is stored of an election; never deleted, so that tokens grow for ever. */
const fields = {
  ...leaseFields,
  /** Name of who leads, or led last. */
  candidate: z.string().optional(),
  /** What the leader shows of itself. */
  meta: z.json().optional(),
  /** Name of the candidate that shall lead next: the leader hands over to it, and others let it go first. */
  heir: z.string().optional(),
  /** Of `once`: the newest instant whose work is done, in milliseconds since 1970. */
  done: z.number().optional(),
};

/** The newest operations that a record remembers: candidates that meet at it are more certain of what became of theirs. */
const RING = 64;

const ElectionEntity = defineEntity('norimaki.election', z.object({ name: z.string(), ...fields }), {
  id: 'name',
  ring: RING,
});

const GroupElection = defineEntity(
  'norimaki.election.seat',
  // `holder` is a member, and `membership` the token of its lease under which it leads.
  z.object({ group: z.string(), name: z.string(), ...fields, membership: z.bigint().optional() }),
  { id: ['group', 'name'], ring: RING },
);

const GroupMember = defineEntity(
  'norimaki.election.member',
  z.object({ group: z.string(), id: z.string(), ...leaseFields }),
  { id: ['group', 'id'] },
);

const SemaphorePermit = defineEntity(
  'norimaki.semaphore',
  z.object({ name: z.string(), seat: z.int().nonnegative(), ...leaseFields }),
  { id: ['name', 'seat'], ring: RING },
);

const shape = z.object(fields);
/** What the records of all elections have. */
export type ElectionRecord = z.output<typeof shape>;
export type GroupElectionRecord = ElectionRecord & { membership?: bigint | undefined };

/** The record of an election that nobody has led yet. */
export const BLANK: ElectionRecord = { token: 0n, beat: 0, ttl: 0 };

/** The record of one election. */
export interface ElectionAccess<Record extends ElectionRecord = ElectionRecord> {
  read(signal: AbortSignal | undefined): Promise<Record | undefined>;
  mutate(fn: (draft: Record) => void, signal: AbortSignal | undefined): Promise<unknown>;
}

export type ElectionRecords = RepositoryOf<typeof ElectionEntity, Store>;
export type GroupElections = RepositoryOf<typeof GroupElection, Store>;
export type GroupMembers = RepositoryOf<typeof GroupMember, Store>;
export type SemaphorePermits = RepositoryOf<typeof SemaphorePermit, Store>;

export function electionRecords(db: Database): ElectionRecords {
  return db.repo(ElectionEntity);
}

export function groupRecords(db: Database): { elections: GroupElections; members: GroupMembers } {
  return { elections: db.repo(GroupElection), members: db.repo(GroupMember) };
}

export function semaphoreRecords(db: Database): SemaphorePermits {
  return db.repo(SemaphorePermit);
}

export function electionAccess(records: ElectionRecords, name: string): ElectionAccess {
  return {
    read: (signal) => records.get(name, { signal }),
    mutate: (fn, signal) => records.mutate(name, fn, { ifAbsent: () => BLANK, signal }),
  };
}

export function groupAccess(
  records: GroupElections,
  id: { readonly group: string; readonly name: string },
): ElectionAccess<GroupElectionRecord> {
  return {
    read: (signal) => records.get(id, { signal }),
    mutate: (fn, signal) => records.mutate(id, fn, { ifAbsent: () => BLANK, signal }),
  };
}
