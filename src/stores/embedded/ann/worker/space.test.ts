import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { distance, type Metric } from '../../../../core/vectors/index.ts';
import { pickInt, seededRandom } from '../../../../testing/seeded-random.ts';
import { makeGate } from '../native-gate.ts';
import type { AnnSnapshot } from '../types.ts';
import { Space } from './space.ts';
import { Turns } from './turns.ts';
import { usearchLoader } from './usearch.ts';

const loadUsearch = usearchLoader(createRequire(import.meta.url).resolve('usearch'), makeGate());
const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'innerProduct'];
const DIMENSIONS = 12;
/** A space that outgrows the scan with its 300th vector. */
const SCANNABLE = 300 * (DIMENSIONS + 8);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'norimaki-ann-'));
});
afterAll(() => rm(folder, { recursive: true }));

function makeSpace(metric: Metric = 'cosine', turns = new Turns(), slice?: number): Space {
  return new Space({ dimensions: DIMENSIONS, metric, type: 'hnsw' }, loadUsearch, turns, SCANNABLE, slice);
}

function rows(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count * DIMENSIONS }, () => random.float() - 0.5);
}

const rowOf = (vectors: Float32Array, at: number) => vectors.slice(at * DIMENSIONS, (at + 1) * DIMENSIONS);
const labels = (from: number, to: number) => Float64Array.from({ length: to - from }, (_, i) => from + i);
const search = (space: Space, query: Float32Array, k: number) => space.search(query, k, 0, () => true);

async function untilGraph(space: Space): Promise<void> {
  while ((await space.stats()).kind !== 'hnsw') await new Promise((resolve) => setImmediate(resolve));
}

test.each(METRICS)(
  '%s: a space that grows finds the nearest before, while and after it moves into a graph',
  async (metric) => {
    const space = makeSpace(metric);
    const vectors = rows(1, 1200);
    const random = seededRandom(2);
    const held = new Set<number>();
    const kinds = new Set<string>();
    let [hits, wanted] = [0, 0];
    for (let from = 0; from < 1200; from += 40) {
      await space.add(labels(from, from + 40), vectors.slice(from * DIMENSIONS, (from + 40) * DIMENSIONS));
      for (let i = from; i < from + 40; i++) held.add(i);
      const gone = Float64Array.from({ length: 5 }, () => pickInt(random, from + 40));
      await space.remove(gone);
      for (const label of gone) held.delete(label);

      const query = rowOf(vectors, pickInt(random, 1200));
      const found = await search(space, query, 10);
      expect([...found].filter((label) => !held.has(label))).toEqual([]);
      const nearest = [...held]
        .sort((a, b) => distance(metric, query, rowOf(vectors, a)) - distance(metric, query, rowOf(vectors, b)))
        .slice(0, 10);
      const { size, kind } = await space.stats();
      expect(size).toBe(held.size);
      kinds.add(kind);
      if (kind === 'exact') expect([...found]).toEqual(nearest);
      hits += nearest.filter((label) => found.includes(label)).length;
      wanted += nearest.length;
    }
    expect([...kinds]).toEqual(['exact', 'hnsw']);
    expect(hits / wanted).toBeGreaterThan(0.97);
    expect((await search(space, rowOf(vectors, 0), 2000)).length).toBeGreaterThan(held.size * 0.97);
  },
);

test('a call sees all that was asked for before it, without waiting for that', async () => {
  const space = makeSpace();
  const vectors = rows(3, 2000);
  const answers: Promise<unknown>[] = [];
  for (let i = 0; i < 2000; i += 250) {
    answers.push(space.add(labels(i, i + 250), vectors.slice(i * DIMENSIONS, (i + 250) * DIMENSIONS)));
    answers.push(search(space, rowOf(vectors, i + 249), 1).then((found) => expect([...found]).toEqual([i + 249])));
    answers.push(space.remove(Float64Array.of(i + 249)));
    answers.push(search(space, rowOf(vectors, i + 249), 5).then((found) => expect([...found]).not.toContain(i + 249)));
  }
  await Promise.all(answers);
  expect((await space.stats()).size).toBe(1992);
});

test('what is removed from a graph counts as dead until its place is taken', async () => {
  const space = makeSpace();
  const vectors = rows(4, 1000);
  await space.add(labels(0, 500), vectors.slice(0, 500 * DIMENSIONS));
  await untilGraph(space);
  await space.remove(labels(0, 100));
  await space.remove(Float64Array.of(0, 7, 2 ** 52));
  expect(await space.stats()).toEqual({ size: 400, dead: 100, kind: 'hnsw' });
  await space.add(labels(500, 530), vectors.slice(500 * DIMENSIONS, 530 * DIMENSIONS));
  expect(await space.stats()).toEqual({ size: 430, dead: 70, kind: 'hnsw' });
});

