import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import type { VectorWrite } from '../../src/core/vectors/index.ts';
import type { EmbeddedStore } from '../../src/stores/embedded/index.ts';
import { bytes, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

const FLAT = { dimensions: 2, metric: 'euclidean', type: 'exact' } as const;

function inserts(count: number, namespace = 'points', from = 0): VectorWrite[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'insert',
    namespace,
    id: `v${from + i}`,
    vector: Float32Array.of(from + i, 0),
  }));
}

async function near(store: EmbeddedStore, x: number, k: number, namespace = 'points'): Promise<string[]> {
  return (await store.vectors.search(namespace, Float32Array.of(x, 0), k)).map(({ id }) => id);
}

async function versionOf(path: string): Promise<number> {
  const root = openLmdb(path, { noSubdir: true, encoding: 'binary', keyEncoding: 'binary' });
  const format = root.openDB({ name: 'meta', encoding: 'binary', keyEncoding: 'binary' }).get(bytes('format'));
  await root.close();
  return Buffer.from(format).readUInt8(7);
}

test('a folder from before there were vectors opens, and is refused by programs of then once it has some', async () => {
  const { data } = await temporaryFolder();
  await mkdir(data);
  const file = join(data, 'records.1.mdb');
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const root = openLmdb(file, { noSubdir: true, ...binary });
  const [records, , meta] = ['records', 'deadlines', 'meta'].map((name) => root.openDB({ name, ...binary }));
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 5, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]);
  await records?.put(bytes('a'), Buffer.concat([header, bytes('old')]));
  await meta?.put(bytes('format'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]));
  await meta?.put(bytes('version'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 5]));
  await root.close();

  let store = await openStore(data);
  expect(text((await store.get(bytes('a')))?.value)).toBe('old');
  expect(NorimakiError.is(await errorOf(near(store, 1, 1)), 'index.missing')).toBe(true);
  await store.close();
  expect(await versionOf(file)).toBe(1);

  store = await openStore(data);
  expect(await store.vectors.createIndex('points', FLAT)).toBe(true);
  await store.commit([{ type: 'put', key: bytes('a'), value: bytes('new') }], { vectors: inserts(3) });
  await store.close();
  expect(await versionOf(file)).toBe(2);
  store = await openStore(data);
  expect(await store.get(bytes('a'))).toMatchObject({ value: bytes('new'), version: '1.6' });
  expect(await near(store, 2.2, 2)).toEqual(['v2', 'v1']);
});

test('a compaction and a backup hold every vector', async () => {
  const { path, data } = await temporaryFolder();
  const store = await openStore(data);
  await store.vectors.createIndex('points', FLAT);
  await store.commit([], { vectors: inserts(900) });
  expect(await near(store, 400.2, 2)).toEqual(['v400', 'v401']);
  for (let i = 0; i < 800; i += 1) if (i !== 400) void store.vectors.delete('points', `v${i}`);
  await store.vectors.delete('points', 'v401');
  const before = await store.stats();
  expect(before.namespaces).toMatchObject([{ namespace: 'points', ...FLAT, vectors: 101 }]);
  await store.compact();
  expect((await store.stats()).bytes).toBeLessThan(before.bytes);
  expect(await near(store, 400.2, 2)).toEqual(['v400', 'v800']);
  await store.vectors.insert('points', 'v401', Float32Array.of(401, 0));
  expect(await near(store, 400.2, 2)).toEqual(['v400', 'v401']);

  await store.backup(join(path, 'copy'));
  await store.vectors.delete('points', 'v400');
  const copy = await openStore(join(path, 'copy'));
  expect(await near(copy, 400.2, 2)).toEqual(['v400', 'v401']);
  expect(await copy.vectors.get('points', 'v401')).toEqual(Float32Array.of(401, 0));
  expect(await near(store, 400.2, 1)).toEqual(['v401']);
});

