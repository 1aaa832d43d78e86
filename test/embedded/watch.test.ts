import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { expect, test } from 'vitest';
import type { Watch } from '../../src/core/store.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { type ManualClock, manualClock } from '../../src/testing/manual-clock.ts';
import { startChild } from './support/child.ts';
import { bytes, EVERYTHING, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

type Told = { readonly key: string; readonly version?: string };

/** Takes steps of a watch until these keys were told. */
async function tellsOf(watch: Watch, ...keys: string[]): Promise<Told[]> {
  const told: Told[] = [];
  while (!keys.every((key) => told.some((one) => one.key === key))) {
    const { value, done } = await watch.next();
    if (done) throw new Error('The watch ended.');
    for (const change of value) {
      const key = text(change.key) ?? '';
      told.push(change.type === 'put' ? { key, version: change.version } : { key });
    }
  }
  return told;
}

/** One of several processes on a folder, with a clock of its own. */
function onClock(): {
  clock: ManualClock;
  environment: { clock: ManualClock; random: ReturnType<typeof seededRandom> };
} {
  const clock = manualClock();
  return { clock, environment: { clock, random: seededRandom(1) } };
}

/** Longer than writers log without a sign of anybody who watches. */
const LEASE_MS = 60_000;
const LOOK_MS = 25;

test('what another process writes is told, puts with their versions and deletes', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  const peer = startChild('peer', data);
  await peer.next();
  const watch = await store.watch(EVERYTHING);
  for (let i = 0; i < 20; i++) {
    peer.send(`put a${i} one`);
    const { version } = (await peer.next()) as { version: string };
    expect(await tellsOf(watch, `a${i}`)).toEqual([{ key: `a${i}`, version }]);
  }
  peer.send('delete a3');
  expect(await peer.next()).toEqual({ existed: true });
  expect(await tellsOf(watch, 'a3')).toEqual([{ key: 'a3' }]);
  const version = await store.put(bytes('mine'), bytes('one'));
  expect(await tellsOf(watch, 'mine')).toEqual([{ key: 'mine', version }]);
  peer.send('end');
  await peer.ended;
});

test('each of two processes is told what the other and itself write at once, and misses nothing', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  const child = startChild('watcher', data);
  await child.next();
  const peer = startChild('peer', data);
  await peer.next();
  const watch = await store.watch(EVERYTHING);
  const keys = Array.from({ length: 60 }, (_, i) => `mine${i}`);
  const theirs = Array.from({ length: 60 }, (_, i) => `theirs${i}`);
  const writing = Promise.all(keys.map((key) => store.put(bytes(key), bytes('one'))));
  for (const key of theirs) {
    peer.send(`put ${key} one`);
    await peer.next();
  }
  await writing;
  await tellsOf(watch, ...keys, ...theirs);
  const seen = new Set<string>();
  while (![...keys, ...theirs].every((key) => seen.has(key))) seen.add(((await child.next()) as Told).key);
  child.process.kill('SIGKILL');
  peer.send('end');
  await Promise.all([child.ended, peer.ended]);
});

test('nothing is logged for nobody', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await store.put(bytes('a'), bytes('one'));
  await store.commit([{ type: 'delete', key: bytes('a') }]);
  expect((await store.stats()).changes).toBe(0);
});

test('a watcher that was killed leaves no log that grows, and what it left is swept away', async () => {
  const { data } = await temporaryFolder();
  const clock = manualClock(Date.now());
  const environment = { clock, random: seededRandom(1) };
  const store = await openStore(data, { sweep: { every: '30s', batch: 7 } }, environment);
  const child = startChild('watcher', data);
  await child.next();
  child.process.kill('SIGKILL');
  await child.ended;
  for (let i = 0; i < 20; i++) await store.put(bytes(`before${i}`), bytes('one'));
  expect((await store.stats()).changes).toBe(20);

  // The child has a clock of its own, which went on.
  clock.set(clock.now() + 2 * LEASE_MS);
  for (let i = 0; i < 20; i++) await store.put(bytes(`after${i}`), bytes('one'));
  expect((await store.stats()).changes).toBe(20);

  await clock.advance(30_000);
  // A sweep writes, which takes no time of this clock.
  await expect.poll(async () => (await store.stats()).changes, { timeout: 10_000 }).toBe(0);
  const watch = await store.watch(EVERYTHING);
  await store.put(bytes('new'), bytes('one'));
  expect((await tellsOf(watch, 'new')).map(({ key }) => key)).toEqual(['new']);
});

