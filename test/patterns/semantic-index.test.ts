import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, NorimakiError } from '../../src/index.ts';
import { SemanticIndex } from '../../src/patterns/index.ts';
import { fakeEmbedder, limitCapabilities } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { Article, article, type SearchProcessOptions, searchWorld, startSearch } from './support/semantic-indexes.ts';

async function library(options: Partial<SearchProcessOptions> = {}) {
  const world = await searchWorld();
  const process = await world.start(options);
  await process.articles.createMany([
    article('nori', 'Toasted nori', { body: 'Sheets of seaweed, pressed and toasted' }),
    article('rice', 'Sushi rice', { body: 'Short grains, with vinegar', lang: 'ja' }),
    article('tea', 'Green tea', { body: 'Leaves from Uji' }),
  ]);
  await process.search.ready();
  return { ...world, ...process };
}

/** Fifty articles that all have one word, and one of their own. */
async function fifty(options: Partial<SearchProcessOptions> = {}) {
  const world = await searchWorld();
  const process = await world.start(options);
  const all = Array.from({ length: 50 }, (_, i) =>
    article(`a${String(i).padStart(2, '0')}`, `fish number${i}`, { words: i, lang: i % 2 === 0 ? 'en' : 'nl' }),
  );
  await process.articles.createMany(all);
  await process.search.ready();
  return { ...world, ...process };
}

const ids = (page: { hits: readonly { entity: { id: string } }[] }): string[] =>
  page.hits.map(({ entity }) => entity.id);
const codeOf = (error: unknown): unknown => (error instanceof NorimakiError ? error.code : error);

test('words find what holds them, the vectors everything, and each hit says why', async () => {
  const { search } = await library();
  const lexical = await search.find('Seaweed', { hybrid: { lexical: 1 } });
  expect(ids(lexical)).toEqual(['nori']);
  expect(lexical.hits[0]).toMatchObject({ score: 1, why: { lexical: { rank: 1, score: 1, terms: ['seaweed'] } } });
  expect(lexical).toMatchObject({ exhausted: true, dropped: 0, pending: 0, lacks: [], next: undefined });
  const vector = await search.find('seaweed', { hybrid: { lexical: 0 } });
  expect(vector.hits).toHaveLength(3);
  expect(vector.hits.every(({ why }) => why.lexical === undefined && why.vector !== undefined)).toBe(true);
  const hybrid = await search.find('seaweed');
  expect(hybrid.hits).toHaveLength(3);
  expect(hybrid.hits.find(({ entity }) => entity.id === 'nori')?.why).toMatchObject({
    lexical: { rank: 1 },
    vector: { score: expect.any(Number) },
  });
});

test('the embedder is asked only where vectors count', async () => {
  const { search, embedder } = await library();
  const { length } = embedder.calls;
  await search.find('seaweed', { hybrid: { lexical: 1 } });
  expect(embedder.calls).toHaveLength(length);
  await search.find('seaweed', { hybrid: { lexical: 0.99 } });
  expect(embedder.calls).toHaveLength(length + 1);
});

test('a word in a weightier field counts more', async () => {
  const { search, articles } = await library();
  await articles.create(article('a', 'about one thing', { body: 'wasabi' }));
  await articles.create(article('b', 'about wasabi', { body: 'thing' }));
  expect(ids(await search.find('wasabi', { hybrid: { lexical: 1 } }))).toEqual(['b', 'a']);
});

test('conditions hold for hits of both sides', async () => {
  const { search } = await fifty();
  for (const lexical of [0, 0.4, 1]) {
    const { hits } = await search.find('fish', {
      hybrid: { lexical },
      where: { lang: 'nl' },
      filter: ({ words }) => words > 30,
      limit: 100,
    });
    expect(
      hits.map(({ entity }) => entity.words).sort((a, b) => a - b),
      `lexical ${lexical}`,
    ).toEqual([31, 33, 35, 37, 39, 41, 43, 45, 47, 49]);
  }
  await expect(search.find('fish', { where: { nothing: 1 } as never })).rejects.toMatchObject({
    code: 'argument.invalid',
  });
});

