import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemEnvironment } from '../../../core/system.ts';
import { distance } from '../../../core/vectors/index.ts';
import { type AnnSnapshot, type AnnSpace, AnnSpaceLost, type AnnStats, type AnnThread } from '../ann/index.ts';
import { type OpenedFolder, openFolder } from '../open-folder.ts';
import type { SpaceInfo } from './layout.ts';
import { Replica } from './replica.ts';
import { SnapshotFiles } from './snapshot-files.ts';
import { SpaceCache } from './space-cache.ts';

/** A thread whose spaces are maps, and in which removed vectors stay as dead ones do in a graph. */
class FakeThread implements AnnThread {
  readonly spaces: FakeSpace[] = [];

  async space(): Promise<AnnSpace> {
    const space = new FakeSpace();
    this.spaces.push(space);
    return space;
  }

  async close(): Promise<void> {}
}

class FakeSpace implements AnnSpace {
  readonly vectors = new Map<number, Float32Array>();
  dead = 0;
  isClosed = false;
  /** As long as its graph is being built. */
  isMoving = false;
  saves = 0;
  /** What every call rejects with from now on. */
  failure: Error | undefined;
  /** Adding waits for it. */
  gate: Promise<void> | undefined;

  async add(labels: Float64Array, vectors: Float32Array): Promise<void> {
    await this.gate;
    this.#throwIfFailed();
    const dimensions = vectors.length / labels.length;
    for (const [i, label] of labels.entries()) {
      expect(this.vectors.has(label)).toBe(false);
      this.vectors.set(label, vectors.slice(i * dimensions, (i + 1) * dimensions));
    }
  }

  async remove(labels: Float64Array): Promise<void> {
    this.#throwIfFailed();
    for (const label of labels) if (this.vectors.delete(label)) this.dead += 1;
  }

  async search(query: Float32Array, k: number): Promise<Float64Array> {
    this.#throwIfFailed();
    const found = [...this.vectors].map(([label, vector]) => ({ label, far: distance('euclidean', query, vector) }));
    const nearest = found.sort((a, b) => a.far - b.far).slice(0, k);
    return Float64Array.from(nearest, ({ label }) => label);
  }

  async stats(): Promise<AnnStats> {
    const { size } = this.vectors;
    return this.isMoving ? { size, dead: 0, kind: 'exact', isMoving: true } : { size, dead: this.dead, kind: 'hnsw' };
  }

  save(): Promise<AnnSnapshot> {
    this.saves += 1;
    return Promise.reject(new Error('A fake space saves nothing.'));
  }