test('a watch goes on for as long as it is open, and writers log for no longer', async () => {
  const { data } = await temporaryFolder();
  const [mine, theirs] = [onClock(), onClock()];
  const store = await openStore(data, { sweep: false }, mine.environment);
  const writer = await openStore(data, { sweep: false }, theirs.environment);
  const watch = await store.watch(EVERYTHING);
  for (let i = 0; i < 10; i++) {
    theirs.clock.set(theirs.clock.now() + LEASE_MS / 3);
    mine.clock.set(mine.clock.now() + LEASE_MS / 3);
    await mine.clock.advance(LOOK_MS);
    // Who watches writes a sign of it, on real time.
    await store.put(bytes('settled'), bytes('one'));
    await writer.put(bytes(`k${i}`), bytes('one'));
    await mine.clock.advance(LOOK_MS);
    await tellsOf(watch, `k${i}`);
  }
  await watch.return();
  const { changes } = await store.stats();
  theirs.clock.set(mine.clock.now() + LEASE_MS + 1);
  await writer.put(bytes('unseen'), bytes('one'));
  expect((await store.stats()).changes).toBe(changes);
});

test('who gave no sign of itself for too long has missed writes, and is told so', async () => {
  const { data } = await temporaryFolder();
  const [mine, theirs] = [onClock(), onClock()];
  const store = await openStore(data, { sweep: false }, mine.environment);
  const writer = await openStore(data, { sweep: false }, theirs.environment);
  const watch = await store.watch(EVERYTHING);
  theirs.clock.set(theirs.clock.now() + LEASE_MS + 1);
  await writer.put(bytes('unlogged'), bytes('one'));
  const next = errorOf(watch.next());
  await mine.clock.advance(LOOK_MS);
  expect(await next).toMatchObject({ code: 'watch.lost', details: { reason: 'behind' }, retryable: true });

  // Another watch of a third party must not make the gap look whole.
  const again = await store.watch(EVERYTHING);
  theirs.clock.set(mine.clock.now());
  await writer.put(bytes('logged'), bytes('one'));
  await mine.clock.advance(LOOK_MS);
  expect((await tellsOf(again, 'logged')).map(({ key }) => key)).toEqual(['logged']);
});

test('a gap stays one, whoever renews the log after it', async () => {
  const { data } = await temporaryFolder();
  const [mine, theirs] = [onClock(), onClock()];
  const store = await openStore(data, { sweep: false }, mine.environment);
  const writer = await openStore(data, { sweep: false }, theirs.environment);
  const watch = await store.watch(EVERYTHING);
  theirs.clock.set(theirs.clock.now() + LEASE_MS + 1);
  await writer.put(bytes('unlogged'), bytes('one'));
  const other = await writer.watch(EVERYTHING);
  await writer.put(bytes('logged'), bytes('one'));
  await tellsOf(other, 'logged');
  const next = errorOf(watch.next());
  await mine.clock.advance(LOOK_MS);
  expect(await next).toMatchObject({ code: 'watch.lost' });
});

test('a process that stood still while more was written than is kept is told so', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data, { durability: 'committed' });
  const child = startChild('watcher', data);
  await child.next();
  child.process.kill('SIGSTOP');
  const value = bytes('one');
  const commits = Array.from({ length: 68 }, (_, commit) =>
    store.commit(
      Array.from({ length: 1000 }, (_, i) => ({ type: 'put' as const, key: bytes(`k${commit}-${i}`), value })),
    ),
  );
  await Promise.all(commits);
  expect((await store.stats()).changes).toBe(65_536);
  child.process.kill('SIGCONT');
  expect(await child.next()).toEqual({ error: 'watch.lost' });
  await child.ended;
});

test('what a sweep took of the log is a gap', async () => {
  const { data } = await temporaryFolder();
  const [mine, theirs] = [onClock(), onClock()];
  const store = await openStore(data, { sweep: false }, mine.environment);
  const writer = await openStore(data, { sweep: { every: '1s' } }, theirs.environment);
  const watch = await store.watch(EVERYTHING);
  await writer.put(bytes('logged'), bytes('one'));
  theirs.clock.set(theirs.clock.now() + LEASE_MS + 1);
  await theirs.clock.advance(1000);
  await expect.poll(async () => (await store.stats()).changes, { timeout: 10_000 }).toBe(0);
  const next = errorOf(watch.next());
  await mine.clock.advance(LOOK_MS);
  expect(await next).toMatchObject({ code: 'watch.lost' });
});

