import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { z } from 'zod';
import { defineEntity, open } from '../src/index.ts';
import { type EmbeddedStore, embedded } from '../src/stores/embedded/index.ts';
import { clustered, rowOf } from '../test/embedded/support/clustered.ts';
import { median } from './compare.ts';
import { glove } from './glove.ts';
import type { BenchRow } from './row.ts';

const SMALL = process.argv.includes('--small');
const QUERIES = 100;
const ROUNDS = 5;
const K = 10;

interface Dataset {
  readonly name: string;
  readonly dimensions: number;
  readonly count: number;
  readonly rows: Float32Array;
  /** Not among the rows. */
  readonly queries: Float32Array;
}

interface Usearch {
  readonly Index: new (
    options: object,
  ) => {
    add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
    search(query: Float32Array, count: number, threads: number): { keys: BigUint64Array };
  };
}

// usearch gives its importers no types.
const usearch = createRequire(import.meta.url)('usearch') as Usearch;

function clusteredSet(): Dataset {
  const [dimensions, count] = [384, SMALL ? 20_000 : 100_000];
  const make = clustered(dimensions, 42);
  const rows = make(count);
  return { name: `${count / 1000}k x ${dimensions} clustered`, dimensions, count, rows, queries: make(QUERIES) };
}

function gloveSet(): Dataset {
  const { rows, count, dimensions } = glove();
  // Every so-manieth word is asked for, and not stored.
  const step = Math.floor(count / QUERIES);
  const kept = Array.from({ length: count }, (_, i) => i).filter((i) => i % step !== 0 || i / step >= QUERIES);
  const some = SMALL ? kept.slice(0, 20_000) : kept;
  const pick = (ids: readonly number[]): Float32Array => {
    const picked = new Float32Array(ids.length * dimensions);
    for (const [to, from] of ids.entries()) picked.set(rowOf(rows, dimensions, from), to * dimensions);
    return picked;
  };
  const queries = pick(Array.from({ length: QUERIES }, (_, i) => i * step));
  const name = `${Math.round(some.length / 1000)}k x ${dimensions} GloVe`;
  return { name, dimensions, count: some.length, rows: pick(some), queries };
}

/** `search` of a repository on the embedded store, beside usearch by hand over the same vectors; recall beside speed. */
export async function searchBench(): Promise<BenchRow[]> {
  return [...(await searchOf(clusteredSet())), ...(await searchOf(gloveSet()))];
}

async function searchOf({ name, dimensions, count, rows, queries }: Dataset): Promise<BenchRow[]> {
  const Item = defineEntity(
    'item',
    z.object({ id: z.number(), half: z.number(), tenth: z.number(), hundredth: z.number(), thousandth: z.number() }),
    {
      id: 'id',
      index: ['half', 'tenth', 'hundredth', 'thousandth'],
      embeddings: { vector: { dimensions } },
    },
  );
  const shares = { half: 2, tenth: 10, hundredth: 100, thousandth: 1000 };
  const path = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const loop = monitorEventLoopDelay({ resolution: 1 });
  let db = await open(embedded({ path: join(path, 'data'), durability: 'committed' }));
  try {
    const items = Array.from({ length: count }, (_, id) => ({
      id,
      half: id % 2,
      tenth: id % 10,
      hundredth: id % 100,
      thousandth: id % 1000,
      vector: rowOf(rows, dimensions, id),
    }));
    const created = await milliseconds(async () => {
      for (const result of await db.repo(Item).createMany(items, { concurrency: 1000 }))
        if (!result.ok) throw result.error;
    });
    console.log(`${name}: ${Math.round((count / created) * 1000)} entities created in a second`);
    const started = performance.now();
    const first = await milliseconds(() => db.repo(Item).search(rowOf(queries, dimensions, 0), { limit: K }));
    await untilGraph(db.store);
    const build = performance.now() - started;
    console.log(`${name}: first search after ${Math.round(first)} ms, graph built after ${Math.round(build)} ms`);
    await db.close();
    db = await open(embedded({ path: join(path, 'data'), durability: 'committed' }));
    const repo = db.repo(Item);
    const reopened = await milliseconds(() => repo.search(rowOf(queries, dimensions, 0), { limit: K }));

    const queryAt = (i: number): Float32Array => rowOf(queries, dimensions, i);
    const nearest = Array.from({ length: QUERIES }, (_, i) => exact(rows, dimensions, queryAt(i), () => true));
    for (let i = 0; i < 2 * QUERIES; i++) await repo.search(queryAt(i % QUERIES), { limit: K });
    const theirs = byHand(rows, dimensions, count);
    loop.enable();
    const found: number[][] = [];
    for (let i = 0; i < QUERIES; i++) {
      const { hits } = await repo.search(queryAt(i), { limit: K });
      found.push(hits.map(({ entity }) => entity.id));
    }
    loop.disable();
    const ourRecall = recall(found, nearest);
    const width = widthFor(theirs, queries, dimensions, nearest, ourRecall);
    // In turns, so that the caches and the rest of the machine are as they are for each.
    const [ourTimes, theirTimes]: [number[], number[]] = [[], []];
    for (let i = 0; i < ROUNDS * QUERIES; i++) {
      const query = queryAt(i % QUERIES);
      ourTimes.push(await milliseconds(() => repo.search(query, { limit: K })));
      theirTimes.push(await milliseconds(() => theirs.search(query, width, 1)));
    }

    const table = [
      row(
        `search ${name}, 10 entities read, recall ${ourRecall.toFixed(3)}`,
        median(ourTimes) * 1000,
        median(theirTimes) * 1000,
        0.5,
        'µs',
      ),
      row(`search ${name}: recall@10 (in 1/1000)`, ourRecall * 1000, 970, 1, '', true),
      row(`search ${name}: first after reopening beside building`, reopened, build, 10, 'ms'),
      row(`search ${name}: event loop, longest stop`, loop.max / 1e6, 20, 1, 'ms'),
    ];
    for (const [field, share] of Object.entries(shares)) {
      const times: number[] = [];
      const filtered: number[][] = [];
      const wanted = Array.from({ length: QUERIES }, (_, i) =>
        exact(rows, dimensions, queryAt(i), (id) => id % share === 1),
      );
      for (let i = 0; i < QUERIES; i++) {
        times.push(
          await milliseconds(async () => {
            const { hits } = await repo.search(queryAt(i), { limit: K, where: { [field]: 1 } });
            filtered.push(hits.map(({ entity }) => entity.id));
          }),
        );
      }
      const share100 = 100 / share;
      const label = `search ${name}: where ${share100} %, ${(median(times) * 1000).toFixed(0)} µs, recall@10 (in 1/1000)`;
      table.push(row(label, recall(filtered, wanted) * 1000, 950, 1, '', true));
    }
    return table;
  } finally {
    await db.close();
    await rm(path, { recursive: true });
  }
}

