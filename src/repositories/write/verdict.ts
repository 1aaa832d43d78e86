import type { Snapshot } from '../snapshot.ts';
import { covers, remembers } from './next-record.ts';
import type { WriteSet } from './write-set.ts';

/**
 * What a strong read after a write without an answer proves:
 * - `applied`: the record remembers the write;
 * - `pending`: nothing moved, so the same bytes under the same precondition can be sent again;
 * - `superseded`: somebody else's write came first, so this one was not applied and never can be;
 * - `undecided`: the record cannot tell (deleted, made anew, or more writes since than it remembers).
 */
export type Verdict = 'applied' | 'pending' | 'superseded' | 'undecided';

/** A write under way: what it was based on, and what it sent. */
export interface Sending {
  readonly base: Snapshot;
  readonly set: WriteSet;
  readonly writeId: string;
}

/** Judges a write by what is there now; never guesses. See patterns F7. */
export function verdict({ base, set, writeId }: Sending, now: Snapshot): Verdict {
  if (now.version === base.version) return 'pending';
  if (now.envelope === undefined) return 'undecided';
  // Of a delete nothing is left.
  if (set.envelope === undefined) return now.envelope.born === base.envelope?.born ? 'superseded' : 'undecided';
  if (now.envelope.born !== set.envelope.born) return 'undecided';
  if (remembers(now.envelope, writeId)) return 'applied';
  return covers(now.envelope, set.envelope.seq) ? 'superseded' : 'undecided';
}
