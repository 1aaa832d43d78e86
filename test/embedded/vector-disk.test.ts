import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startChild, startOnSmallDisk } from './support/child.ts';
import { temporaryFolder } from './support/folder.ts';

/** A folder to mount a disk on. */
async function mountPoint(): Promise<string> {
  const { data } = await temporaryFolder();
  await mkdir(data);
  return data;
}

test('on a full disk a save with a vector is refused as store.full and whole, and works once there is space', async () => {
  const child = startOnSmallDisk('full-disk-vectors', await mountPoint(), 8_000_000);
  const full = (await child.next()) as { saved: number };
  expect(full).toMatchObject({ codes: ['store.full'], wrong: [] });
  expect(full.saved).toBeGreaterThan(10);
  expect(await child.next()).toEqual({ reopenedWhileFull: true, wrong: [] });
  expect(await child.next()).toEqual({ refused: 0, wrong: [] });
  expect(await child.ended).toMatchObject({ code: 0, signal: null });
});

test('a snapshot that the disk has no room for is left out, searches go on, and it is made once there is space', async () => {
  const child = startOnSmallDisk('full-disk-snapshot', await mountPoint(), 32_000_000);
  expect(await child.next()).toEqual({ whileFull: { lost: [], files: 0 } });
  expect(await child.next()).toEqual({ withSpace: { lost: [], files: 1 } });
  expect(await child.next()).toEqual({ loaded: 'hnsw', lost: [] });
  expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
});

test('the map grows while two processes save vectors, and both find all of them', async () => {
  const { data } = await temporaryFolder();
  const [names, each, mapSize] = [['a', 'b'], 48, 2 ** 20];
  const children = names.map((name) => startChild('map-grower', data, name, mapSize));
  const all = <T>(call: (child: (typeof children)[number]) => T): Promise<Awaited<T>[]> =>
    Promise.all(children.map(call));
  await all((child) => child.next());
  for (const child of children) child.send(String(each));
  expect(await all((child) => child.next())).toEqual([{ saved: each }, { saved: each }]);
  expect((await stat(join(data, 'records.1.mdb'))).size).toBeGreaterThan(2 * mapSize);
  const ids = names.flatMap((name) => Array.from({ length: each }, (_, i) => `${name}-${i}`));
  for (const child of children) child.send(ids.join(' '));
  const right = {
    wrong: [],
    isHealthy: true,
    checked: { records: 2 * each, vectors: 2 * each, claims: 0, entries: 0 },
  };
  expect(await all((child) => child.next())).toEqual([right, right]);
  expect(await all((child) => child.ended)).toMatchObject([
    { code: 0, errors: '' },
    { code: 0, errors: '' },
  ]);
});
