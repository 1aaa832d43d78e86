import { remembersKey, withKey } from '../shared/key-ring.ts';
import { roomOf, type Share, widen } from './escrow.ts';
import { REMEMBERED_KEYS } from './key-ring.ts';
import type { ShardRecord } from './records.ts';
import { grossOf, opened, readTally, recent, type Window, writeTally } from './tally.ts';

/** What one add wants of a shard. */
export interface Attempt {
  readonly amount: bigint;
  /** The hash of its idempotency key. */
  readonly key: string | undefined;
  /** Room that other shards gave up for this one. */
  readonly lent: bigint;
}

/**
 * What became of one add at a shard: `sealed` means that the next generation counts, `short` that the shard by itself has no
 * room; what was lent stays there.
 */
export type Outcome = 'counted' | 'replayed' | 'sealed' | 'short' | 'overflow';

/** What an add changes about a shard. */
export type ShardDraft = Share & Pick<ShardRecord, 'keys' | 'sealed'>;

const MAX_COUNT = 10n ** 38n - 1n;

/** Applies adds to a shard, one after the other; their amounts go into the bucket `at`. */
export function applyAdds(
  draft: ShardDraft,
  attempts: readonly Attempt[],
  window: Window | undefined,
  at: number,
): Outcome[] {
  const { closed, open } = opened(readTally(draft.counts), at);
  const before = grossOf(closed);
  let { up, down } = open;
  const outcomes = attempts.map(({ amount, key, lent }): Outcome => {
    const isRemembered = key !== undefined && remembersKey(draft.keys, key);
    if (draft.sealed) return isRemembered ? 'replayed' : 'sealed';
    const isUp = amount > 0n;
    const size = isUp ? amount : -amount;
    if (lent > 0n) widen(draft, isUp, lent);
    if (isRemembered) return 'replayed';
    const gross = { up: before.up + up, down: before.down + down };
    const room = roomOf(draft, gross.up - gross.down, isUp);
    if (room !== undefined && room < size) return 'short';
    if ((isUp ? gross.up : gross.down) + size > MAX_COUNT) return 'overflow';
    if (isUp) up += size;
    else down += size;
    if (key !== undefined) draft.keys = withKey(draft.keys, key, REMEMBERED_KEYS);
    return 'counted';
  });
  if (outcomes.includes('counted')) draft.counts = writeTally(recent([...closed, { at: open.at, up, down }], window));
  return outcomes;
}
