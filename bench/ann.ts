import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { AnnSpace, AnnThread } from '../src/stores/embedded/ann/index.ts';
import { startAnn } from '../src/stores/embedded/ann/index.ts';
import { clustered, labelsFrom, rowOf } from '../test/embedded/support/clustered.ts';
import { median } from './compare.ts';
import type { BenchRow } from './row.ts';

const DIMENSIONS = 384;
const VECTORS = process.argv.includes('--small') ? 20_000 : 100_000;
const BATCH = 1000;
const QUERIES = 200;
const ROUNDS = 3;
const WARM_UP = 64;
const K = 10;
/** Just below where a space of so many dimensions moves into a graph. */
const SCANNED = 5300;
const LOOP_LIMIT_MS = 20;

interface Usearch {
  readonly Index: new (
    options: object,
  ) => {
    add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
    search(query: Float32Array, count: number, threads: number): { keys: BigUint64Array };
  };
  exactSearch(
    rows: Float32Array,
    query: Float32Array,
    dimensions: number,
    count: number,
    metric: string,
    threads: number,
  ): { keys: BigUint64Array };
}

// usearch gives its importers no types.
const usearch = createRequire(import.meta.url)('usearch') as Usearch;

/** The vectors in their thread, beside usearch called by hand in this one; recall beside every search. */
export async function annBench(): Promise<BenchRow[]> {
  const make = clustered(DIMENSIONS, 42);
  const [rows, warmUp, queries] = [make(VECTORS), make(WARM_UP), make(QUERIES)];
  const nearest = Array.from({ length: QUERIES }, (_, i) => scan(rows, rowOf(queries, DIMENSIONS, i)));
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const thread = startAnn();
  try {
    const space = await thread.space({ dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' });
    const loop = monitorEventLoopDelay({ resolution: 1 });
    const [ourBuild, loopBusy] = await built(space, rows, loop);
    const [theirs, theirBuild] = byHand(rows, 'f32');
    const [halved] = byHand(rows, 'f16');

    for (let i = 0; i < 2 * WARM_UP; i++) await space.search(rowOf(warmUp, DIMENSIONS, i % WARM_UP), K);
    const found: Float64Array[] = [];
    for (let i = 0; i < QUERIES; i++) found.push(await space.search(rowOf(queries, DIMENSIONS, i), K));
    const ourRecall = recall(found, nearest);
    const { width, theirRecall } = widthFor(theirs, queries, nearest, ourRecall);
    // In turns, so that the caches and the rest of the machine are as they are for each.
    const [ourTimes, theirTimes, halvedTimes]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < ROUNDS * QUERIES; i++) {
      const query = rowOf(queries, DIMENSIONS, i % QUERIES);
      ourTimes.push(await milliseconds(() => space.search(query, K)));
      theirTimes.push(await milliseconds(() => theirs.search(query, width, 1)));
      halvedTimes.push(await milliseconds(() => halved.search(query, width, 1)));
    }
    const [ours, raw] = [median(ourTimes) * 1000, median(theirTimes) * 1000];
    console.log(
      `ann: usearch by hand with 16-bit numbers, as a space has them: ${(median(halvedTimes) * 1000).toFixed(0)} µs`,
    );
    const reopened = await reopen(space, thread, join(folder, 'saved'));
    const recalls = `recall ${ourRecall.toFixed(3)} beside ${theirRecall.toFixed(3)} (${width} wide)`;
    const size = `${VECTORS / 1000}k x ${DIMENSIONS}`;
    return [
      row(`ann ${size}: search, ${recalls}`, ours, raw, 0.8, 'µs'),
      row(`ann ${size}: add one`, (ourBuild * 1000) / VECTORS, (theirBuild * 1000) / VECTORS, 0.8, 'µs'),
      row(`ann ${size}: reopen beside rebuild`, reopened, ourBuild, 10, 'ms'),
      row('ann: event loop, longest stop', loopBusy, LOOP_LIMIT_MS, 1, 'ms'),
      await scanned(thread, rows, queries),
    ];
  } finally {
    await thread.close();
    await rm(folder, { recursive: true });
  }
}

function row(name: string, ours: number, theirs: number, target: number, unit: string): BenchRow {
  return { name, ours, theirs, ratio: theirs / ours, target, unit };
}

async function milliseconds(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Adds all in batches while another call searches; resolves to the time, and the longest stop of the event loop. */
async function built(
  space: AnnSpace,
  rows: Float32Array,
  loop: ReturnType<typeof monitorEventLoopDelay>,
): Promise<[number, number]> {
  const batches = Array.from({ length: VECTORS / BATCH }, (_, i) =>
    rows.slice(i * BATCH * DIMENSIONS, (i + 1) * BATCH * DIMENSIONS),
  );
  loop.enable();
  const time = await milliseconds(async () => {
    for (const [i, batch] of batches.entries()) {
      const add = space.add(labelsFrom(i * BATCH, BATCH), batch);
      if (i % 10 === 9) await space.search(rowOf(rows, DIMENSIONS, i), K);
      await add;
    }
    while ((await space.stats()).kind !== 'hnsw') await new Promise((resolve) => setImmediate(resolve));
  });
  loop.disable();
  return [time, loop.max / 1e6];
}

/** The graph that a space makes; `f32` is what usearch does unless it is told otherwise. */
function byHand(rows: Float32Array, quantization: 'f16' | 'f32'): [InstanceType<Usearch['Index']>, number] {
  const settings = { metric: 'ip', quantization, connectivity: 16, expansion_add: 64, expansion_search: 1 };
  const index = new usearch.Index({ dimensions: DIMENSIONS, ...settings });
  const started = performance.now();
  for (let from = 0; from < VECTORS; from += BATCH) {
    const keys = BigUint64Array.from(labelsFrom(from, BATCH), BigInt);
    index.add(keys, rows.subarray(from * DIMENSIONS, (from + BATCH) * DIMENSIONS), 1);
  }
  return [index, performance.now() - started];
}

function scan(rows: Float32Array, query: Float32Array): Set<number> {
  // exactSearch ignores where in its memory an array begins.
  const { keys } = usearch.exactSearch(rows, query.slice(), DIMENSIONS, K, 'ip', 1);
  return new Set(Array.from(keys, Number));
}

function recall(found: readonly Float64Array[], nearest: readonly ReadonlySet<number>[]): number {
  const hits = found.map((labels, i) => labels.filter((label) => nearest[i]?.has(label)).length);
  return hits.reduce((sum, each) => sum + each, 0) / (K * nearest.length);
}

/** The narrowest search by hand that finds as much. */
function widthFor(
  index: InstanceType<Usearch['Index']>,
  queries: Float32Array,
  nearest: readonly ReadonlySet<number>[],
  wanted: number,
): { width: number; theirRecall: number } {
  for (let width = 16; ; width += 4) {
    const found = nearest.map((_, i) => {
      const { keys } = index.search(rowOf(queries, DIMENSIONS, i), width, 1);
      return Float64Array.from(keys.subarray(0, K), Number);
    });
    const theirRecall = recall(found, nearest);
    // Two graphs of the same vectors differ a little at the top.
    if (theirRecall >= wanted - 0.001 || width >= 1000) return { width, theirRecall };
  }
}

/** How long it takes from a saved file to the first answer. */
async function reopen(space: AnnSpace, thread: AnnThread, path: string): Promise<number> {
  const snapshot = await space.save(path);
  const other = await thread.space({ dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' });
  return milliseconds(async () => {
    if (!(await other.load(path, snapshot))) throw new Error('The bench could not load what it saved.');
    await other.stats();
  });
}

/** A scan in the thread, beside that of usearch in this one. Both find all. */
async function scanned(thread: AnnThread, rows: Float32Array, queries: Float32Array): Promise<BenchRow> {
  const some = rows.slice(0, SCANNED * DIMENSIONS);
  const space = await thread.space({ dimensions: DIMENSIONS, metric: 'cosine', type: 'exact' });
  await space.add(labelsFrom(0, SCANNED), some.slice());
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < QUERIES; i++) {
    const query = rowOf(queries, DIMENSIONS, i);
    ours.push(await milliseconds(() => space.search(query, K)));
    theirs.push(await milliseconds(() => scan(some, query)));
  }
  return row(`ann ${SCANNED} x ${DIMENSIONS}: scan, recall 1`, median(ours) * 1000, median(theirs) * 1000, 0.4, 'µs');
}
