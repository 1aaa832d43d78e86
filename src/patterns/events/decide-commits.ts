import { type Expected, idempotencyMismatch, streamClosed, versionConflict } from './errors.ts';
import type { SlotCommit, SlotEvent } from './records.ts';
import type { StreamId } from './stream-id.ts';
import type { Tail } from './tails.ts';

/** Events that somebody wants to append together. */
export interface Attempt {
  readonly commit: SlotCommit;
  readonly events: readonly SlotEvent[];
  readonly expected: Expected;
  readonly closes: boolean;
}

/** What became of an attempt. `version` is that of the stream after its events. */
export interface Appended {
  readonly version: number;
  readonly outcome: 'appended' | 'replayed';
}

export type Decision = Appended | { readonly error: Error };

/** What several attempts make of the end of a stream. */
export interface Decided {
  /** One for each attempt. */
  readonly decisions: readonly Decision[];
  readonly commits: readonly SlotCommit[];
  readonly events: readonly SlotEvent[];
  readonly closes: boolean;
}

/** A commit that is in the stream, and the version after it. */
export interface Placed {
  readonly commit: SlotCommit;
  readonly version: number;
}

/** Whether the stream is as an attempt expects. */
export function isExpected(expected: Expected, version: number): boolean {
  if (typeof expected === 'bigint') return expected === BigInt(version);
  return expected === 'any' || version > 0 === (expected === 'exists');
}

/** Decides attempts in the order in which they came, each on what the ones before it made. */
export function decideCommits(
  stream: StreamId,
  tail: Tail,
  attempts: readonly Attempt[],
  placed: readonly Placed[],
): Decided {
  const known = new Map(
    placed.flatMap((one) => (one.commit.key === undefined ? [] : [[one.commit.key, one] as const])),
  );
  const commits: SlotCommit[] = [];
  const events: SlotEvent[] = [];
  let { version, isClosed } = tail;
  const decisions = attempts.map((attempt): Decision => {
    const { commit, expected } = attempt;
    const before = commit.key === undefined ? undefined : known.get(commit.key);
    if (before !== undefined) return replay(stream, before, commit);
    if (isClosed) return attempt.closes ? { version, outcome: 'replayed' } : { error: streamClosed(stream) };
    if (!isExpected(expected, version)) return { error: versionConflict(stream, expected, BigInt(version)) };
    commits.push(commit);
    events.push(...attempt.events);
    version += attempt.events.length;
    isClosed = attempt.closes;
    if (commit.key !== undefined) known.set(commit.key, { commit, version });
    return { version, outcome: 'appended' };
  });
  return { decisions, commits, events, closes: isClosed && !tail.isClosed };
}

function replay(stream: StreamId, { commit, version }: Placed, wanted: SlotCommit): Decision {
  return commit.content === wanted.content ? { version, outcome: 'replayed' } : { error: idempotencyMismatch(stream) };
}
