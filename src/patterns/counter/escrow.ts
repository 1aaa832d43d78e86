import { blankShard } from './head.ts';
import type { Collected } from './reads.ts';
import type { ShardRecord } from './records.ts';
import { netOf, readTally } from './tally.ts';

// The bounds of a counter are split among its shards: each has a floor and a ceiling for its own count, and the ceilings
// add up to the maximum at most, the floors to the minimum at least. So a shard that keeps its own bounds keeps those of
// the counter, alone. Room is lent by lowering one ceiling and then raising another; in between it belongs to nobody, and
// what a crash leaves there comes back when the shards are replaced.

export type Share = Pick<ShardRecord, 'counts' | 'floor' | 'ceiling'>;

/** How far a shard whose count is `net` may still move towards a bound, `undefined` where it is open. */
export function roomOf({ floor, ceiling }: Share, net: bigint, isUp: boolean): bigint | undefined {
  const bound = isUp ? ceiling : floor;
  if (bound === undefined) return undefined;
  const distance = BigInt(bound) - net;
  return isUp ? distance : -distance;
}

/** Moves the bound of a shard away from its count, or with a negative amount towards it. */
export function widen(share: Share, isUp: boolean, by: bigint): void {
  if (isUp) share.ceiling = String(BigInt(share.ceiling ?? 0) + by);
  else share.floor = String(BigInt(share.floor ?? 0) - by);
}

/** Takes so much room from a shard, or what it has; returns how much that is. */
export function takeRoom(share: Share, isUp: boolean, wanted: bigint): bigint {
  const room = roomOf(share, netOf(readTally(share.counts)), isUp) ?? 0n;
  const taken = room < wanted ? room : wanted;
  widen(share, isUp, -taken);
  return taken;
}

/** What to ask of one shard. */
export interface Loan {
  readonly shard: number;
  readonly amount: bigint;
}

/** Who lends a shard so much room that the amount fits; `undefined` if all together have less. */
export function loansFor(collected: Collected, borrower: number, amount: bigint): Loan[] | undefined {
  const isUp = amount > 0n;
  const needed = isUp ? amount : -amount;
  const rooms = collected.shards.map((shard, i) => {
    const share = shard ?? blankShard(collected.head, i);
    return { shard: i, room: roomOf(share, netOf(readTally(share.counts)), isUp) ?? 0n };
  });
  let missing = needed - (rooms[borrower]?.room ?? 0n);
  const loans: Loan[] = [];
  const lenders = rooms.filter(({ shard, room }) => shard !== borrower && room > 0n);
  for (const { shard, room } of lenders.sort((a, b) => Number(b.room - a.room))) {
    if (missing <= 0n) break;
    // Half of what it has, so that the next adds need no loan.
    const half = (room + 1n) / 2n;
    const loan = half > missing ? half : missing < room ? missing : room;
    loans.push({ shard, amount: loan });
    missing -= loan;
  }
  return missing > 0n ? undefined : loans;
}