  async load(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #throwIfFailed(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

const NAMESPACE = 'points';

async function world(): Promise<{
  folder: OpenedFolder;
  thread: FakeThread;
  cache: SpaceCache;
  write: (from: number, to: number) => Promise<void>;
  search: (x: number) => Promise<number[]>;
}> {
  const path = mkdtempSync(join(tmpdir(), 'norimaki-space-cache-'));
  const folder = await openFolder({ path }, systemEnvironment);
  onTestFinished(async () => {
    await folder.close();
    rmSync(path, { recursive: true });
  });
  await folder.vectors.createIndex(NAMESPACE, { dimensions: 1, metric: 'euclidean', type: 'hnsw' });
  const info = (): SpaceInfo => folder.tables.vectors.space(NAMESPACE) as SpaceInfo;
  const thread = new FakeThread();
  const files = new SnapshotFiles(path, 'nobody');
  const reader = () => folder.tables.vectors;
  const cache = new SpaceCache({ reader, queue: folder.queue, thread: () => thread, files }, NAMESPACE, info());
  return {
    folder,
    thread,
    cache,
    write: async (from, to) => {
      const ids = Array.from({ length: to - from }, (_, i) => from + i);
      await Promise.all(ids.map((i) => folder.vectors.insert(NAMESPACE, String(i), Float32Array.of(i))));
    },
    search: async (x) => [
      ...(await cache.search(Float32Array.of(x), { k: 3, spare: 0, target: info().next, signal: undefined })),
    ],
  };
}

test('a graph that is built behind a search is saved after a later one', async () => {
  const { thread, write, search } = await world();
  const make = thread.space.bind(thread);
  thread.space = async () => Object.assign((await make()) as FakeSpace, { isMoving: true });
  await write(0, 10_000);
  await search(5);
  const space = thread.spaces[0] as FakeSpace;
  await search(5);
  expect(space.saves).toBe(0);
  space.isMoving = false;
  await search(5);
  await expect.poll(() => space.saves).toBe(1);
});

test('what is largely dead is built anew, and the old one answers until the new one is filled', async () => {
  const { thread, write, search } = await world();
  await write(0, 300);
  expect((await search(5)).length).toBe(3);
  // The same vectors anew: 300 dead for 300 that live.
  await write(0, 300);
  let open = (): void => {};
  const old = thread.spaces[0] as FakeSpace;
  const make = thread.space.bind(thread);
  thread.space = async () => {
    const space = (await make()) as FakeSpace;
    space.gate = new Promise((resolve) => {
      open = resolve;
    });
    return space;
  };
  await search(5);
  await expect.poll(() => thread.spaces.length).toBe(2);
  await write(300, 301);
  expect(await search(300)).toContain(900);
  expect(old.isClosed).toBe(false);
  open();
  await expect.poll(() => old.isClosed).toBe(true);
  expect(await search(300)).toContain(900);
  expect(thread.spaces[1]).toMatchObject({ dead: 0, isClosed: false });
  expect(thread.spaces[1]?.vectors.size).toBe(301);
  expect(thread.spaces.length).toBe(2);
});

test('a space that died with its thread is filled again within the same search', async () => {
  const { thread, write, search } = await world();
  await write(0, 20);
  const before = await search(5);
  (thread.spaces[0] as FakeSpace).failure = new AnnSpaceLost(new Error('gone'));
  expect(await search(5)).toEqual(before);
  expect(thread.spaces.length).toBe(2);
});

test('a change that the space refused is never left out of an answer', async () => {
  const { thread, write, search } = await world();
  await write(0, 20);
  await search(5);
  await write(20, 21);
  const space = thread.spaces[0] as FakeSpace;
  const refusal = new Error('refused');
  space.add = () => Promise.reject(refusal);
  await expect(search(20)).rejects.toBe(refusal);
  expect(await search(20)).toContain(20);
  expect(thread.spaces.length).toBe(2);
});

test('searches at once share what they catch up with', async () => {
  const { thread, write, search } = await world();
  await write(0, 2500);
  const answers = await Promise.all(Array.from({ length: 10 }, () => search(7)));
  expect(new Set(answers.map(String)).size).toBe(1);
  expect(thread.spaces.length).toBe(1);
});

test('what is written while a snapshot is saved is not in it, and comes after it from the log', async () => {
  const { folder, write } = await world();
  await write(0, 20);
  const space = new FakeSpace();
  const reader = () => folder.tables.vectors;
  const info = reader().space(NAMESPACE) as SpaceInfo;
  const replica = new Replica(reader, NAMESPACE, info, space, { vectors: 0, removals: info.next });
  await replica.reach(20);
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let size = 0;
  space.save = async () => {
    await begun;
    size = space.vectors.size;
    return {} as AnnSnapshot;
  };
  const saving = replica.save('file');
  await write(20, 22);
  const reached = replica.reach(22);
  await new Promise((resolve) => setImmediate(resolve));
  begin();
  expect((await saving).position.vectors).toBe(20);
  expect(size).toBe(20);
  await reached;
  expect(space.vectors.size).toBe(22);
});

test('the log is cut off, and who is behind what was cut off begins anew', async () => {
  const { folder, thread, write, search } = await world();
  await write(0, 300);
  await search(5);
  for (let round = 0; round < 4; round++) await write(0, 300);
  expect(folder.tables.vectors.space(NAMESPACE)).toMatchObject({ size: 300, logged: 1000 });
  // Of 200 vectors nobody says any more that they are gone; too few are known to be dead to build anew for that.
  await search(5);
  expect(thread.spaces[0]).toMatchObject({ dead: 100, vectors: { size: 500 } });
  await expect.poll(() => thread.spaces[0]?.isClosed).toBe(true);
  expect(thread.spaces[1]?.vectors.size).toBe(300);
});
