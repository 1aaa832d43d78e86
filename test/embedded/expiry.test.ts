import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import type { EmbeddedStore } from '../../src/stores/embedded/index.ts';
import { type ManualClock, manualClock } from '../../src/testing/manual-clock.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { bytes, EVERYTHING, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

const START = 1_000_000;

async function openAt(
  sweep: { every?: '10s'; batch?: number } | false,
): Promise<{ store: EmbeddedStore; clock: ManualClock; data: string }> {
  const { data } = await temporaryFolder();
  const clock = manualClock(START);
  return { store: await openStore(data, { sweep }, { clock, random: seededRandom(1) }), clock, data };
}

/** Until the sweeper, which works on real files, has done what it was woken for. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !(await condition()); i++) {
    expect(i).toBeLessThan(2000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('an expired record does not exist, to the instant, for reads, scans and preconditions', async () => {
  const { store, clock } = await openAt(false);
  const version = await store.put(bytes('a'), bytes('1'), { expiresAt: START + 100 });
  await clock.advance(99);
  expect(await store.get(bytes('a'))).toMatchObject({ version, expiresAt: START + 100 });
  await clock.advance(1);
  expect(await store.get(bytes('a'))).toBeUndefined();
  expect(await store.getMany([bytes('a')])).toEqual([undefined]);
  expect((await store.scan(EVERYTHING)).entries).toEqual([]);
  expect(await store.delete(bytes('a'))).toBe(false);
  for (const write of [
    store.put(bytes('a'), bytes('2'), { ifMatch: version }),
    store.delete(bytes('a'), { ifMatch: version }),
    store.commit([{ type: 'check', key: bytes('a'), ifMatch: version }]),
  ]) {
    const error = await errorOf(write);
    expect(NorimakiError.is(error, 'version.mismatch') && error.details.actual).toBeUndefined();
  }
  await store.put(bytes('a'), bytes('2'), { ifAbsent: true });
  expect(text((await store.get(bytes('a')))?.value)).toBe('2');
  clock.set(START);
  expect(text((await store.get(bytes('a')))?.value)).toBe('2');
});

test('the sweeper deletes what is due, in batches, and nothing that was renewed', async () => {
  const { store, clock } = await openAt({ every: '10s', batch: 7 });
  const put = (name: string, expiresAt?: number): Promise<unknown> => store.put(bytes(name), bytes('v'), { expiresAt });
  await Promise.all([
    ...Array.from({ length: 30 }, (_, i) => put(`due-${i}`, START + i)),
    put('at the instant', START + 10_000),
    put('a millisecond later', START + 10_001),
    put('long ago', -5),
    put('renewed', START + 5),
    put('freed', START + 6),
    put('for ever'),
  ]);
  await put('renewed', START + 60_000);
  await put('freed');
  const before = await store.stats();
  expect(before).toMatchObject({ records: 36, expiring: 34, swept: 0 });

  await clock.advance(9_999);
  expect(await store.stats()).toMatchObject({ records: 36 });
  await clock.advance(1);
  await until(async () => (await store.stats()).swept === 32);
  expect(await store.stats()).toMatchObject({ records: 4, expiring: 2, sweepFailures: 0 });
  expect((await store.stats()).commits - before.commits).toBe(Math.ceil(32 / 7));
  const names = (await store.scan(EVERYTHING)).entries.map(({ key }) => text(key));
  expect(names).toEqual(['a millisecond later', 'for ever', 'freed', 'renewed']);

  await until(async () => clock.sleeping === 1);
  await clock.advance(10_000);
  await until(async () => (await store.stats()).swept === 33);
});

test('a record that is renewed while the sweep is on its way stays', async () => {
  const { store, clock } = await openAt({ every: '10s' });
  for (let round = 0; round < 20; round++) {
    await store.put(bytes('session'), bytes('old'), { expiresAt: clock.now() + 10_000 });
    await until(async () => clock.sleeping === 1);
    // Both wait for the same transaction, the renewal behind the sweep or before it.
    const renewal = round % 2 ? undefined : store.put(bytes('session'), bytes('new'), { expiresAt: 9e15 });
    const advance = clock.advance(10_000);
    const late = store.put(bytes('session'), bytes('new'), { expiresAt: 9e15 });
    await Promise.all([renewal, advance, late]);
    expect(text((await store.get(bytes('session')))?.value)).toBe('new');
  }
  expect(await store.stats()).toMatchObject({ records: 1, expiring: 1 });
});

test('without a sweeper expired records stay on disk, unseen', async () => {
  const { store, clock, data } = await openAt(false);
  await store.put(bytes('a'), bytes('secret-remains'), { expiresAt: START + 1 });
  await clock.advance(1_000_000);
  expect(clock.sleeping).toBe(0);
  expect(await store.get(bytes('a'))).toBeUndefined();
  expect(await store.stats()).toMatchObject({ records: 1, expiring: 1 });
  expect((await readFile(join(data, 'records.1.mdb'))).includes('secret-remains')).toBe(true);
});

test('closing wakes the sleeping sweeper', async () => {
  const { store, clock } = await openAt({ every: '10s' });
  expect(clock.sleeping).toBe(1);
  await store.close();
  expect(clock.sleeping).toBe(0);
});