test('a namespace that is dropped and made again is empty, and what was left of it goes away', async () => {
  const { data } = await temporaryFolder();
  const [store, other] = [await openStore(data), await openStore(data)];
  await store.vectors.createIndex('points', FLAT);
  await store.commit([], { vectors: inserts(2000) });
  expect(await near(store, 5, 1)).toEqual(['v5']);
  expect(await near(other, 5, 1)).toEqual(['v5']);

  expect(await store.vectors.dropIndex('points')).toBe(true);
  expect(await store.vectors.createIndex('points', { ...FLAT, dimensions: 3 })).toBe(true);
  expect(await other.vectors.search('points', Float32Array.of(5, 0, 0), 5)).toEqual([]);
  expect(await other.vectors.list('points')).toEqual([]);
  expect(await other.vectors.get('points', 'v5')).toBeUndefined();
  await store.vectors.insert('points', 'v5', Float32Array.of(7, 7, 7));
  expect(await other.vectors.search('points', Float32Array.of(7, 7, 7), 5)).toEqual([{ id: 'v5', distance: 0 }]);
  expect((await store.stats()).namespaces).toMatchObject([{ vectors: 1, dimensions: 3 }]);

  const { bytes: size } = await store.stats();
  await other.close();
  const compacted = async () => {
    await store.compact();
    return (await store.stats()).bytes;
  };
  await expect.poll(compacted, { timeout: 20_000 }).toBeLessThan(size / 3);
});

test('who reads slowly while the log is cut off under it finds what is there, and nothing else', async () => {
  const { data } = await temporaryFolder();
  const [writer, reader] = [await openStore(data), await openStore(data)];
  await writer.vectors.createIndex('points', FLAT);
  await writer.commit([], { vectors: inserts(50) });
  expect(await near(reader, 0, 1)).toEqual(['v0']);
  // Each round replaces all: 2,500 removals, of which the log keeps 1,000.
  for (let round = 1; round <= 50; round++) await writer.commit([], { vectors: inserts(50, 'points', 0) });
  await writer.commit([], {
    vectors: [...inserts(1, 'points', 90), { type: 'delete', namespace: 'points', id: 'v0' }],
  });
  expect(await near(reader, 0, 1000)).toEqual([...Array.from({ length: 49 }, (_, i) => `v${i + 1}`), 'v90']);
  expect(await near(reader, 0, 2)).toEqual(['v1', 'v2']);
  expect(await near(writer, 0, 1000)).toEqual(await near(reader, 0, 1000));
});

test('an eventual search answers from what is in memory, which then follows', async () => {
  const { data } = await temporaryFolder();
  const [writer, reader] = [await openStore(data), await openStore(data)];
  await writer.vectors.createIndex('points', FLAT);
  await writer.commit([], { vectors: inserts(20) });
  expect(await near(reader, 0, 1)).toEqual(['v0']);
  await writer.vectors.insert('points', 'new', Float32Array.of(0.1, 0));
  const query = Float32Array.of(0.1, 0);
  const eventual = async () => (await reader.vectors.search('points', query, 1, { consistency: 'eventual' }))[0]?.id;
  expect(await eventual()).toBe('v0');
  await expect.poll(eventual).toBe('new');
  expect(await near(reader, 0.1, 1)).toEqual(['new']);
});

test('thousands of vectors at one distance come in the order of their ids', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await store.vectors.createIndex('same', { ...FLAT, metric: 'cosine' });
  const same = (id: number): VectorWrite => ({
    type: 'insert',
    namespace: 'same',
    id: String(id).padStart(5, '0'),
    vector: Float32Array.of(1, 2),
  });
  const ids = Array.from({ length: 6000 }, (_, i) => 6000 - i);
  await store.commit([], { vectors: ids.map(same) });
  const hits = await store.vectors.search('same', Float32Array.of(2, 4), 3);
  expect(hits.map(({ id }) => id)).toEqual(['00001', '00002', '00003']);
});

test('a store that is closed while it searches says so and ends', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await store.vectors.createIndex('points', FLAT);
  await store.commit([], { vectors: inserts(5000) });
  const searches = Promise.allSettled(Array.from({ length: 20 }, (_, i) => near(store, i, 3)));
  await Promise.resolve();
  await store.close();
  for (const result of await searches) {
    if (result.status === 'rejected') expect(NorimakiError.is(result.reason, 'store.closed'), result.reason).toBe(true);
  }
  expect(NorimakiError.is(await errorOf(near(store, 1, 1)), 'store.closed')).toBe(true);
});
