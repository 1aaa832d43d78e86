import { describe, expect, expectTypeOf, test } from 'vitest';
import { type CommitStore, canCommit, canScan, type ScanStore, type Store } from '../core/store.ts';
import { type MemoryStore, memory } from '../stores/memory/index.ts';
import { limitCapabilities } from './limit-capabilities.ts';
import { manualClock } from './manual-clock.ts';
import { seededRandom } from './seeded-random.ts';

const key = Uint8Array.of(1);
const value = Uint8Array.of(2);
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

  test('without idempotency, applies a repeated write again', async () => {
    const store = limitCapabilities(await openMemory(), ['idempotency']);
    const first = await store.put(key, value, { idempotencyKey: 'a' });
    expect(await store.put(key, value, { idempotencyKey: 'a' })).not.toBe(first);
    expect(await store.delete(key, { idempotencyKey: 'b' })).toBe(true);
    expect(await store.delete(key, { idempotencyKey: 'b' })).toBe(false);
  });
});