test('minScore is of the side that it is asked of, and spares words in a search of both', async () => {
  const { search, embedder, articles } = await library();
  await articles.create(article('x', 'seaweed seaweed'));
  const { hits } = await search.find('seaweed', { hybrid: { lexical: 0 } });
  const middle = hits[1]?.score ?? 0;
  const above = await search.find('seaweed', { hybrid: { lexical: 0 }, minScore: middle });
  expect(ids(above)).toEqual(ids({ hits: hits.slice(0, 2) }));
  const all = await search.find('seaweed', { hybrid: { lexical: 1 } });
  expect(all.hits).toHaveLength(2);
  const best = await search.find('seaweed', { hybrid: { lexical: 1 }, minScore: 0.99 });
  expect(ids(best)).toEqual(ids({ hits: all.hits.slice(0, 1) }));
  expect(best.exhausted).toBe(true);
  const both = await search.find('seaweed', { hybrid: { lexical: 0.5 }, minScore: 1 });
  expect(ids(both).sort()).toEqual(['nori', 'x']);
  expect(embedder.vectorOf('seaweed')).toBeDefined();
});

test('pages of one query bring every hit once, whatever is written meanwhile', async () => {
  for (const lexical of [0, 0.4, 1]) {
    const { search, articles } = await fifty();
    const found: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await search.find('fish number7', { limit: 7, hybrid: { lexical }, cursor });
      found.push(...ids(page));
      cursor = page.next;
      pages += 1;
      expect(page.exhausted).toBe(cursor === undefined);
      // Moves to the front by its words; by its vector to anywhere.
      const last = page.hits.at(-1)?.entity.id ?? '';
      await articles.mutate(last, (draft) => {
        draft.title = 'fish fish number7';
      });
      await articles.create(article(`new${pages}`, 'fish number7'));
    } while (cursor !== undefined && pages < 20);
    const before = found.filter((id) => !id.startsWith('new'));
    expect(new Set(found).size, `lexical ${lexical}`).toBe(found.length);
    expect(before.sort(), `lexical ${lexical}`).toEqual(
      Array.from({ length: 50 }, (_, i) => `a${String(i).padStart(2, '0')}`),
    );
  }
});

test('a cursor is good for its own query only', async () => {
  const { search, articles } = await fifty();
  const { next = '' } = await search.find('fish');
  const wrong = { code: 'search.wrongCursor', details: { search: 's' } };
  expect((await search.find('fish', { cursor: next, limit: 3 })).hits).toHaveLength(3);
  await expect(search.find('number1', { cursor: next })).rejects.toMatchObject(wrong);
  await expect(search.find('fish', { cursor: next, where: { lang: 'en' } })).rejects.toMatchObject(wrong);
  await expect(search.find('fish', { cursor: next, minScore: 0.1 })).rejects.toMatchObject(wrong);
  await expect(search.find('fish', { cursor: next, hybrid: { lexical: 0.1 } })).rejects.toMatchObject(wrong);
  await expect(search.find('fish', { cursor: next, filter: () => true })).rejects.toMatchObject(wrong);
  await expect(search.similar('a01', { cursor: next })).rejects.toMatchObject(wrong);
  const other = new SemanticIndex(articles, { name: 'other', lexical: { fields: { title: 1 } } });
  await other.ready();
  await expect(other.find('fish', { cursor: next })).rejects.toMatchObject({ code: 'search.wrongCursor' });
  await other.close();
  for (const cursor of ['', 'x', `${next}A`, next.slice(0, -3), next.slice(0, 11)]) {
    await expect(search.find('fish', { cursor }), cursor).rejects.toMatchObject(wrong);
  }
});

