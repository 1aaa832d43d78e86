import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clustered, labelsFrom, rowOf } from '../../../../test/embedded/support/clustered.ts';
import { NorimakiError } from '../../../core/errors.ts';
import { AnnSpaceLost, type AnnThread, startAnn } from './index.ts';

const OPTIONS = { dimensions: 16, metric: 'cosine', type: 'hnsw' } as const;
const rows = clustered(16, 1)(5000);

let folder: string;
const threads: AnnThread[] = [];
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'norimaki-ann-'));
});
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.close()));
  expect(workers.filter((worker) => worker.threadId !== -1)).toEqual([]);
  workers.length = 0;
});
afterAll(() => rm(folder, { recursive: true }));

function start(findUsearch?: () => string): AnnThread {
  const thread = startAnn(findUsearch);
  threads.push(thread);
  return thread;
}

const firstRows = (count: number) => rows.slice(0, count * 16);

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof NorimakiError ? error.code : String(error);
}

test('calls are answered in order, through the thread', async () => {
  const space = await start().space(OPTIONS);
  const [labels, vectors] = [labelsFrom(2 ** 53 - 5001, 5000), firstRows(5000)];
  void space.add(labels, vectors);
  const all = space.search(rowOf(rows, 16, 4321), 1);
  void space.remove(Float64Array.of(2 ** 53 - 5001 + 4321));
  const one = space.search(rowOf(rows, 16, 4321), 1);
  expect([...(await all)]).toEqual([2 ** 53 - 5001 + 4321]);
  expect([...(await one)]).not.toEqual([2 ** 53 - 5001 + 4321]);
  expect(await space.stats()).toEqual({ size: 4999, dead: 0, kind: 'exact' });
  expect([labels.length, vectors.length]).toEqual([0, 0]);
});

test('arrays that are a part of something larger are copied, and queries are left alone', async () => {
  const space = await start().space(OPTIONS);
  await space.add(new Float64Array([1, 2, 3]).subarray(1), rows.subarray(0, 32));
  expect(rows.length).toBe(5000 * 16);
  const query = rows.slice(0, 16);
  expect([...(await space.search(query, 5))]).toEqual([2, 3]);
  expect(query.length).toBe(16);
  const gone = Float64Array.of(2);
  await space.remove(gone);
  expect(gone.length).toBe(1);
});

test('when the thread dies its spaces say that they are lost, and the next space has a thread again', async () => {
  const thread = start();
  // Without usearch: a thread that is terminated inside of it takes the process along, which is why `end` never does that.
  const space = await thread.space({ ...OPTIONS, type: 'exact' });
  await space.add(labelsFrom(0, 100), firstRows(100));
  // So much to do before the others that the thread dies in the midst of it.
  const adding = space.add(labelsFrom(100, 400_000), new Float32Array(400_000 * 16));
  const waiting = [adding, space.search(rows.slice(0, 16), 1), space.save(join(folder, 'dying'))].map((each) =>
    each.catch((error: unknown) => error),
  );
  await workers[0]?.terminate();
  for (const error of [...(await Promise.all(waiting)), await space.stats().catch((reason: unknown) => reason)]) {
    expect(error).toBeInstanceOf(AnnSpaceLost);
    expect(error).toMatchObject({ code: 'store.unavailable', details: { applied: 'no' } });
  }
  expect(await readdir(folder)).toEqual([]);
  await space.close();

  const next = await thread.space(OPTIONS);
  expect(await codeOf(space.search(rows.slice(0, 16), 1))).toBe('store.unavailable');
  expect(await next.stats()).toEqual({ size: 0, dead: 0, kind: 'exact' });
  expect(workers.length).toBe(2);
});

test('a search that is aborted rejects at once, and what comes after it is answered', async () => {
  const space = await start().space({ ...OPTIONS, type: 'exact' });
  const add = space.add(labelsFrom(0, 5000), firstRows(5000));
  const controller = new AbortController();
  const search = space.search(rows.slice(0, 16), 5, { signal: controller.signal });
  controller.abort();
  expect(await codeOf(search)).toBe('aborted');
  expect(await codeOf(space.search(rows.slice(0, 16), 5, { signal: controller.signal }))).toBe('aborted');
  await add;
  const other = new AbortController();
  expect((await space.search(rows.slice(0, 16), 5, { signal: other.signal })).length).toBe(5);
  other.abort();
});

test('closing rejects what waits and all that follows; closing again is nothing', async () => {
  const thread = start();
  const [space, other] = [await thread.space(OPTIONS), await thread.space(OPTIONS)];
  await space.close();
  await space.close();
  expect(await codeOf(space.stats())).toBe('store.closed');
  expect((await other.stats()).size).toBe(0);
  const exited = once(workers[0] as Worker, 'exit');
  // So much that the thread is told to end before it is done.
  const waiting = codeOf(other.add(labelsFrom(0, 400_000), new Float32Array(400_000 * 16)));
  await Promise.all([thread.close(), thread.close()]);
  await exited;
  expect(await waiting).toBe('store.closed');
  expect(await codeOf(other.stats())).toBe('store.closed');
  expect(await codeOf(thread.space(OPTIONS))).toBe('store.closed');
  await other.close();
  const never = start();
  await never.close();
  expect(workers.length).toBe(1);
});

test('a space that is closed while it moves into usearch does not say that usearch is missing', async () => {
  const thread = start();
  const space = await thread.space({ ...OPTIONS, dimensions: 4096 });
  const waiting = codeOf(space.add(labelsFrom(0, 600), new Float32Array(600 * 4096).fill(1)));
  await thread.close();
  expect(await waiting).toBe('store.closed');
});

test('without usearch a space that gets too large for the scan names the cure', async () => {
  const space = await start(() => {
    throw new Error('not found');
  }).space({ ...OPTIONS, dimensions: 4096 });
  const add = space.add(labelsFrom(0, 600), new Float32Array(600 * 4096).fill(1));
  const error = await add.catch((reason: unknown) => reason);
  expect(NorimakiError.is(error, 'capability.missing') && error.details.capability).toBe('usearch');
  expect(String(error)).toContain('npm install usearch@2.25.3');
  expect((await space.stats()).size).toBe(0);
});

test('options that no index takes are refused', async () => {
  expect(await codeOf(start().space({ ...OPTIONS, dimensions: 0 }))).toBe('argument.invalid');
  expect(workers).toEqual([]);
});

test('a save puts a private file in place of the one before, or leaves all as it was', async () => {
  const space = await start().space(OPTIONS);
  await space.add(labelsFrom(0, 100), firstRows(100));
  const path = join(folder, 'saved');
  await writeFile(path, 'before');
  const snapshot = await space.save(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readFile(path)).length).toBe(snapshot.bytes);
  expect(await readdir(folder)).toEqual(['saved']);
  expect(await codeOf(space.save(join(folder, 'missing', 'saved')))).toBe('store.unavailable');
  expect(await codeOf(space.save(folder))).toBe('store.unavailable');
  expect(await readdir(folder)).toEqual(['saved']);
  expect(await space.load(path, snapshot)).toBe(true);
  expect((await space.stats()).size).toBe(100);
  await rm(path);
});
