import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, open } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { startChild } from './support/child.ts';
import { temporaryFolder } from './support/folder.ts';

const Tally = defineEntity('tally', z.object({ id: z.string(), sum: z.number() }), { id: 'id' });

test('8 processes × 500 mutates of one entity: the sum is exact', async () => {
  const { data } = await temporaryFolder();
  await using db = await open(embedded({ path: data }));
  await db.repo(Tally).create({ id: 'one', sum: 0 });
  const children = Array.from({ length: 8 }, () => startChild('mutate', data, 500));
  for (const child of children) await child.next();
  for (const child of children) {
    child.send('go');
    child.process.stdin?.end();
  }
  const ends = await Promise.all(children.map((child) => child.ended));
  expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null, errors: '' })));
  expect(await db.repo(Tally).get('one')).toEqual({ id: 'one', sum: 4000 });
});
