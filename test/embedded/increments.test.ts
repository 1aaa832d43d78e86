import { expect, test } from 'vitest';
import { isLong } from '../support/campaign.ts';
import { startChild } from './support/child.ts';
import { bytes, openStore, temporaryFolder } from './support/folder.ts';

const PROCESSES = 8;

test.each([
  ['flushed', isLong ? 500 : 150],
  ['committed', 150],
])('8 processes that add 1 by compare-and-set lose none (%s)', { timeout: 180_000 }, async (durability, times) => {
  const { data } = await temporaryFolder();
  const children = Array.from({ length: PROCESSES }, () => startChild('increment', data, times, durability));
  const ends = await Promise.all(children.map((child) => child.ended));
  expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null, errors: '' })));

  const store = await openStore(data);
  const record = await store.get(bytes('number'));
  expect(Buffer.from(record?.value ?? []).readUInt32BE()).toBe(PROCESSES * times);
  const versions = children.flatMap(({ messages }) => (messages[0] as { versions: string[] }).versions);
  expect(new Set(versions).size).toBe(PROCESSES * times);
});
