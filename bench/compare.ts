import type { BenchRow } from './row.ts';

/** The middle of the values; of an even number of them, the higher of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/**
 * Short rounds that take turns, so that a busy machine slows down both alike; the ratio is the median of the rounds'.
 * `ours` and `theirs` resolve to the time of one call.
 */
export async function compare(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Pick<BenchRow, 'ours' | 'theirs' | 'ratio'>> {
  const times: { readonly ours: number; readonly theirs: number }[] = [];
  for (let round = 0; round < rounds; round++) times.push({ ours: await ours(), theirs: await theirs() });
  return {
    ours: median(times.map((round) => round.ours)),
    theirs: median(times.map((round) => round.theirs)),
    ratio: median(times.map((round) => round.theirs / round.ours)),
  };
}

/** Nanoseconds that each of `calls` calls took. */
export async function timed(calls: number, work: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / calls;
}
