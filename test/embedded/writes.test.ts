import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import { bytes, errorOf, openStore, temporaryFolder, text } from './support/folder.ts';

test('concurrent writes share transactions, and each gets its own answer', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const version = await store.put(bytes('taken'), bytes('1'));
  const answers = await Promise.allSettled([
    ...Array.from({ length: 100 }, (_, i) => store.put(bytes(`key-${i}`), bytes('v'))),
    store.put(bytes('taken'), bytes('2'), { ifAbsent: true }),
    store.put(bytes('taken'), bytes('3'), { ifMatch: version }),
    store.put(bytes('taken'), bytes('4'), { ifMatch: version }),
    store.delete(bytes('missing')),
    store.commit([
      { type: 'put', key: bytes('x'), value: bytes('never') },
      { type: 'check', key: bytes('taken'), ifMatch: version },
    ]),
  ]);
  const refusals = answers.flatMap((answer, i) => (answer.status === 'rejected' ? [[i, answer.reason.code]] : []));
  expect(refusals).toEqual([
    [100, 'already.exists'],
    [102, 'version.mismatch'],
    [104, 'version.mismatch'],
  ]);
  expect(text((await store.get(bytes('taken')))?.value)).toBe('3');
  expect(await store.get(bytes('x'))).toBeUndefined();
  const { writes, commits } = await store.stats();
  expect(writes).toBe(106);
  expect(commits).toBeLessThan(6);
});

test('bytes handed in may change while the write waits, and bytes handed out are the callers own', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const [key, value] = [bytes('key'), bytes('value')];
  const write = store.put(key, value);
  key.fill(0);
  value.fill(0);
  await write;
  const [one, two] = await Promise.all([store.get(bytes('key')), store.get(bytes('key'))]);
  one?.value.fill(0);
  expect(text(two?.value)).toBe('value');
  for (const size of [0, 1, 4096, 4097, 100_000, 1_048_576]) {
    const large = new Uint8Array(size).fill(7);
    await store.put(bytes('large'), large);
    const found = await store.get(bytes('large'));
    expect(Buffer.compare(found?.value ?? bytes('none'), large)).toBe(0);
    found?.value.fill(1);
    expect(Buffer.compare((await store.get(bytes('large')))?.value ?? bytes('none'), large)).toBe(0);
  }
});

test('a signal takes back a write that waits, before it is applied', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const controller = new AbortController();
  const before = store.put(bytes('before'), bytes('1'));
  const waiting = store.put(bytes('waiting'), bytes('1'), { signal: controller.signal });
  const together = store.put(bytes('together'), bytes('1'));
  controller.abort();
  const error = await errorOf(waiting);
  expect(NorimakiError.is(error, 'aborted') && error.details.applied).toBe('no');
  await Promise.all([before, together]);
  expect(await store.get(bytes('waiting'))).toBeUndefined();
  expect((await store.stats()).queued).toBe(0);

  const { signal } = controller;
  for (const call of [
    () => store.get(bytes('a'), { signal }),
    () => store.getMany([bytes('a')], { signal }),
    () => store.put(bytes('a'), bytes('b'), { signal }),
    () => store.delete(bytes('a'), { signal }),
    () => store.commit([], { signal }),
    () => store.scan({ start: bytes('a'), end: bytes('b') }, { signal }),
    () => store.compact({ signal }),
    () => store.backup(`${data}-copy`, { signal }),
  ]) {
    expect(NorimakiError.is(await errorOf(call()), 'aborted')).toBe(true);
  }
});

test('a signal after the commit changes nothing', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const controller = new AbortController();
  await store.put(bytes('a'), bytes('1'), { signal: controller.signal });
  controller.abort();
  expect(text((await store.get(bytes('a')))?.value)).toBe('1');
});

test('more writes than one transaction takes are all applied, in order', async () => {
  const { data } = await temporaryFolder('disk');
  const store = await openStore(data);
  const versions = await Promise.all(Array.from({ length: 2500 }, (_, i) => store.put(bytes('same'), bytes(`${i}`))));
  expect(text((await store.get(bytes('same')))?.value)).toBe('2499');
  expect(versions.map((version) => Number(version.split('.')[1]))).toEqual(versions.map((_, i) => i + 1));
  await Promise.all(Array.from({ length: 40 }, (_, i) => store.put(bytes(`big-${i}`), new Uint8Array(1_048_576))));
  expect((await store.stats()).commits).toBeGreaterThanOrEqual(5);
});
