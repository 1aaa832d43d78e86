import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import { bytes, EVERYTHING, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

test('a backup under load is of one instant, and a store like any other', async () => {
  const { path, data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const pair = (n: number) =>
    store.commit([
      { type: 'put', key: bytes('left'), value: bytes(String(n)) },
      { type: 'put', key: bytes('right'), value: bytes(String(n)) },
      { type: 'put', key: bytes(`log-${n}`), value: new Uint8Array(2000), expiresAt: 8e12 },
    ]);
  await pair(0);
  let stop = false;
  let written = 0;
  const load = (async () => {
    for (; !stop; written++) await pair(written + 1);
  })();
  for (let i = 0; i < 8; i++) {
    const before = written;
    await store.backup(join(path, `copy-${i}`));
    const after = written + 1;
    const copy = await openStore(join(path, `copy-${i}`));
    const [left, right] = await copy.getMany([bytes('left'), bytes('right')]);
    expect(text(left?.value)).toBe(text(right?.value));
    const n = Number(text(left?.value));
    expect(n).toBeGreaterThanOrEqual(before);
    expect(n).toBeLessThanOrEqual(after);
    expect(await copy.stats()).toMatchObject({ records: n + 3, expiring: n + 1 });
    const version = await copy.put(bytes('left'), bytes('mine'), { ifMatch: left?.version });
    expect(Number(version.split('.')[1])).toBeGreaterThan(Number(left?.version.split('.')[1]));
    await copy.close();
  }
  stop = true;
  await load;
  expect(written).toBeGreaterThan(20);
});

test('a backup goes into no folder that holds something, and leaves none behind when it fails', async () => {
  const { path, data } = await temporaryFolder('disk');
  const store = await openStore(data);
  await mkdir(join(path, 'taken'));
  await writeFile(join(path, 'taken', 'file'), 'precious');
  await mkdir(join(path, 'empty'));
  for (const target of [join(path, 'taken'), data, join(path, 'taken', 'file')]) {
    expect(NorimakiError.is(await errorOf(store.backup(target)), 'argument.invalid')).toBe(true);
  }
  expect(await readFile(join(path, 'taken', 'file'), 'utf8')).toBe('precious');
  await store.backup(join(path, 'empty'));
  expect(await readdir(join(path, 'empty'))).toEqual(['records.1.mdb']);

  const controller = new AbortController();
  const backup = store.backup(join(path, 'aborted'), { signal: controller.signal });
  await Promise.resolve();
  controller.abort();
  expect(NorimakiError.is(await errorOf(backup), 'aborted')).toBe(true);
  expect(await readdir(path)).not.toContain('aborted');
});

test('a compaction that is aborted changes nothing', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  await store.put(bytes('a'), new Uint8Array(1_000_000));
  const controller = new AbortController();
  const compaction = store.compact({ signal: controller.signal });
  await Promise.resolve();
  controller.abort();
  expect(NorimakiError.is(await errorOf(compaction), 'aborted')).toBe(true);
  await store.put(bytes('b'), bytes('goes on'));
  expect((await store.scan(EVERYTHING)).entries.length).toBe(2);
  expect((await readdir(data)).sort()).toEqual(['gate', 'openers', 'records.1.mdb', 'records.1.mdb-lock']);
});
