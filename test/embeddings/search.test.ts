import { expect, test } from 'vitest';
import { z } from 'zod';
import { distance } from '../../src/core/vectors/index.ts';
import { defineEntity, Embedding, Entity, Field, Id } from '../../src/index.ts';
import { fakeEmbedder, seededRandom } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';

const COUNT = 3000;
const DIMENSIONS = 8;

const Item = defineEntity('item', z.object({ id: z.number(), share: z.number(), other: z.number() }), {
  id: 'id',
  index: ['share'],
  embeddings: { vector: { dimensions: DIMENSIONS, index: 'exact' } },
});

/** `share` is below `n` for `n` thousandths of the items; `other` is the same without an index. */
async function items() {
  const { db } = await openMemory();
  const random = seededRandom(5);
  const vector = (): Float32Array => Float32Array.from({ length: DIMENSIONS }, () => random.float() - 0.5);
  const all = Array.from({ length: COUNT }, (_, id) => ({ id, share: id % 1000, other: id % 1000, vector: vector() }));
  for (const result of await db.repo(Item).createMany(all, { concurrency: 1000 })) if (!result.ok) throw result.error;
  return { repo: db.repo(Item), all, query: vector() };
}

test('a filtered search finds the nearest of those that fit, however many they are', async () => {
  const { repo, all, query } = await items();
  for (const thousandths of [1, 10, 42, 43, 60, 100, 300, 999]) {
    const where = { share: { lt: thousandths } };
    const { hits } = await repo.search(query, { where, limit: 12 });
    const wanted = all
      .filter(({ share }) => share < thousandths)
      .map(({ id, vector }) => ({ id, distance: distance('cosine', query, vector) }))
      .sort((a, b) => a.distance - b.distance);
    expect(
      hits.map(({ entity }) => entity.id),
      `${thousandths} of 1000`,
    ).toEqual(wanted.slice(0, 12).map(({ id }) => id));
  }
});

test('without an index it widens, and says when it has not seen all', async () => {
  const { repo, all, query } = await items();
  const nearestOf = (fits: (other: number) => boolean) =>
    all
      .filter(({ other }) => fits(other))
      .sort((a, b) => distance('cosine', query, a.vector) - distance('cosine', query, b.vector))
      .map(({ id }) => id);
  const many = await repo.search(query, { where: { other: { lt: 100 } } });
  expect(many.hits.map(({ entity }) => entity.id)).toEqual(nearestOf((other) => other < 100).slice(0, 10));
  const few = await repo.search(query, { where: { other: 7 } });
  expect(few.hits.length).toBeLessThan(4);
  expect(few.exhausted).toBe(false);
  const ids = nearestOf((other) => other === 7);
  expect(few.hits.map(({ entity }) => entity.id)).toEqual(ids.slice(0, few.hits.length));
});

@Entity('note')
class Note {
  @Id() id!: Id<string>;
  @Field(z.string().optional()) text?: string;
  @Field(z.number()) stars: number = 0;
  @Embedding({ from: 'text', index: 'exact' }) vector?: Float32Array;
}

test('a vector that is given while there is no text stays until there is one', async () => {
  const embedder = fakeEmbedder();
  const notes = (await openMemory({ embedder })).db.repo(Note);
  const vector = embedder.vectorOf('x');
  await notes.create({ id: 'a', stars: 0, vector });
  await notes.mutate('a', (note) => {
    note.stars += 1;
  });
  expect(await notes.vectorOf('a')).toEqual(vector);
  await notes.mutate('a', (note) => {
    note.text = 'y';
  });
  expect(await notes.vectorOf('a')).toEqual(embedder.vectorOf('y'));
  await notes.mutate('a', (note) => {
    delete note.text;
  });
  expect(await notes.vectorOf('a')).toBeUndefined();
});

test('a record that cannot be read is no hit, and keeps none from the others', async () => {
  const embedder = fakeEmbedder();
  const { db, store } = await openMemory({ embedder });
  const notes = db.repo(Note);
  for (const id of ['a', 'b', 'c']) await notes.create({ id, text: id, stars: 0 });
  const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
  const broken = entries.find(({ value }) => Buffer.from(value).includes('"id":"b"'));
  if (broken === undefined) throw new TypeError('There is such a record.');
  await store.put(broken.key, Buffer.from(Buffer.from(broken.value).toString().replace('"stars":0', '"stars":"x"')));
  const { hits, dropped, exhausted } = await notes.search('a');
  expect(hits.map(({ entity }) => entity.id).sort()).toEqual(['a', 'c']);
  expect({ dropped, exhausted }).toEqual({ dropped: 1, exhausted: true });
  await expect(notes.get('b')).rejects.toMatchObject({ code: 'record.corrupt' });
});
