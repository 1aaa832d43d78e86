import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import { startChild } from './support/child.ts';
import { bytes, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

test('a read sees what another process has acknowledged, in the same turn and ever after', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  const peer = startChild('peer', data);
  await peer.next();
  for (let i = 0; i < 200; i++) {
    // A read just before: lmdb-js would keep its snapshot for the read after it.
    await store.get(bytes('a'));
    peer.send(`put a ${i}`);
    const { version } = (await peer.next()) as { version: string };
    expect(await store.get(bytes('a'))).toMatchObject({ value: bytes(String(i)), version });
    expect(await store.getMany([bytes('a')])).toMatchObject([{ version }]);
    expect((await store.scan({ start: bytes('a'), end: bytes('b') })).entries).toMatchObject([{ version }]);

    await store.put(bytes('b'), bytes(String(i)));
    peer.send('get b');
    expect(await peer.next()).toEqual({ value: String(i) });
  }
  peer.send('end');
  expect(await peer.next()).toEqual({ closed: true });
});

test('a read sees another process although it never leaves the microtasks', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await store.put(bytes('a'), bytes('old'));
  const peer = startChild('peer', data);
  await peer.next();
  const start = performance.now();
  peer.send('put a new');
  while (text((await store.get(bytes('a')))?.value) !== 'new') expect(performance.now() - start).toBeLessThan(10_000);
  peer.send('end');
  await peer.ended;
});

test('a process reads on when another lets the file grow far beyond its map', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data, { mapSize: 2 ** 20 });
  await store.put(bytes('here'), bytes('value'));
  const peer = startChild('peer', data);
  await peer.next();
  peer.send('fill big 60');
  await peer.next();
  expect((await store.get(bytes('big59')))?.value.length).toBe(100_000);
  await store.put(bytes('more'), new Uint8Array(500_000));
  peer.send('fill more 60');
  await peer.next();
  expect((await store.scan({ start: bytes('a'), end: bytes('z') }, { limit: 1000 })).entries.length).toBe(122);
  peer.send('end');
  await peer.ended;
});

test('opening and closing elsewhere undoes no acknowledged write', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data, { durability: 'committed' });
  const openers = [startChild('open-and-close', data, 2500), startChild('open-and-close', data, 2500)];
  let done = false;
  const ends = Promise.all(openers.map((opener) => opener.ended)).then((all) => {
    done = true;
    return all;
  });
  let last = await store.put(bytes('a'), bytes('0'));
  let writes = 0;
  for (; !done; writes++) {
    expect((await store.get(bytes('a')))?.version).toBe(last);
    last = await store.put(bytes('a'), bytes(String(writes)), { ifMatch: last });
  }
  expect(await ends).toEqual(openers.map(() => ({ code: 0, signal: null, errors: '' })));
  expect(writes).toBeGreaterThan(50);
  for (const { messages } of openers) expect((messages[0] as { opened: number }).opened).toBeGreaterThan(10);
  expect(await readdir(join(data, 'gate'))).toEqual([]);
});

test('a folder that another process has open is not compacted, and works on', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  const peer = startChild('peer', data);
  await peer.next();
  const error = await errorOf(store.compact());
  expect(NorimakiError.is(error, 'store.unavailable') && error.details.applied).toBe('no');
  expect(String(error)).toContain(String(peer.process.pid));
  peer.send('put a 1');
  await peer.next();
  expect(text((await store.get(bytes('a')))?.value)).toBe('1');

  peer.process.kill('SIGKILL');
  await peer.ended;
  await store.compact();
  expect(text((await store.get(bytes('a')))?.value)).toBe('1');
  expect((await readdir(join(data, 'openers'))).length).toBe(1);
});