test('similar finds by the vector of an entity, and leaves it out', async () => {
  const { search, embedder } = await library();
  const { length } = embedder.calls;
  const page = await search.similar('nori', { limit: 5 });
  expect(ids(page).sort()).toEqual(['rice', 'tea']);
  expect(page.hits[0]?.why).toEqual({ vector: { rank: 1, score: page.hits[0]?.score } });
  expect(embedder.calls).toHaveLength(length);
  const first = await search.similar('nori', { limit: 1 });
  const second = await search.similar('nori', { limit: 1, cursor: first.next });
  expect([...ids(first), ...ids(second)]).toEqual(ids(page));
  await expect(search.similar('rice', { cursor: first.next })).rejects.toMatchObject({ code: 'search.wrongCursor' });
  await expect(search.similar('nothing')).rejects.toMatchObject({ code: 'not.found' });
  expect(ids(await search.similar('nori', { where: { lang: 'ja' } }))).toEqual(['rice']);
});

test('diverse hits are less alike: a copy comes after something else', async () => {
  const { search, articles } = await library();
  for (const id of ['c1', 'c2', 'c3']) await articles.create(article(id, 'pickled plum'));
  await articles.create(article('d', 'plum wine'));
  for (const lexical of [0.4, 1]) {
    const plain = await search.find('pickled plum', { limit: 3, hybrid: { lexical } });
    expect(ids(plain).sort()).toEqual(['c1', 'c2', 'c3']);
    const diverse = await search.find('pickled plum', { limit: 2, hybrid: { lexical }, diversify: 0.7 });
    expect(ids(diverse).filter((id) => id.startsWith('c'))).toHaveLength(1);
    expect(ids(await search.find('pickled plum', { limit: 3, hybrid: { lexical }, diversify: 0 }))).toEqual(ids(plain));
  }
});

