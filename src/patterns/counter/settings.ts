import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, refuse } from '../shared/options.ts';
import type { Bounds, Head } from './head.ts';
import { MAX_SHARDS } from './records.ts';
import type { Window } from './tally.ts';

/** What a counter is told when it is made. */
export interface CounterOptions extends BlockOptions {
  /** Records that share the count, 1 to 256; default 16. Only for a counter that is not stored yet: see `resize`. */
  readonly shards?: number | undefined;
  /** The count never goes below; at most 0. */
  readonly min?: bigint | undefined;
  /** The count never goes above; at least 0. */
  readonly max?: bigint | undefined;
  /** Counts only what was added in the last so long, to the nearest bucket. Not with `min` and `max`. */
  readonly window?: Duration | undefined;
  /** Into how many stretches the window is cut, 1 to 1,000; default 60. */
  readonly buckets?: number | undefined;
}

/** The options, checked. */
export interface CounterSettings {
  readonly name: string;
  readonly shards: number;
  readonly bounds: Bounds;
  readonly window: Window | undefined;
}

const MAX_BUCKETS = 1000;

export function settingsOf(options: CounterOptions): CounterSettings {
  const { min, max } = options;
  if (min !== undefined) checkBigint(min, 'min');
  if (max !== undefined) checkBigint(max, 'max');
  if ((min ?? 0n) > 0n || (max ?? 0n) < 0n) {
    refuse(
      min !== undefined && min > 0n ? 'min' : 'max',
      'A counter begins at 0, so min is at most 0n and max at least 0n.',
    );
  }
  return {
    name: checkName('Counter', options.name),
    shards: checkShards(options.shards ?? 16),
    bounds: { min, max },
    window: windowOf(options),
  };
}

function windowOf({ window, buckets = 60, min, max }: CounterOptions): Window | undefined {
  if (window === undefined) return undefined;
  if (min !== undefined || max !== undefined) {
    refuse('window', 'A counter has a window or bounds, not both: what leaves the window would have to be given back.');
  }
  if (!Number.isSafeInteger(buckets) || buckets < 1 || buckets > MAX_BUCKETS) {
    refuse('buckets', `buckets is a whole number from 1 to ${MAX_BUCKETS}.`);
  }
  const width = Math.ceil(milliseconds(window, 'window') / buckets);
  if (width === 0) refuse('window', 'The window of a counter is longer than nothing.');
  return { width, buckets };
}

export function checkShards(shards: number): number {
  if (Number.isSafeInteger(shards) && shards >= 1 && shards <= MAX_SHARDS) return shards;
  return refuse('shards', `shards is a whole number from 1 to ${MAX_SHARDS}.`);
}

/** For programs without types. */
export function checkBigint(value: unknown, argument: string): void {
  if (typeof value !== 'bigint') refuse(argument, `${argument} is a bigint: write 1n.`);
}

/** Refuses a program that takes the counter for another one than is stored. Errors: `argument.invalid`. */
export function checkSame({ name, bounds, window }: CounterSettings, stored: Head): void {
  for (const side of ['min', 'max'] as const) {
    if (bounds[side] === stored.bounds[side]) continue;
    refuse(
      side,
      `The counter '${name}' is stored with ${side} ${stored.bounds[side] ?? 'open'}, and this program says ${bounds[side] ?? 'open'}. Give it the bounds that are stored, or another name.`,
    );
  }
  if (window?.width === stored.window?.width && window?.buckets === stored.window?.buckets) return;
  refuse(
    'window',
    `The counter '${name}' is stored with another window than this program says. Give it the same window and buckets, or another name.`,
  );
}