test('a vector without a direction is as far from all as the core says', async () => {
  const space = makeSpace();
  const vectors = rows(5, 400);
  vectors.fill(0, 0, DIMENSIONS);
  vectors.fill(1e-14, DIMENSIONS, 2 * DIMENSIONS);
  vectors.fill(3e38, 2 * DIMENSIONS, 3 * DIMENSIONS);
  await space.add(labels(0, 400), vectors.slice());
  await untilGraph(space);
  const query = new Float32Array(DIMENSIONS).fill(1);
  const found = await search(space, query, 400);
  expect(found[0]).toBe(2);
  const distances = Array.from(found, (label) => distance('cosine', query, rowOf(vectors, label)));
  for (const [i, far] of distances.slice(1).entries()) expect(far).toBeGreaterThan((distances[i] as number) - 1e-3);
  expect([...found]).toEqual(expect.arrayContaining([0, 1]));
});

test('without usearch a small space works, and one that gets too large says so and holds what it held', async () => {
  const options = { dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' } as const;
  const space = new Space(options, usearchLoader(undefined, makeGate()), new Turns(), SCANNABLE);
  const vectors = rows(6, 400);
  await space.add(labels(0, 300), vectors.slice(0, 300 * DIMENSIONS));
  await expect(space.add(labels(300, 301), vectors.slice(0, DIMENSIONS))).rejects.toMatchObject({ kind: 'missing' });
  expect(await space.stats()).toEqual({ size: 300, dead: 0, kind: 'exact' });

  const exact = new Space({ ...options, type: 'exact' }, usearchLoader(undefined, makeGate()), new Turns(), SCANNABLE);
  await exact.add(labels(0, 400), vectors.slice());
  expect([...(await search(exact, rowOf(vectors, 333), 1))]).toEqual([333]);
  expect(() => usearchLoader(join(folder, 'missing.js'), makeGate())()).toThrow('cannot load');
  await writeFile(join(folder, 'other.cjs'), 'exports.other = 1;');
  expect(() => usearchLoader(join(folder, 'other.cjs'), makeGate())()).toThrow('installed version');
});

test('after a change that failed half way a space answers nothing', async () => {
  const space = makeSpace();
  await space.add(labels(0, 3), rows(7, 3));
  const twice = Float64Array.of(5, 5);
  await expect(space.add(twice, rows(7, 2))).rejects.toThrow('twice');
  await expect(search(space, rows(7, 1), 1)).rejects.toThrow('twice');
  await expect(space.stats()).rejects.toThrow('twice');
});

test('a closed space fails what waits, and stops moving', async () => {
  const space = makeSpace();
  const vectors = rows(8, 9000);
  const add = space.add(labels(0, 9000), vectors.slice());
  const waiting = space.stats();
  await new Promise((resolve) => setImmediate(resolve));
  space.close();
  await expect(add).rejects.toMatchObject({ kind: 'closed' });
  await expect(waiting).rejects.toMatchObject({ kind: 'closed' });
});

test.each([100, 290, 900])(
  'a file of %d vectors brings back what was saved, and nothing else is loaded',
  async (count) => {
    const space = makeSpace('euclidean');
    const vectors = rows(9, 1000);
    await space.add(labels(0, count), vectors.slice(0, count * DIMENSIONS));
    if (count > 300) await untilGraph(space);
    await space.remove(labels(0, 20));
    const path = join(folder, `saved-${count}`);
    const snapshot = await space.save(path);
    const kind = count > 300 ? 'hnsw' : 'exact';
    const bytes = (await stat(path)).size;
    expect(snapshot).toMatchObject({ size: count - 20, kind, dimensions: DIMENSIONS, metric: 'euclidean', bytes });

    const other = makeSpace('euclidean');
    await other.add(labels(5000, 5001), rows(10, 1));
    const wrong: Partial<AnnSnapshot>[] = [
      { checksum: snapshot.checksum.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
      { bytes: snapshot.bytes + 1 },
      { size: snapshot.size + 1 },
      { dimensions: DIMENSIONS + 1 },
      { metric: 'cosine' },
      { kind: kind === 'hnsw' ? 'exact' : 'hnsw' },
      { layout: snapshot.layout + 1 },
    ];
    for (const change of wrong) expect(await other.load(path, { ...snapshot, ...change })).toBe(false);
    expect(await other.load(join(folder, 'missing'), snapshot)).toBe(false);
    expect(await makeSpace('innerProduct').load(path, snapshot)).toBe(false);
    expect([...(await search(other, rows(10, 1), 5))]).toEqual([5000]);

    expect(await other.load(path, snapshot)).toBe(true);
    expect(await other.stats()).toEqual(await space.stats());
    for (let i = 0; i < 30; i++)
      expect(await search(other, rowOf(vectors, i), 10)).toEqual(await search(space, rowOf(vectors, i), 10));
    await other.add(labels(2000, 2050), rows(11, 50));
    await other.remove(labels(20, 40));
    expect((await other.stats()).size).toBe(count + 10);

    const exact = new Space({ dimensions: DIMENSIONS, metric: 'euclidean', type: 'exact' }, loadUsearch, new Turns());
    expect(await exact.load(path, snapshot)).toBe(kind === 'exact');
  },
);

/** Gives turns only to those who ask while it has some to give. */
class HeldTurns extends Turns {
  left = 0;
  letGo = (): void => {};
  readonly #free = new Promise<void>((resolve) => {
    this.letGo = resolve;
  });

  override async next(): Promise<void> {
    if (this.left-- <= 0) await this.#free;
    await super.next();
  }
}

