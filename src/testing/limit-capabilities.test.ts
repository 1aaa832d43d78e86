import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type CommitStore,
  canCommit,
  canScan,
  hasVectors,
  type ScanStore,
  type Store,
  type VectorStore,
} from '../core/store.ts';
import { type MemoryStore, memory } from '../stores/memory/index.ts';
import { limitCapabilities } from './limit-capabilities.ts';
import { manualClock } from './manual-clock.ts';
import { seededRandom } from './seeded-random.ts';

const key = Uint8Array.of(1);
const value = Uint8Array.of(2);
const vector = Float32Array.of(1);
const INDEX = { dimensions: 1, metric: 'euclidean', type: 'exact' } as const;
const openMemory = (): Promise<MemoryStore> => memory().openStore({ clock: manualClock(), random: seededRandom(1) });
const missing = (capability: string): object => ({ code: 'capability.missing', details: { capability } });

describe('a limited store', () => {
  test('declares what it lacks, and keeps the rest', async () => {
    const store = limitCapabilities(await openMemory(), ['scan', 'idempotency', 'cas']);
    expect(store.capabilities).toMatchObject({ scan: false, idempotency: false, cas: 'best-effort', commit: true });
    expect([canScan(store), canCommit(store)]).toEqual([false, true]);
    const version = await store.put(key, value);
    expect(await store.get(key)).toMatchObject({ value, version });
  });

  test('loses the ability in its types', async () => {
    const store = limitCapabilities(await openMemory(), ['scan']);
    expectTypeOf(store).toExtend<CommitStore>();
    expectTypeOf(store).not.toExtend<ScanStore>();
    expectTypeOf(limitCapabilities(store, ['commit'])).toExtend<Store>();
    expectTypeOf(limitCapabilities(store, ['commit'])).not.toExtend<CommitStore>();
    // @ts-expect-error a store without scan has no scan().
    await expect(store.scan({ start: key, end: value })).rejects.toMatchObject(missing('scan'));
  });

  test('refuses what it lacks, in single writes and in commits', async () => {
    const inner = await openMemory();
    const version = await inner.put(key, value);
    const store = limitCapabilities(inner, ['ifAbsent', 'deleteIfMatch']);
    const other = Uint8Array.of(9);
    await expect(store.put(other, value, { ifAbsent: true })).rejects.toMatchObject(missing('ifAbsent'));
    await expect(store.commit([{ type: 'put', key: other, value, ifAbsent: true }])).rejects.toMatchObject(
      missing('ifAbsent'),
    );
    await expect(store.commit([{ type: 'check', key: other, ifAbsent: true }])).rejects.toMatchObject(
      missing('ifAbsent'),
    );
    await expect(store.delete(key, { ifMatch: version })).rejects.toMatchObject(missing('deleteIfMatch'));
    await expect(store.commit([{ type: 'delete', key, ifMatch: version }])).rejects.toMatchObject(
      missing('deleteIfMatch'),
    );
    expect(await inner.getMany([key, other])).toMatchObject([{ version }, undefined]);
    expect(await store.delete(key)).toBe(true);
  });

  test('without commit, refuses to commit', async () => {
    const store = limitCapabilities(await openMemory(), ['commit']);
    // @ts-expect-error a store without commit has no commit().
    await expect(store.commit([{ type: 'delete', key }])).rejects.toMatchObject(missing('commit'));
    expect((await store.scan({ start: key, end: value })).entries).toEqual([]);
  });

  test('without watch, refuses to watch', async () => {
    const store = limitCapabilities(await openMemory(), ['watch']);
    // @ts-expect-error a store without watch has no watch().
    await expect(store.watch({ start: key, end: value })).rejects.toMatchObject(missing('watch'));
  });

  test('without idempotency, applies a repeated write again', async () => {
    const store = limitCapabilities(await openMemory(), ['idempotency']);
    const first = await store.put(key, value, { idempotencyKey: 'a' });
    expect(await store.put(key, value, { idempotencyKey: 'a' })).not.toBe(first);
    expect(await store.delete(key, { idempotencyKey: 'b' })).toBe(true);
    expect(await store.delete(key, { idempotencyKey: 'b' })).toBe(false);
  });

  test('without vectors, has none, alone or in a commit', async () => {
    const inner = await openMemory();
    const store = limitCapabilities(inner, ['vectors']);
    expect(store.capabilities.vectors).toBe(false);
    expect([hasVectors(store), hasVectors(limitCapabilities(inner, ['commit']))]).toEqual([false, true]);
    expectTypeOf(store).not.toExtend<VectorStore>();
    expectTypeOf(limitCapabilities(inner, ['commit'])).toExtend<VectorStore>();
    // @ts-expect-error a store without vectors has no `vectors`.
    const { vectors } = store;
    await expect(vectors.createIndex('s', INDEX)).rejects.toMatchObject(missing('vectors'));
    await expect(vectors.search('s', vector, 1)).rejects.toMatchObject(missing('vectors'));
    await inner.vectors.createIndex('s', INDEX);
    const write = { type: 'insert', namespace: 's', id: 'a', vector } as const;
    const commit = store.commit([{ type: 'put', key, value }], { vectors: [write] });
    await expect(commit).rejects.toMatchObject(missing('vectors'));
    expect([await inner.get(key), await inner.vectors.get('s', 'a')]).toEqual([undefined, undefined]);
    await store.commit([{ type: 'put', key, value }], { vectors: [] });
    expect(await inner.get(key)).toMatchObject({ value });
  });

  test('without scan, lists no ids of vectors; with neither commit nor scan it finds them still', async () => {
    const { vectors } = limitCapabilities(await openMemory(), ['scan', 'commit']);
    await vectors.createIndex('s', INDEX);
    await vectors.insert('s', 'a', vector);
    await expect(vectors.list('s')).rejects.toMatchObject(missing('scan'));
    expect(await vectors.search('s', vector, 1)).toEqual([{ id: 'a', distance: 0 }]);
  });

  test('without idempotency, applies a repeated write of a vector again', async () => {
    const { vectors } = limitCapabilities(await openMemory(), ['idempotency']);
    const once = { idempotencyKey: 'a' };
    expect(await vectors.createIndex('s', INDEX, once)).toBe(true);
    expect(await vectors.createIndex('s', INDEX, once)).toBe(false);
    await vectors.insert('s', 'a', vector, once);
    await vectors.insert('s', 'a', Float32Array.of(9));
    await vectors.insert('s', 'a', vector, once);
    expect(await vectors.get('s', 'a')).toEqual(vector);
    expect(await vectors.delete('s', 'a', once)).toBe(true);
    expect(await vectors.delete('s', 'a', once)).toBe(false);
    expect(await vectors.dropIndex('s', once)).toBe(true);
    expect(await vectors.dropIndex('s', once)).toBe(false);
  });
});
