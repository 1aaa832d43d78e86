import type { HeadRecord, ShardRecord } from './records.ts';
import { netOf, readTally, type Tally, type Window } from './tally.ts';

/** The bounds of a counter; a side that is undefined is open. */
export interface Bounds {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

/** The head record, read. */
export interface Head {
  readonly name: string;
  readonly epoch: number;
  readonly generation: number;
  readonly shards: number;
  readonly bounds: Bounds;
  readonly window: Window | undefined;
  readonly carried: Tally;
  readonly next: HeadRecord['next'];
}

const bigintOf = (text: string | undefined): bigint | undefined => (text === undefined ? undefined : BigInt(text));

export function headOf({ name, epoch, generation, shards, min, max, window, carried, next }: HeadRecord): Head {
  const bounds = { min: bigintOf(min), max: bigintOf(max) };
  return { name, epoch, generation, shards, bounds, window, carried: readTally(carried), next };
}

/** The shard that nobody has written to yet. */
export function blankShard(
  { bounds: { min, max }, carried, shards }: Head,
  shard: number,
  keys = '',
): Omit<ShardRecord, 'name' | 'generation' | 'shard'> {
  const start = netOf(carried);
  return {
    counts: [],
    floor: min === undefined ? undefined : String(-shareOf(start - min, shard, shards)),
    ceiling: max === undefined ? undefined : String(shareOf(max - start, shard, shards)),
    keys,
    sealed: false,
  };
}

/** One of `shards` parts of a whole that is not negative. The parts add up to it, and differ by one at most. */
function shareOf(whole: bigint, shard: number, shards: number): bigint {
  const count = BigInt(shards);
  return whole / count + (BigInt(shard) < whole % count ? 1n : 0n);
}
