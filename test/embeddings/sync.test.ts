import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { distance } from '../../src/core/vectors/index.ts';
import { Embedding } from '../../src/decorators/index.ts';
import { Entity, Field, Id, NorimakiError, open, Ttl, Unique, type Version, Versioned } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type Ability, fakeEmbedder, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { SkewedClock } from '../support/skewed-clock.ts';

@Entity('note')
class Note {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: number = 0;
  @Versioned() version?: Version;
  @Embedding({ from: 'text', index: 'exact' }) vector?: Float32Array;
}

@Entity('page')
@Ttl('1h')
class Page {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() text!: string;
  @Embedding({ from: (page: Page) => page.text.toUpperCase(), index: 'exact' }) vector?: Float32Array;
}

@Entity('photo')
class Photo {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Embedding({ dimensions: 3, metric: 'euclidean', index: 'exact' }) vector?: Float32Array;
}

const kinds = {
  'a store that commits': [],
  'a store that does not': ['commit', 'scan'],
} satisfies Record<string, Ability[]>;

describe.each(Object.entries(kinds))('on %s', (_, limits) => {
  async function world() {
    const clock = manualClock(Date.UTC(2026, 0, 1), { autoAdvance: true });
    const environment = { clock, random: seededRandom(1) };
    const inner = await memory().openStore(environment);
    const store = limitCapabilities(inner, limits);
    const embedder = fakeEmbedder();
    const db = await open(store, { ...environment, embedder });
    return { clock, inner, store, embedder, db, notes: db.repo(Note) };
  }

  test('what is saved is found, with the score of what it holds', async () => {
    const { embedder, notes } = await world();
    await notes.create({ id: 'a', text: 'green tea', stars: 1 });
    await notes.create({ id: 'b', text: 'seaweed', stars: 2 });
    const { hits, exhausted, dropped, pending } = await notes.search('seaweed');
    expect({ exhausted, dropped, pending }).toEqual({ exhausted: true, dropped: 0, pending: 0 });
    expect(hits.map(({ entity }) => entity.id)).toEqual(['b', 'a']);
    const [first, second] = hits;
    expect(first).toMatchObject({ field: 'vector', score: expect.closeTo(1, 5) });
    expect(first?.entity).toBeInstanceOf(Note);
    expect(first?.entity.version).toBe((await notes.get('b'))?.version);
    const expected = 1 - distance('cosine', embedder.vectorOf('seaweed'), embedder.vectorOf('green tea'));
    expect(second?.score).toBeCloseTo(expected, 5);
    expect(await notes.vectorOf('a')).toEqual(embedder.vectorOf('green tea'));
  });

  test('what is deleted and made anew with the same text in one write is found, and nothing is left over', async () => {
    const { notes } = await world();
    await notes.create({ id: 'a', text: 'green tea', stars: 1 });
    await Promise.all([notes.delete('a'), notes.create({ id: 'a', text: 'green tea', stars: 2 })]);
    const { hits, dropped } = await notes.search('green tea');
    expect(hits.map(({ entity }) => entity.stars)).toEqual([2]);
    expect(dropped).toBe(0);
    expect(await notes.vectorOf('a')).toBeDefined();
    await notes.delete('a');
    expect((await notes.search('green tea')).dropped).toBe(0);
  });

  test('an update of the text moves it, and another update embeds nothing', async () => {
    const { embedder, notes } = await world();
    await notes.create({ id: 'a', text: 'old', stars: 0 });
    await notes.mutate('a', (note) => {
      note.text = 'new';
    });
    expect((await notes.search('new')).hits[0]?.score).toBeCloseTo(1, 5);
    expect((await notes.search('old')).hits[0]?.score).toBeLessThan(0.99);
    const sent = embedder.calls.length;
    await notes.mutate('a', (note) => {
      note.stars += 1;
    });
    await notes.touch('a', { ttl: '1h' });
    await notes.put({ id: 'a', text: 'new', stars: 9 });
    expect(embedder.calls.length).toBe(sent);
    expect((await notes.search('new')).hits[0]?.entity.stars).toBe(9);
  });

  test('A, then B, then A again: found as it is, and A is paid for once', async () => {
    const { embedder, notes } = await world();
    const set = (text: string) =>
      notes.mutate('a', (note) => {
        note.text = text;
      });
    await notes.create({ id: 'a', text: 'A', stars: 0 });
    await set('B');
    await set('A');
    const { hits, dropped } = await notes.search('A');
    expect(hits).toHaveLength(1);
    expect(hits[0]?.score).toBeCloseTo(1, 5);
    expect(dropped).toBe(0);
    expect(embedder.timesSent('A')).toBe(1);
  });

  test('no text, no vector: unset, blank and null', async () => {
    const { embedder, notes } = await world();
    await notes.create({ id: 'a', text: null, stars: 0 });
    await notes.create({ id: 'b', text: '  ', stars: 0 });
    expect((await notes.search('x')).hits).toEqual([]);
    expect(await notes.vectorOf('a')).toBeUndefined();
    await notes.mutate('a', (note) => {
      note.text = 'x';
    });
    expect((await notes.search('x')).hits).toHaveLength(1);
    await notes.mutate('a', (note) => {
      note.text = null;
    });
    expect(await notes.search('x')).toMatchObject({ hits: [], dropped: 0 });
    expect(embedder.timesSent('')).toBe(0);
  });

  test('deleted and made anew: found as what it is now', async () => {
    const { notes } = await world();
    await notes.create({ id: 'a', text: 'first', stars: 0 });
    expect(await notes.delete('a')).toBe(true);
    expect(await notes.search('first')).toMatchObject({ hits: [], dropped: 0 });
    await notes.create({ id: 'a', text: 'second', stars: 0 });
    const { hits } = await notes.search('first');
    expect(hits.map(({ entity }) => entity.text)).toEqual(['second']);
  });

  test('an expired entity is not found, and its vector is cleared away', async () => {
    const { db, clock } = await world();
    const pages = db.repo(Page);
    await pages.create({ id: 'a', text: 'soon gone' });
    expect((await pages.search('SOON GONE')).hits[0]?.score).toBeCloseTo(1, 5);
    await clock.advance(3_600_000);
    expect(await pages.search('soon gone')).toMatchObject({ hits: [], exhausted: true, dropped: 1 });
    expect(await pages.search('soon gone')).toMatchObject({ hits: [], exhausted: true, dropped: 0 });
  });

  test('an entity that has expired by a clock which is ahead leaves its text to another, and its vector ends in time', async () => {
    const { db, store, clock, embedder } = await world();
    const pages = db.repo(Page);
    await pages.create({ id: 'a', text: 'tea' });
    const ahead = await open(store, { clock: new SkewedClock(clock, 3_600_000), embedder });
    await ahead.repo(Page).create({ id: 'b', text: 'tea' });
    expect((await pages.search('TEA')).hits.map(({ entity }) => entity.id)).toEqual(['b']);
    await clock.advance(3_600_000);
    await pages.create({ id: 'c', text: 'rice' });
    if (limits.length > 0) return;
    expect(await db.doctor()).toMatchObject({ isHealthy: true, checked: { records: 2, vectors: 2, claims: 2 } });
  });

  test('64 concurrent mutates of one text embed once; what only passed by is not embedded', async () => {
    const { embedder, notes } = await world();
    await notes.create({ id: 'a', text: 'start', stars: 0 });
    const texts = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 'same' : `other ${i}`));
    await Promise.all(
      [...texts, 'last'].map((text) =>
        notes.mutate('a', (note) => {
          note.text = text;
          note.stars += 1;
        }),
      ),
    );
    for (const text of embedder.calls.flat()) expect(embedder.timesSent(text)).toBe(1);
    expect(await notes.get('a')).toMatchObject({ text: 'last', stars: 65 });
    expect((await notes.search('last')).hits[0]?.score).toBeCloseTo(1, 5);
    expect(embedder.calls.flat().length).toBeLessThanOrEqual(4);
  });

  test('two programs that write the same text over each other embed it once each at most', async () => {
    const { store, clock, notes, db } = await world();
    const other = fakeEmbedder();
    const second = (await open(store, { clock, random: seededRandom(2), embedder: other })).repo(Note);
    await notes.create({ id: 'a', text: 'start', stars: 0 });
    const edit = (repo: typeof notes, n: number) =>
      repo.mutate('a', (note) => {
        note.text = `text ${n % 5}`;
        note.stars += 1;
      });
    await Promise.all(Array.from({ length: 40 }, (_, n) => edit(n % 2 === 0 ? notes : second, n)));
    expect((await notes.get('a'))?.stars).toBe(40);
    for (const text of other.calls.flat()) expect(other.timesSent(text)).toBe(1);
    const { text } = await notes.getOrThrow('a');
    expect((await db.repo(Note).search(String(text))).hits[0]?.score).toBeCloseTo(1, 5);
  });

  test('an embedder that is down fails the save of a new text, and nothing else', async () => {
    const { embedder, notes } = await world();
    await notes.create({ id: 'a', text: 'old', stars: 0 });
    embedder.fail(new NorimakiError('embedder.unavailable', 'Down.', { embedder: embedder.id }));
    const save = notes.mutate('a', (note) => {
      note.text = 'new';
    });
    await expect(save).rejects.toMatchObject({ code: 'embedder.unavailable' });
    await notes.mutate('a', (note) => {
      note.stars = 5;
    });
    expect(await notes.get('a')).toMatchObject({ text: 'old', stars: 5 });
    embedder.fail(undefined);
    expect((await notes.search('old')).hits[0]?.score).toBeCloseTo(1, 5);
  });

  test('a text that is refused fails alone among those that share a write', async () => {
    const { embedder, notes } = await world();
    embedder.poison.add('bad');
    await notes.create({ id: 'a', text: 'good', stars: 0 });
    const results = await Promise.allSettled([
      notes.mutate('a', (note) => {
        note.stars += 1;
      }),
      notes.mutate('a', (note) => {
        note.text = 'bad';
      }),
      notes.mutate('a', (note) => {
        note.stars += 1;
      }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { code: 'embedder.rejected' } });
    expect(await notes.get('a')).toMatchObject({ text: 'good', stars: 2 });
  });

  test('a vector that is given counts until the text changes', async () => {
    const { embedder, notes } = await world();
    const given = embedder.vectorOf('something else');
    await notes.create({ id: 'a', text: 'tea', stars: 0, vector: given });
    expect(embedder.calls).toEqual([]);
    expect(await notes.vectorOf('a')).toEqual(given);
    await notes.mutate('a', (note) => {
      note.stars = 1;
    });
    expect(await notes.vectorOf('a')).toEqual(given);
    await notes.mutate('a', (note) => {
      note.text = 'coffee';
    });
    expect(await notes.vectorOf('a')).toEqual(embedder.vectorOf('coffee'));
    const wrong = notes.put({ id: 'a', text: 'tea', stars: 0, vector: new Float32Array(3) });
    await expect(wrong).rejects.toMatchObject({ code: 'argument.invalid' });
    const nan = notes.put({ id: 'a', text: 'tea', stars: 0, vector: new Float32Array(16).fill(Number.NaN) });
    await expect(nan).rejects.toMatchObject({ code: 'validation.failed' });
    expect((await notes.get('a'))?.text).toBe('coffee');
  });

  test('vectors that are only given: kept by an update, searched by a vector', async () => {
    const { db } = await world();
    const photos = db.repo(Photo);
    await photos.create({ id: 'a', title: 'sea', vector: Float32Array.of(0, 0, 1) });
    await photos.create({ id: 'b', title: 'sky', vector: Float32Array.of(0, 3, 1) });
    await photos.create({ id: 'c', title: 'none' });
    await photos.mutate('a', (photo) => {
      photo.title = 'ocean';
    });
    const { hits } = await photos.search([0, 0, 1]);
    expect(hits.map(({ entity, score }) => [entity.title, score])).toEqual([
      ['ocean', 1],
      ['sky', 0.25],
    ]);
    await expect(photos.search('sea')).rejects.toMatchObject({ code: 'argument.invalid' });
    const { hits: similar } = await photos.similarTo('a');
    expect(similar.map(({ entity }) => entity.id)).toEqual(['b']);
  });

  test('where, minScore, limit and what a result says of itself', async () => {
    const { embedder, notes } = await world();
    for (let i = 0; i < 60; i++) await notes.create({ id: `n${i}`, text: `text ${i}`, stars: i % 3 });
    const query = 'text 7';
    const oracle = Array.from({ length: 60 }, (_, i) => ({
      id: `n${i}`,
      stars: i % 3,
      score: 1 - distance('cosine', embedder.vectorOf(query), embedder.vectorOf(`text ${i}`)),
    })).sort((a, b) => b.score - a.score);
    const ids = ({ hits }: Awaited<ReturnType<typeof notes.search>>) => hits.map(({ entity }) => entity.id);
    expect(ids(await notes.search(query, { limit: 5 }))).toEqual(oracle.slice(0, 5).map(({ id }) => id));
    const twos = oracle.filter(({ stars }) => stars === 2).map(({ id }) => id);
    expect(ids(await notes.search(query, { where: { stars: 2 } }))).toEqual(twos.slice(0, 10));
    const ranged = await notes.search(query, { where: { stars: { gte: 1, lt: 2 } }, limit: 100 });
    expect(ids(ranged)).toEqual(oracle.filter(({ stars }) => stars === 1).map(({ id }) => id));
    expect(ranged.exhausted).toBe(true);
    const near = await notes.search(query, { minScore: 0.2, limit: 100 });
    expect(ids(near)).toEqual(oracle.filter(({ score }) => score >= 0.2).map(({ id }) => id));
    expect((await notes.search(query, { limit: 5 })).exhausted).toBe(false);
    await expect(notes.search(query, { limit: 0 })).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(notes.search(' ')).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(notes.search([1, 2])).rejects.toMatchObject({ code: 'argument.invalid' });
    // @ts-expect-error it has no such embedding
    await expect(notes.search(query, { field: 1 })).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(notes.similarTo('none')).rejects.toMatchObject({ code: 'not.found' });
  });

  test('tenants do not find each other', async () => {
    const { db } = await world();
    const [acme, other] = [db.forTenant('acme').repo(Note), db.forTenant('other').repo(Note)];
    await acme.create({ id: 'a', text: 'secret', stars: 0 });
    expect((await other.search('secret')).hits).toEqual([]);
    expect((await db.repo(Note).search('secret')).hits).toEqual([]);
    expect((await acme.search('secret')).hits).toHaveLength(1);
  });

  test('plan tells what would be embedded, and embeds nothing', async () => {
    const { embedder, notes } = await world();
    await notes.create({ id: 'a', text: 'old', stars: 0 });
    const sent = embedder.calls.length;
    const plan = await notes.plan().mutate('a', (note) => {
      note.text = 'new';
    });
    expect(plan.vectors).toEqual([
      { embedding: 'vector', type: 'insert', embeds: 'now' },
      { embedding: 'vector', type: 'delete', embeds: 'no' },
    ]);
    expect((await notes.plan().delete('a')).vectors).toEqual([{ embedding: 'vector', type: 'delete', embeds: 'no' }]);
    expect(embedder.calls.length).toBe(sent);
  });
});

test('a store without vectors, and a program without an embedder, are told at once', async () => {
  const inner = await memory().openStore({ clock: manualClock(), random: seededRandom(1) });
  const plain = await open(limitCapabilities(inner, ['vectors']), { embedder: fakeEmbedder() });
  expect(() => plain.repo(Note)).toThrow(/Note needs a store with vectors|note needs a store with vectors/);
  const none = await open(inner);
  expect(() => none.repo(Note)).toThrow(/note\.vector needs an embedder/);
});
