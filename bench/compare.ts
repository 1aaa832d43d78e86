import type { BenchRow } from './row.ts';

/** The middle of the values; of an even number of them, the higher of the two in the middle. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Medians over rounds that take turns, so that a busy machine slows down both. `ours` and `theirs` resolve to the time of one call. */
export async function compare(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Pick<BenchRow, 'ours' | 'theirs' | 'ratio'>> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.ours.push(await ours());
    times.theirs.push(await theirs());
  }
  const result = { ours: median(times.ours), theirs: median(times.theirs) };
  return { ...result, ratio: result.theirs / result.ours };
}

/** Nanoseconds that each of `calls` calls took. */
export async function timed(calls: number, work: () => Promise<void>): Promise<number> {
  const started = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - started) / calls;
}
