import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { pickInt, seededRandom } from '../../src/testing/seeded-random.ts';
import { startChild } from './support/child.ts';
import { bytes, EVERYTHING, openStore, temporaryFolder, text } from './support/folder.ts';

const ROUNDS = Math.round(Number(process.env.NORIMAKI_ROUNDS ?? 100) / 8);

test('compacting gives space back, keeps every record and version, and lets reads and writes go on', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  const names = Array.from({ length: 300 }, (_, i) => `key-${i}`);
  await Promise.all(
    names.map((name, i) => store.put(bytes(name), new Uint8Array(5000), i % 2 ? {} : { expiresAt: 8e12 + i })),
  );
  for (const name of names.slice(20)) await store.delete(bytes(name));
  const before = await store.scan(EVERYTHING, { limit: 1000 });
  const { bytes: size, reclaimable } = await store.stats();
  expect(reclaimable).toBeGreaterThan(1_000_000);

  const compaction = store.compact();
  const write = store.put(bytes('meanwhile'), bytes('written'));
  let reads = 0;
  let compacted = false;
  void compaction.then(() => {
    compacted = true;
  });
  for (; !compacted; reads++) {
    expect((await store.get(bytes('key-0')))?.value.length).toBe(5000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(reads).toBeGreaterThan(1);
  await write;

  const after = await store.stats();
  expect(after).toMatchObject({ records: 21, expiring: 10 });
  expect(after.bytes).toBeLessThan(size - 1_000_000);
  expect(await store.scan({ start: bytes('key'), end: bytes('kez') }, { limit: 1000 })).toEqual(before);
  const next = await store.put(bytes('next'), bytes('1'));
  expect(Number(next.split('.')[1])).toBe(582);
  await store.close();

  const names2 = (await readdir(data)).filter((name) => name.startsWith('records'));
  expect(names2.sort()).toEqual(['records.2.mdb', 'records.2.mdb-lock']);
  for (const name of names2) expect((await stat(join(data, name))).mode & 0o777).toBe(0o600);
  const again = await openStore(data);
  expect(text((await again.get(bytes('meanwhile')))?.value)).toBe('written');
});

test('a compaction that is killed leaves a folder that holds everything', {
  timeout: 60_000 + ROUNDS * 5_000,
}, async () => {
  const { data } = await temporaryFolder();
  const random = seededRandom(42);
  const store = await openStore(data);
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.put(bytes(`key-${i}`), new Uint8Array(4000))));
  await store.close();
  for (let round = 0; round < ROUNDS; round++) {
    const child = startChild('compactor', data);
    await child.next();
    await sleep(pickInt(random, 60));
    child.process.kill('SIGKILL');
    expect(await child.ended).toMatchObject({ signal: 'SIGKILL', errors: '' });

    const opened = await embedded({ path: data }).openStore(systemEnvironment);
    expect((await opened.scan({ start: bytes('key'), end: bytes('kez') }, { limit: 1000 })).entries.length).toBe(500);
    const last = child.messages.at(-1) as { n?: number };
    const found = Number(text((await opened.get(bytes('last')))?.value) ?? -1);
    if (last.n !== undefined) expect([last.n, last.n + 1]).toContain(found);
    await opened.close();
    const left = (await readdir(data)).filter((name) => !/^(openers|gate|records\.\d+\.mdb(-lock)?)$/.test(name));
    expect(left).toEqual([]);
    expect((await readdir(data)).filter((name) => name.endsWith('.mdb')).length).toBe(1);
  }
});
