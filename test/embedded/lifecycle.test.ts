import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { startChild } from './support/child.ts';
import { bytes, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

test('what was written is there when the folder is opened again, and versions go on', async () => {
  const { data } = await temporaryFolder('disk');
  const first = await openStore(data);
  await first.put(bytes('a'), bytes('1'));
  const deleted = await first.put(bytes('b'), bytes('2'));
  await first.delete(bytes('b'));
  await first.close();

  const second = await openStore(data);
  expect(text((await second.get(bytes('a')))?.value)).toBe('1');
  const again = await second.put(bytes('b'), bytes('2'), { ifAbsent: true });
  expect(Number(again.split('.')[1])).toBeGreaterThan(Number(deleted.split('.')[1]));
});

test('close finishes the writes that were begun, refuses later calls, and may be called twice', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const writes = Array.from({ length: 2500 }, (_, i) => store.put(bytes(`key-${i}`), bytes('value')));
  const closings = [store.close(), store.close()];
  const calls = [
    store.get(bytes('a')),
    store.getMany([bytes('a')]),
    store.put(bytes('a'), bytes('b')),
    store.delete(bytes('a')),
    store.commit([]),
    store.scan({ start: bytes('a'), end: bytes('b') }),
    store.stats(),
    store.compact(),
    store.backup(`${data}-copy`),
  ];
  for (const call of calls) expect(NorimakiError.is(await errorOf(call), 'store.closed')).toBe(true);
  await Promise.all([...writes, ...closings]);
  await store.close();

  expect(await readdir(join(data, 'openers'))).toEqual([]);
  expect(await readdir(join(data, 'gate'))).toEqual([]);
  const again = await openStore(data);
  expect((await again.stats()).records).toBe(2500);
});

test('close waits for a backup and a compaction that are under way', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  await store.put(bytes('a'), new Uint8Array(100_000));
  const work = [store.backup(`${data}-copy`), store.compact()];
  await store.close();
  await Promise.all(work);
  const copy = await openStore(`${data}-copy`);
  expect((await copy.get(bytes('a')))?.value.length).toBe(100_000);
});

test.each(['closing', 'not closing'])('a process ends by itself, %s its store', async (manner) => {
  const { data } = await temporaryFolder('disk');
  const child = startChild('leave', data, manner);
  child.process.stdin?.end();
  expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
  if (manner === 'closing') {
    const { handles } = child.messages[0] as { handles: string[] };
    expect(handles.filter((name) => name !== 'Socket' && name !== 'Pipe' && name !== 'WriteStream')).toEqual([]);
  }
});

test('opening, compacting and closing leave no file open and nothing mapped', async () => {
  const { data } = await temporaryFolder('disk');
  const held = async (): Promise<number[]> => [
    (await readdir('/proc/self/fd')).length,
    (await readFile('/proc/self/maps', 'utf8')).split(data).length,
    (await readdir('/proc/self/task')).length,
  ];
  const once = async (): Promise<void> => {
    const [one, two] = [await openStore(data), await openStore(data)];
    await one.put(bytes('a'), new Uint8Array(100_000));
    await two.get(bytes('a'));
    await two.close();
    await one.compact();
    await one.backup(`${data}-copy`);
    await rm(`${data}-copy`, { recursive: true });
    await one.close();
  };
  await once();
  const before = await held();
  for (let i = 0; i < 10; i++) await once();
  expect(await held()).toEqual(before);
});

test('two stores of one process share a folder', async () => {
  const { data } = await temporaryFolder('disk');
  const [one, two] = await Promise.all([openStore(data), openStore(data)]);
  const versions = await Promise.all(
    Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).put(bytes(`key-${i}`), bytes(String(i)))),
  );
  expect(new Set(versions).size).toBe(40);
  for (let i = 0; i < 20; i++) {
    const three = await openStore(data);
    const write = one.put(bytes('a'), bytes(String(i)));
    await three.close();
    await write;
    expect(text((await two.get(bytes('a')))?.value)).toBe(String(i));
  }
  await two.close();
  await one.put(bytes('a'), bytes('still open'));
});

test('a process cannot have a folder open with two durabilities', async () => {
  const { data } = await temporaryFolder('disk');
  await openStore(data);
  const error = await errorOf(embedded({ path: data, durability: 'committed' }).openStore(systemEnvironment));
  expect(NorimakiError.is(error, 'argument.invalid') && error.details.argument).toBe('durability');
});

test('a folder that is removed while it is open takes no more writes', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  await store.put(bytes('a'), bytes('b'));
  await rm(data, { recursive: true });
  const error = await errorOf(store.put(bytes('a'), bytes('c')));
  expect(NorimakiError.is(error, 'store.unavailable') && error.details.applied).toBe('no');
});