/** `isHigher`: more is better, so the ratio is ours over theirs. */
function row(name: string, ours: number, theirs: number, target: number, unit: string, isHigher = false): BenchRow {
  return { name, ours, theirs, ratio: isHigher ? ours / theirs : theirs / ours, target, unit };
}

async function milliseconds(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The nearest by the cosine, all compared. */
function exact(
  rows: Float32Array,
  dimensions: number,
  query: Float32Array,
  isIn: (id: number) => boolean,
): Set<number> {
  const nearest: { id: number; score: number }[] = [];
  const count = rows.length / dimensions;
  for (let id = 0; id < count; id++) {
    if (!isIn(id)) continue;
    let [product, norm] = [0, 0];
    const at = id * dimensions;
    for (let i = 0; i < dimensions; i++) {
      const x = rows[at + i] as number;
      product += x * (query[i] as number);
      norm += x * x;
    }
    const score = product / Math.sqrt(norm);
    const last = nearest.at(-1);
    if (nearest.length === K && last !== undefined && score <= last.score) continue;
    const position = nearest.findIndex((other) => other.score < score);
    nearest.splice(position === -1 ? nearest.length : position, 0, { id, score });
    if (nearest.length > K) nearest.pop();
  }
  return new Set(nearest.map(({ id }) => id));
}

/** The graph that a space makes, with the 32-bit numbers that usearch has unless it is told otherwise. */
function byHand(rows: Float32Array, dimensions: number, count: number): InstanceType<Usearch['Index']> {
  const settings = { metric: 'ip', quantization: 'f32', connectivity: 16, expansion_add: 64, expansion_search: 1 };
  const index = new usearch.Index({ dimensions, ...settings });
  for (let from = 0; from < count; from += 1000) {
    const size = Math.min(1000, count - from);
    const keys = BigUint64Array.from({ length: size }, (_, i) => BigInt(from + i));
    const some = rows.slice(from * dimensions, (from + size) * dimensions);
    for (let row = 0; row < size; row++) {
      const vector = rowOf(some, dimensions, row);
      const norm = Math.hypot(...vector);
      vector.set(vector.map((x) => x / norm));
    }
    index.add(keys, some, 1);
  }
  return index;
}

function recall(found: readonly (readonly number[])[], nearest: readonly ReadonlySet<number>[]): number {
  const hits = found.map((ids, i) => ids.filter((id) => nearest[i]?.has(id)).length);
  const wanted = nearest.reduce((sum, ids) => sum + ids.size, 0);
  return hits.reduce((sum, each) => sum + each, 0) / wanted;
}

/** The graph is built while searches look at every vector. */
async function untilGraph(store: EmbeddedStore): Promise<void> {
  while ((await store.stats()).namespaces[0]?.memory !== 'hnsw')
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The narrowest search by hand that finds as much. */
function widthFor(
  index: InstanceType<Usearch['Index']>,
  queries: Float32Array,
  dimensions: number,
  nearest: readonly ReadonlySet<number>[],
  wanted: number,
): number {
  for (let width = 16; ; width += 4) {
    const found = nearest.map((_, i) => {
      const { keys } = index.search(rowOf(queries, dimensions, i), width, 1);
      return Array.from(keys.subarray(0, K), Number);
    });
    if (recall(found, nearest) >= wanted - 0.001 || width >= 2000) return width;
  }
}