test('while the embedder is down words answer, if they may, and the page says so', async () => {
  const down = new NorimakiError('embedder.unavailable', 'Down.', { embedder: 'fake@1' });
  const strict = await library();
  strict.embedder.fail(down);
  await expect(strict.search.find('seaweed')).rejects.toMatchObject({ code: 'embedder.unavailable' });
  expect(ids(await strict.search.find('seaweed', { hybrid: { lexical: 1 } }))).toEqual(['nori']);

  const { search, embedder, articles } = await library({ whenEmbedderFails: 'lexical' });
  embedder.fail(down);
  for (const lexical of [0, 0.4]) {
    const page = await search.find('seaweed', { hybrid: { lexical } });
    expect([ids(page), page.lacks]).toEqual([['nori'], ['vectors']]);
    expect(page.hits[0]).toMatchObject({ score: 1, why: { lexical: { rank: 1 } } });
  }
  // A mistake of the caller is none of the embedder's.
  embedder.fail(new NorimakiError('argument.invalid', 'No.', { argument: 'x' }));
  await expect(search.find('something')).rejects.toMatchObject({ code: 'argument.invalid' });
  // Needs no embedder: the vectors are there.
  expect((await search.similar('nori')).hits).toHaveLength(2);
  embedder.fail(undefined);
  expect((await search.find('seaweed')).lacks).toEqual([]);
  await expect(search.find('seaweed', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  expect(await articles.get('nori')).toBeDefined();
});

test('before it is ready, and after it is closed, words are refused; vectors need no index of words', async () => {
  const { start } = await searchWorld();
  const { search, articles } = await start();
  await articles.create(article('a', 'seaweed'));
  await expect(search.find('seaweed')).rejects.toMatchObject({
    code: 'search.notReady',
    details: { search: 's', state: 'new' },
  });
  expect(ids(await search.find('seaweed', { hybrid: { lexical: 0 } }))).toEqual(['a']);
  const building = Promise.all([search.ready(), search.ready()]);
  await expect(search.find('seaweed')).rejects.toMatchObject({ details: { state: 'building' } });
  await building;
  expect(ids(await search.find('seaweed'))).toEqual(['a']);
  await search.ready();
  await search.close();
  await search.close();
  await expect(search.find('seaweed')).rejects.toMatchObject({ details: { state: 'closed' } });
  await expect(search.ready()).rejects.toMatchObject({ code: 'search.notReady' });
  await expect(search.refresh()).rejects.toMatchObject({ code: 'search.notReady' });
  await expect(search.doctor()).rejects.toMatchObject({ code: 'search.notReady' });
  expect(search.stats()?.documents).toBe(0);
});

test('without words it is a search by vectors, with pages and all', async () => {
  const { start } = await searchWorld();
  const { articles } = await start();
  for (let i = 0; i < 12; i++) await articles.create(article(`a${i}`, `text ${i}`));
  const search = new SemanticIndex(articles, { name: 'plain', embedding: 'text' });
  await search.ready();
  const page = await search.find('text');
  const rest = await search.find('text', { cursor: page.next });
  expect([page.hits.length, rest.hits.length, rest.exhausted, rest.next]).toEqual([10, 2, true, undefined]);
  expect(search.stats()).toBeUndefined();
  await search.refresh();
  expect(await search.doctor()).toMatchObject({ isHealthy: true, lexical: undefined });
  await expect(search.find('text', { hybrid: { lexical: 0.4 } })).rejects.toMatchObject({ code: 'argument.invalid' });
  await search.close();
});

test('bad options are refused by name', async () => {
  const { search, articles, db } = await library();
  const argumentOf = async (call: () => unknown): Promise<unknown> => {
    try {
      await call();
    } catch (error) {
      if (NorimakiError.is(error, 'argument.invalid')) return error.details.argument;
      throw error;
    }
    return undefined;
  };
  const made = (options: object) => argumentOf(() => new SemanticIndex(articles, { name: 'x', ...options } as never));
  expect(await made({ name: '' })).toBe('name');
  expect(await made({ embedding: 'other' })).toBe('embedding');
  expect(await made({ lexical: { fields: {} } })).toBe('lexical.fields');
  expect(await made({ lexical: { fields: { nothing: 1 } } })).toBe('lexical.fields');
  expect(await made({ lexical: { fields: { title: 0 } } })).toBe('lexical.fields');
  expect(await made({ lexical: { fields: { title: Number.POSITIVE_INFINITY } } })).toBe('lexical.fields');
  expect(await made({ lexical: { fields: { title: 1 }, analyzer: { id: '', terms: () => [] } } })).toBe(
    'lexical.analyzer',
  );
  expect(await made({ lexical: { fields: { title: 1 }, stopWords: 'the' } })).toBe('lexical.stopWords');
  expect(await made({ lexical: { fields: { title: 1 }, snapshot: { every: 0 } } })).toBe('lexical.snapshot.every');
  expect(await made({ lexical: { fields: { title: 1 }, snapshot: { every: 'soon' } } })).toBe('lexical.snapshot.every');
  expect(await made({ hybrid: { lexical: 0.5 } })).toBe('hybrid');
  expect(await made({ whenEmbedderFails: 'lexical' })).toBe('whenEmbedderFails');
  expect(await made({ whenEmbedderFails: 'wait', lexical: { fields: { title: 1 } } })).toBe('whenEmbedderFails');
  expect(await argumentOf(() => new SemanticIndex({} as never, { name: 'x' }))).toBe('repository');
  for (const [argument, options] of [
    ['limit', { limit: 0 }],
    ['limit', { limit: 101 }],
    ['limit', { limit: 1.5 }],
    ['minScore', { minScore: 1.1 }],
    ['minScore', { minScore: Number.NaN }],
    ['diversify', { diversify: -0.1 }],
    ['filter', { filter: 'x' as never }],
    ['hybrid', { hybrid: { lexical: 2 } }],
  ] as const) {
    expect(await argumentOf(() => search.find('x', options)), argument).toBe(argument);
  }
  expect(await argumentOf(() => search.find('  '))).toBe('query');
  const Bare = defineEntity('bare', z.object({ id: z.string() }), { id: 'id' });
  expect(await argumentOf(() => new SemanticIndex(db.repo(Bare), { name: 'x', embedding: 'text' as never }))).toBe(
    'embedding',
  );
  // A blank query by words, and one without a word, are not the same.
  expect((await search.find('?!', { hybrid: { lexical: 1 } })).hits).toEqual([]);
});

test('a store that lists nothing carries vectors, and refuses words in a sentence', async () => {
  const { store, clock } = await openMemory();
  const limited = limitCapabilities(store, ['scan', 'commit']);
  await expect(startSearch(limited, { clock })).rejects.toMatchObject({
    code: 'capability.missing',
    details: { capability: 'scan', neededBy: 'SemanticIndex' },
  });
  const { search, articles } = await startSearch(limited, { clock, lexical: undefined });
  await articles.create(article('a', 'seaweed'));
  expect(ids(await search.find('seaweed'))).toEqual(['a']);
});

test('vectors that are still to be made are counted, and found by their words at once', async () => {
  const world = await openMemory({ embedder: fakeEmbedder(), outbox: false });
  const Memo = defineEntity('memo', z.object({ id: z.string(), text: z.string() }), {
    id: 'id',
    embeddings: { vector: { from: 'text', mode: 'deferred', index: 'exact' } },
  });
  const memos = world.db.repo(Memo);
  const search = new SemanticIndex(memos, { name: 's', lexical: { fields: { text: 1 } } });
  await search.ready();
  await memos.create({ id: 'a', text: 'seaweed' });
  const page = await search.find('seaweed');
  expect([ids(page), page.pending, page.hits[0]?.why.vector]).toEqual([['a'], 1, undefined]);
  await memos.outbox.drain();
  const later = await search.find('seaweed');
  expect([ids(later), later.pending, later.hits[0]?.why.vector?.rank]).toEqual([['a'], 0, 1]);
  await search.close();
});

test('a search of both ends by its signal, at whatever it waits for', async () => {
  const { search, embedder } = await library();
  let open: (() => void) | undefined;
  embedder.gate = new Promise((resolve) => {
    open = resolve;
  });
  const stop = new AbortController();
  const found = search.find('seaweed', { signal: stop.signal }).catch(codeOf);
  stop.abort();
  expect(await found).toBe('aborted');
  open?.();
});

test('ids of several parts and of other kinds are found and named', async () => {
  const { db } = await openMemory({ embedder: fakeEmbedder() });
  const Page = defineEntity('page', z.object({ book: z.string(), number: z.bigint(), text: z.string() }), {
    id: ['book', 'number'],
    embeddings: { vector: { from: 'text', index: 'exact' } },
  });
  const pages = db.repo(Page);
  await pages.create({ book: 'a:b', number: 1n, text: 'seaweed and rice' });
  await pages.create({ book: 'a', number: 1n, text: 'rice' });
  const search = new SemanticIndex(pages, { name: 's', lexical: { fields: { text: 1 } } });
  await search.ready();
  expect((await search.find('seaweed', { hybrid: { lexical: 1 } })).hits.map(({ entity }) => entity.book)).toEqual([
    'a:b',
  ]);
  expect((await search.similar({ book: 'a:b', number: 1n })).hits.map(({ entity }) => entity.book)).toEqual(['a']);
  const first = await search.find('rice', { limit: 1, where: { number: 1n } });
  const second = await search.find('rice', { limit: 1, where: { number: 1n }, cursor: first.next });
  expect([...first.hits, ...second.hits].map(({ entity }) => entity.book).sort()).toEqual(['a', 'a:b']);
  await search.close();
});

test('the entity of a hit is one of its class, with its version and its methods', async () => {
  const { search } = await library();
  for (const lexical of [0, 1]) {
    const [hit] = (await search.find('seaweed', { hybrid: { lexical } })).hits;
    expect(hit?.entity).toBeInstanceOf(Article);
  }
});
