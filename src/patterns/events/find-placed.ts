import { type Attempt, isExpected, type Placed } from './decide-commits.ts';
import type { SlotRecord } from './records.ts';
import { placeBefore } from './slots.ts';
import type { StreamId } from './stream-id.ts';
import type { Tail, Tails } from './tails.ts';

/** A key is recognised in so many of the last slots, by who expects no version. */
export const WINDOW = 64;

/**
 * The commits that could be earlier tries of these attempts. Who expects a version would have been placed right behind it;
 * who does not, anywhere in the last slots.
 */
export async function findPlaced(
  tails: Tails,
  stream: StreamId,
  tail: Tail,
  attempts: readonly Attempt[],
  signal: AbortSignal | undefined,
): Promise<Placed[]> {
  const asked = attempts.filter(
    ({ commit, expected }) =>
      commit.key !== undefined && (typeof expected === 'string' || !isExpected(expected, tail.version)),
  );
  if (asked.length === 0 || tail.slot === 0) return [];
  const first = Math.max(0, tail.slot - WINDOW);
  const slots = await tails.slotsAfter(stream, first, tail.slot - first, signal);
  const placed = slots.flatMap(commitsOf);
  const reached = slots[0]?.from ?? 0;
  for (const { expected } of asked) {
    const version = expected === 'new' ? 0 : expected;
    if (typeof version === 'string' || version >= reached) continue;
    const before = await placeBefore(tails, stream, Number(version), signal);
    placed.push(...(await tails.slotsAfter(stream, before.slot, 1, signal)).flatMap(commitsOf));
  }
  return placed;
}

/** The commits of a slot, and the version after each. */
export function commitsOf({ from, commits }: SlotRecord): Placed[] {
  let version = from;
  return commits.map((commit) => {
    version += commit.events;
    return { commit, version };
  });
}
