import { randomInt } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import type { VectorWrite } from '../../src/core/vectors/index.ts';
import { type EmbeddedStore, embedded } from '../../src/stores/embedded/index.ts';
import { pickInt, seededRandom } from '../../src/testing/seeded-random.ts';
import { startChild } from './support/child.ts';
import { openStore, temporaryFolder } from './support/folder.ts';
import { vectorOf } from './support/vectors.ts';

const ROUNDS = Math.round(Number(process.env.NORIMAKI_ROUNDS ?? 200) / 4);
const SEED = Number(process.env.NORIMAKI_SEED ?? randomInt(2 ** 31));

/** With so many dimensions few vectors are enough for a graph: only graphs are saved. */
const DIMENSIONS = 4000;
const VECTORS = 540;

const idOf = (i: number): string => `v${i}`;

async function fill(store: EmbeddedStore, from: number, to: number): Promise<void> {
  const vectors: VectorWrite[] = [];
  for (let i = from; i < to; i++) {
    vectors.push({ type: 'insert', namespace: 'large', id: idOf(i), vector: vectorOf(idOf(i), DIMENSIONS) });
  }
  await store.commit([], { vectors });
}

let original: Promise<string> | undefined;

afterAll(async () => {
  if (original !== undefined) await rm(await original, { recursive: true });
});

/** A folder with a graph and its snapshot; to build the graph takes a while. */
async function buildOriginal(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'norimaki-snapshot-'));
  const store = await embedded({ path: join(path, 'data') }).openStore(systemEnvironment);
  await store.vectors.createIndex('large', { dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' });
  await fill(store, 0, VECTORS);
  // The graph is built in the background once a search asked for it; another search waits until it is there.
  await searchUntilGraph(store);
  await store.close();
  return path;
}

/** A copy of it. */
async function folderWithSnapshot(): Promise<{ data: string; snapshots: string }> {
  const { path, data } = await temporaryFolder();
  original ??= buildOriginal();
  await cp(await original, path, { recursive: true });
  const snapshots = join(data, 'vectors');
  expect((await readdir(snapshots)).length).toBe(1);
  return { data, snapshots };
}

/** The graph is built in the background, once there are too many vectors to look at each. */
async function searchUntilGraph(store: EmbeddedStore): Promise<void> {
  expect(await find(store, 0)).toBe(idOf(0));
  const memory = async () => (await store.stats()).namespaces[0]?.memory;
  await expect.poll(memory, { timeout: 60_000 }).toBe('hnsw');
}

async function find(store: EmbeddedStore, i: number): Promise<string | undefined> {
  const [hit] = await store.vectors.search('large', vectorOf(idOf(i), DIMENSIONS), 1);
  return hit?.id;
}

test('a snapshot that is cut off or has a flipped bit is not loaded, and nothing is lost', {
  timeout: 120_000 + ROUNDS * 5_000,
}, async () => {
  console.log(`NORIMAKI_SEED=${SEED}`);
  const { data, snapshots } = await folderWithSnapshot();
  const random = seededRandom(SEED);
  const [first = ''] = await readdir(snapshots);
  const whole = await readFile(join(snapshots, first));
  for (let round = 0; round < 2 * ROUNDS; round++) {
    // The one before may have been replaced by a whole one when its store was closed.
    const [name = '', ...others] = await readdir(snapshots);
    expect(others).toEqual([]);
    const damaged = round % 2 === 0 ? whole.subarray(0, pickInt(random, whole.length)) : Buffer.from(whole);
    const at = pickInt(random, whole.length);
    if (round % 2 === 1) damaged.writeUInt8(whole.readUInt8(at) ^ (1 << pickInt(random, 8)), at);
    await writeFile(join(snapshots, name), damaged);

    const wanted = pickInt(random, VECTORS);
    if (round < 6) {
      const child = startChild('snapshot-reader', data, DIMENSIONS, idOf(wanted));
      const { found } = (await child.next()) as { found: string[] };
      expect(found[0]).toBe(idOf(wanted));
      expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
    } else {
      const store = await openStore(data);
      expect(await find(store, wanted), `round ${round}`).toBe(idOf(wanted));
      expect((await store.stats()).namespaces).toMatchObject([{ vectors: VECTORS, behind: 0 }]);
      await store.close();
    }
  }
});

test('a whole snapshot is loaded, and what was written after it is added from the log', async () => {
  const { data, snapshots } = await folderWithSnapshot();
  const saved = await readdir(snapshots);
  const store = await openStore(data);
  await store.vectors.delete('large', idOf(3));
  await store.vectors.insert('large', idOf(4), vectorOf('another', DIMENSIONS));
  await fill(store, VECTORS, VECTORS + 1);
  const hits = await store.vectors.search('large', vectorOf(idOf(3), DIMENSIONS), 1000);
  // At once: a graph that is built anew is scanned until it is ready.
  expect((await store.stats()).namespaces).toMatchObject([{ memory: 'hnsw', vectors: VECTORS, behind: 0 }]);
  expect(new Set(hits.map(({ id }) => id)).size).toBe(VECTORS);
  expect(hits.map(({ id }) => id)).not.toContain(idOf(3));
  expect(await find(store, VECTORS)).toBe(idOf(VECTORS));
  expect(await store.vectors.search('large', vectorOf('another', DIMENSIONS), 1)).toMatchObject([{ id: idOf(4) }]);
  await store.close();
  expect(await readdir(snapshots)).toEqual(saved);
});

test('a snapshot that nobody names is removed, once its store is gone; a dropped namespace takes its own along', async () => {
  const { data, snapshots } = await folderWithSnapshot();
  const [name = ''] = await readdir(snapshots);
  const orphan = name.replace(/^\d+\.\d+/, '1.7');
  await writeFile(join(snapshots, orphan), 'left by a crash before LMDB named it');
  await writeFile(join(snapshots, `${orphan}.1-1.tmp`), 'left by a crash while it was written');
  const store = await openStore(data);
  await expect.poll(() => readdir(snapshots)).toEqual([name]);
  expect(await find(store, 1)).toBe(idOf(1));
  await store.vectors.dropIndex('large');
  await expect.poll(() => readdir(snapshots)).toEqual([]);
});