test('a space that was filled at once is searched before its graph is there', async () => {
  const turns = new HeldTurns();
  const space = makeSpace('cosine', turns, 40);
  const vectors = rows(16, 1200);
  turns.left = 1;
  await space.add(labels(0, 1200), vectors.slice());
  turns.left = 1;
  expect([...(await search(space, rowOf(vectors, 1199), 1))]).toEqual([1199]);
  turns.left = 1;
  expect(await space.stats()).toEqual({ size: 1200, dead: 0, kind: 'exact', isMoving: true });
  turns.letGo();
  await untilGraph(space);
  expect([...(await search(space, rowOf(vectors, 1199), 1))]).toEqual([1199]);
});

test('a space of which a part has moved saves all, takes changes, and goes on moving when it is loaded', async () => {
  const turns = new HeldTurns();
  const space = makeSpace('cosine', turns, 40);
  const vectors = rows(12, 320);
  for (const at of [0, 100, 200]) {
    turns.left = 1;
    await space.add(labels(at, at + 100), vectors.slice(at * DIMENSIONS, (at + 100) * DIMENSIONS));
  }
  // One more for the slice that moves.
  turns.left = 2;
  await space.add(labels(300, 320), vectors.slice(300 * DIMENSIONS));
  turns.left = 1;
  await space.remove(Float64Array.of(3, 250));
  const path = join(folder, 'half');
  turns.left = 1;
  const snapshot = await space.save(path);
  expect(snapshot).toMatchObject({ kind: 'exact', size: 318, dead: 0 });
  turns.letGo();
  const other = makeSpace();
  expect(await other.load(path, snapshot)).toBe(true);
  for (const each of [space, other]) {
    await untilGraph(each);
    expect((await each.stats()).size).toBe(318);
    for (const label of [3, 250]) expect([...(await search(each, rowOf(vectors, label), 5))]).not.toContain(label);
    for (const label of [0, 39, 310]) expect([...(await search(each, rowOf(vectors, label), 1))]).toEqual([label]);
  }
});

test('another space has a turn between the slices of a long call', async () => {
  const turns = new Turns();
  const [busy, quick] = [makeSpace('cosine', turns), makeSpace('cosine', turns)];
  await quick.add(labels(0, 10), rows(13, 10));
  let done = false;
  const add = busy.add(labels(0, 100_000), rows(14, 100_000)).then(() => {
    done = true;
  });
  let searches = 0;
  for (; !done; searches++) {
    await search(quick, rows(13, 1), 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await add;
  expect(searches).toBeGreaterThan(10);
});

test('a space that is asked without a pause still moves, and hears what else it has to do', async () => {
  const space = makeSpace();
  const vectors = rows(15, 320);
  await space.add(labels(0, 299), vectors.slice(0, 299 * DIMENSIONS));
  await space.add(labels(299, 320), vectors.slice(299 * DIMENSIONS));
  // Each search is asked for in the moment in which the one before is answered.
  let searches = 0;
  while ((await space.stats()).kind === 'exact' && searches < 500) {
    await search(space, rowOf(vectors, 0), 1);
    searches++;
  }
  expect(searches).toBeLessThan(50);
});
