/** What was added and what was taken off in one stretch of time. Both only grow, which is what `bounds()` rests on. */
export interface Bucket {
  /** Number of the stretch; 0 for ever without a window. */
  readonly at: number;
  readonly up: bigint;
  readonly down: bigint;
}

/** Buckets in order of time, each at most once. */
export type Tally = readonly Bucket[];

/** A count of the last `width * buckets` milliseconds. */
export interface Window {
  /** Of one bucket, in milliseconds. */
  readonly width: number;
  readonly buckets: number;
}

/** As `readTally` takes it: `12+5-3` is bucket 12 with 5 added and 3 taken off. */
export const BUCKET_FORM = /^\d{1,15}\+\d{1,60}-\d{1,60}$/;

export function readTally(counts: readonly string[]): Tally {
  return counts.map((text) => {
    const plus = text.indexOf('+');
    const minus = text.indexOf('-', plus);
    const at = Number(text.slice(0, plus));
    return { at, up: BigInt(text.slice(plus + 1, minus)), down: BigInt(text.slice(minus + 1)) };
  });
}

export function writeTally(tally: Tally): string[] {
  return tally.map(({ at, up, down }) => `${at}+${up}-${down}`);
}

/** The bucket of an instant. */
export function bucketAt(window: Window | undefined, now: number): number {
  return window === undefined ? 0 : Math.max(0, Math.floor(now / window.width));
}

/** The bucket that counts at `at`, and those before it. Time does not go back, so that a clock that does loses no count. */
export function opened(tally: Tally, at: number): { readonly closed: Tally; readonly open: Bucket } {
  const last = tally.at(-1);
  if (last === undefined || last.at < at) return { closed: tally, open: { at, up: 0n, down: 0n } };
  return { closed: tally.slice(0, -1), open: last };
}

/** All tallies as one. */
export function merged(tallies: readonly Tally[], window: Window | undefined): Tally {
  const buckets = new Map<number, Bucket>();
  for (const { at, up, down } of tallies.flat()) {
    const known = buckets.get(at);
    buckets.set(at, { at, up: up + (known?.up ?? 0n), down: down + (known?.down ?? 0n) });
  }
  const inOrder = [...buckets.values()].sort((a, b) => a.at - b.at);
  return recent(inOrder, window);
}

/** Without what has left the window by the newest bucket. */
export function recent(tally: Tally, window: Window | undefined): Tally {
  const newest = tally.at(-1);
  if (newest === undefined || window === undefined) return tally;
  const oldest = oldestOf(window, newest.at);
  return tally.filter(({ at }) => at >= oldest);
}

/** The oldest bucket of the window whose newest is `at`: a whole window lies behind the bucket that has just begun. */
export function oldestOf(window: Window | undefined, at: number): number {
  return window === undefined ? 0 : at - window.buckets;
}

/** What was added and what was taken off, from the bucket `oldest` on; of any buckets in any order. */
export function grossOf(buckets: readonly Bucket[], oldest = 0): { readonly up: bigint; readonly down: bigint } {
  let up = 0n;
  let down = 0n;
  for (const bucket of buckets) {
    if (bucket.at < oldest) continue;
    up += bucket.up;
    down += bucket.down;
  }
  return { up, down };
}

/** What remains of all that was added and taken off. */
export function netOf(buckets: readonly Bucket[]): bigint {
  const { up, down } = grossOf(buckets);
  return up - down;
}
