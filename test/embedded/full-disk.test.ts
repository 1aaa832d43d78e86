import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startOnSmallDisk } from './support/child.ts';
import { temporaryFolder } from './support/folder.ts';

test('a full disk refuses writes as store.full, loses nothing, and takes writes again once there is space', async () => {
  const { data } = await temporaryFolder();
  await mkdir(data);
  const child = startOnSmallDisk('full-disk', data, 8_000_000);
  const filled = (await child.next()) as { codes: string[]; acknowledged: number; lost: string[] };
  expect(filled).toMatchObject({ codes: ['store.full'], lost: [] });
  expect(filled.acknowledged).toBeGreaterThan(100);
  expect(await child.next()).toEqual({ compacting: 'store.full', backingUp: 'store.full', lost: [] });
  expect(await child.next()).toEqual({ reopenedWhileFull: true, lost: [] });
  expect(await child.next()).toEqual({ refusedAfterwards: 0, lost: [] });
  expect(await child.next()).toEqual({ lost: [] });
  expect(await child.ended).toMatchObject({ code: 0 });
});
