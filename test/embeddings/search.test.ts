import { describe, expect, test } from 'vitest';
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

describe('a filter', () => {
  test('finds the nearest of the entities that pass, and counts as conditions do', async () => {
    const { repo, all, query } = await items();
    const nearestOf = (passes: (item: { share: number; other: number }) => boolean) =>
      all
        .filter(passes)
        .sort((a, b) => distance('cosine', query, a.vector) - distance('cosine', query, b.vector))
        .map(({ id }) => id);
    const found = async (options: Parameters<typeof repo.search>[1]) => {
      const { hits, exhausted } = await repo.search(query, options);
      return { ids: hits.map(({ entity }) => entity.id), exhausted };
    };
    // A tenth of all: the first question does not fill the limit.
    expect(await found({ filter: ({ other }) => other % 10 === 3 })).toEqual({
      ids: nearestOf(({ other }) => other % 10 === 3).slice(0, 10),
      exhausted: false,
    });
    // With conditions that an index serves, few and many; both must be met.
    for (const lt of [40, 500]) {
      const both = await found({ where: { share: { lt } }, filter: ({ other }) => other % 2 === 0 });
      expect(both.ids).toEqual(nearestOf(({ share, other }) => share < lt && other % 2 === 0).slice(0, 10));
    }
    // So rare that a search does not come to the end.
    const rare = await found({ filter: ({ other }) => other === 7 });
    expect(rare.ids.length).toBeLessThan(4);
    expect(rare.exhausted).toBe(false);
    expect(await found({ where: { share: 7 }, filter: () => false })).toEqual({ ids: [], exhausted: true });
  });

  test('is asked about an entity once, as it was read, and not about what does not meet the conditions', async () => {
    const embedder = fakeEmbedder();
    const notes = (await openMemory({ embedder })).db.repo(Note);
    for (let i = 0; i < 40; i++) await notes.create({ id: `n${i}`, text: `text ${i}`, stars: i });
    const asked: Note[] = [];
    const filter = (note: Note): boolean => {
      asked.push(note);
      return note.stars % 4 === 0;
    };
    const { hits, exhausted } = await notes.search('text', { where: { stars: { gte: 20 } }, filter, limit: 9 });
    expect(hits.map(({ entity }) => entity.stars).sort()).toEqual([20, 24, 28, 32, 36]);
    expect(exhausted).toBe(true);
    expect(asked.map(({ stars }) => stars).sort()).toEqual(Array.from({ length: 20 }, (_, i) => 20 + i));
    expect(asked.every((note) => note instanceof Note)).toBe(true);
    const similar = await notes.similarTo('n4', { filter: ({ stars }) => stars % 4 === 0, limit: 40 });
    expect(similar.hits).toHaveLength(9);
  });

  test('that throws, or is none, is the error of the search', async () => {
    const embedder = fakeEmbedder();
    const notes = (await openMemory({ embedder })).db.repo(Note);
    await notes.create({ id: 'a', text: 'x', stars: 0 });
    const own = new RangeError('of the program');
    const throws = (): never => {
      throw own;
    };
    await expect(notes.search('x', { filter: throws })).rejects.toBe(own);
    await expect(notes.search('x', { where: { stars: 0 }, filter: throws })).rejects.toBe(own);
    // @ts-expect-error a promise is no answer
    const late = notes.search('x', { filter: async () => false });
    await expect(late).rejects.toMatchObject({ code: 'argument.invalid', details: { argument: 'filter' } });
    // @ts-expect-error nor is a value
    const none = notes.search('x', { filter: true });
    await expect(none).rejects.toMatchObject({ code: 'argument.invalid', details: { argument: 'filter' } });
  });
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