test('large commits are told whole, however many at once', async () => {
  const { data } = await temporaryFolder();
  const { environment } = onClock();
  const store = await openStore(data, { durability: 'committed' }, environment);
  const watch = await store.watch(EVERYTHING);
  const names = Array.from({ length: 4 }, (_, commit) =>
    Array.from({ length: 900 }, (_, i) => `k${commit}-${String(i).padStart(3, '0')}`),
  );
  const value = bytes('one');
  const commits = names.map((keys) =>
    store.commit(keys.map((key) => ({ type: 'put' as const, key: bytes(key), value }))),
  );
  const versions = await Promise.all(commits);
  const told = await tellsOf(watch, names.at(-1)?.at(-1) ?? '');
  expect(told).toEqual(names.flatMap((keys, i) => keys.map((key) => ({ key, version: versions[i] }))));
});

test('a folder from before there were watches opens, and is watched', async () => {
  const { data } = await temporaryFolder();
  const before = await openStore(data);
  await before.put(bytes('old'), bytes('one'));
  await before.close();
  const raw = openLmdb(join(data, 'records.1.mdb'), { noSubdir: true });
  await raw.openDB('changes', { encoding: 'binary', keyEncoding: 'binary' }).drop();
  await raw.close();

  const store = await openStore(data);
  expect(text((await store.get(bytes('old')))?.value)).toBe('one');
  const watch = await store.watch(EVERYTHING);
  await store.put(bytes('new'), bytes('one'));
  expect((await tellsOf(watch, 'new')).map(({ key }) => key)).toEqual(['new']);
});

test('what a program wrote that knows of no log is a gap', async () => {
  const { data } = await temporaryFolder();
  const { clock, environment } = onClock();
  const store = await openStore(data, {}, environment);
  await store.put(bytes('a'), bytes('one'));
  const watch = await store.watch(EVERYTHING);
  const raw = openLmdb(join(data, 'records.1.mdb'), { noSubdir: true, overlappingSync: false });
  const version = Buffer.alloc(8);
  version.writeUInt32BE(77, 4);
  await raw
    .openDB('meta', { encoding: 'binary', keyEncoding: 'binary' })
    .put(Buffer.from('version') as unknown as string, version);
  const next = errorOf(watch.next());
  await clock.advance(LOOK_MS);
  expect(await next).toMatchObject({ code: 'watch.lost' });
  await raw.close();
});

test('a watch lives through a compaction, and a copy can be watched like any other', async () => {
  const { path, data } = await temporaryFolder();
  const store = await openStore(data);
  const watch = await store.watch(EVERYTHING);
  await store.put(bytes('before'), bytes('one'));
  await store.backup(join(path, 'copy'));
  await store.compact();
  await store.put(bytes('after'), bytes('one'));
  expect((await tellsOf(watch, 'after')).map(({ key }) => key)).toEqual(['before', 'after']);

  const copy = await openStore(join(path, 'copy'));
  const other = await copy.watch(EVERYTHING);
  await copy.put(bytes('there'), bytes('one'));
  expect((await tellsOf(other, 'there')).map(({ key }) => key)).toEqual(['there']);
});

test('an expired record is not told when it is swept away, and writes of vectors alone are no gap', async () => {
  const { data } = await temporaryFolder();
  const { clock, environment } = onClock();
  const store = await openStore(data, { sweep: { every: '1s' } }, environment);
  await store.vectors.createIndex('v', { dimensions: 2, metric: 'cosine', type: 'exact' });
  await store.put(bytes('short'), bytes('one'), { expiresAt: clock.now() + 500 });
  const watch = await store.watch(EVERYTHING);
  await clock.advance(2000);
  await expect.poll(async () => (await store.stats()).swept, { timeout: 10_000 }).toBe(1);
  await store.vectors.insert('v', 'a', Float32Array.of(1, 2));
  await store.put(bytes('last'), bytes('one'));
  expect((await tellsOf(watch, 'last')).map(({ key }) => key)).toEqual(['last']);
});
