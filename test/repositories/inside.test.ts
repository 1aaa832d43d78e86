import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity } from '../../src/index.ts';
import { insideOf } from '../../src/repositories/internal.ts';
import { openMemory } from '../support/open.ts';

const Note = defineEntity('note', z.object({ id: z.string(), text: z.string() }), { id: 'id' });

test('a block hears of every write of its entity and tenant before the caller knows, from whichever handle', async () => {
  const { db } = await openMemory();
  const heard: unknown[] = [];
  const stop = insideOf(db.forTenant('acme').repo(Note))?.onWrite((id) => heard.push(...id));
  const notes = db.forTenant('acme').repo(Note);
  await notes.create({ id: 'a', text: '' });
  expect(heard).toEqual(['a']);
  await notes.mutate('a', (note) => {
    note.text = 'b';
  });
  await notes.delete('a');
  await notes.putMany([
    { id: 'b', text: '' },
    { id: 'c', text: '' },
  ]);
  // It cannot be told from a failure whether it was written.
  await expect(notes.create({ id: 'b', text: '' })).rejects.toMatchObject({ code: 'already.exists' });
  expect(heard).toEqual(['a', 'a', 'a', 'b', 'c', 'b']);
  await db.repo(Note).create({ id: 'd', text: '' });
  await db.forTenant('other').repo(Note).create({ id: 'd', text: '' });
  stop?.();
  await notes.create({ id: 'e', text: '' });
  expect(heard).toHaveLength(6);
});

test('a block sees records with their versions, and decodes only those that it asks for', async () => {
  const { db } = await openMemory();
  const notes = db.repo(Note);
  for (const id of ['a', 'b', 'c']) await notes.create({ id, text: id });
  const inside = insideOf(notes);
  const page = await inside?.recordPage({ limit: 2 });
  expect(page?.items.map(({ id }) => id)).toEqual([['a'], ['b']]);
  const rest = await inside?.recordPage({ limit: 2, cursor: page?.cursor });
  expect(rest?.items.map((seen) => seen.entity())).toMatchObject([{ id: 'c', text: 'c' }]);
  const [a, missing] = (await inside?.records([['a'], ['x']])) ?? [];
  expect([a?.version, missing]).toEqual([page?.items[0]?.version, undefined]);
  await notes.put({ id: 'a', text: 'new' });
  const [later] = (await inside?.records([['a']])) ?? [];
  expect(later?.version).not.toBe(a?.version);
});
