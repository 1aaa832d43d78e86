import { expect, test } from 'vitest';
import { CountingStore } from '../../bench/counting-store.ts';
import { NorimakiError, open } from '../../src/index.ts';
import { type Analyzer, SemanticIndex } from '../../src/patterns/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { fakeEmbedder, limitCapabilities, seededRandom } from '../../src/testing/index.ts';
import { Article, article, type SearchProcess, searchWorld, startSearch } from './support/semantic-indexes.ts';

const WORDS = { hybrid: { lexical: 1 } };
const ids = (page: { hits: readonly { entity: { id: string } }[] }): string[] =>
  page.hits.map(({ entity }) => entity.id).sort();

/** Until a search finds just these by their words; what others write is told soon. */
async function untilFound({ search }: SearchProcess, query: string, wanted: readonly string[]): Promise<void> {
  let found: string[] = [];
  for (let i = 0; i < 500; i++) {
    found = ids(await search.find(query, WORDS));
    if (found.join() === [...wanted].sort().join()) return;
    await idle();
  }
  expect(found).toEqual(wanted);
}

test('a process finds by words what it has just written, and no more what it changed or deleted', async () => {
  const { search, articles } = await (await searchWorld()).start();
  await search.ready();
  await articles.create(article('a', 'seaweed'));
  expect(ids(await search.find('seaweed', WORDS))).toEqual(['a']);
  await articles.mutate('a', (draft) => {
    draft.title = 'rice';
  });
  expect(ids(await search.find('seaweed', WORDS))).toEqual([]);
  expect(ids(await search.find('rice', WORDS))).toEqual(['a']);
  await articles.delete('a');
  expect(ids(await search.find('rice', WORDS))).toEqual([]);
  await articles.create(article('a', 'tea'));
  expect(ids(await search.find('tea', WORDS))).toEqual(['a']);
});

test('even where nothing is watched', async () => {
  const { store, clock } = await searchWorld();
  const one = await startSearch(limitCapabilities(store as never, ['watch']), { clock, seed: 1 });
  const two = await startSearch(store, { clock, seed: 2 });
  await one.search.ready();
  await one.articles.create(article('a', 'seaweed'));
  expect(ids(await one.search.find('seaweed', WORDS))).toEqual(['a']);
  await two.articles.create(article('b', 'seaweed'));
  expect(ids(await one.search.find('seaweed', WORDS))).toEqual(['a']);
  await one.search.refresh();
  expect(ids(await one.search.find('seaweed', WORDS))).toEqual(['a', 'b']);
  await two.articles.delete('a');
  await one.search.refresh();
  expect(one.search.stats()).toMatchObject({ documents: 1, rescans: 2 });
});

test('what other processes write is found soon, and what they deleted at once no more', async () => {
  const world = await searchWorld();
  const [one, two] = [await world.start(), await world.start()];
  await one.search.ready();
  await two.articles.create(article('a', 'seaweed'));
  await two.articles.create(article('b', 'seaweed'));
  await untilFound(one, 'seaweed', ['a', 'b']);
  await two.articles.delete('a');
  const page = await one.search.find('seaweed', WORDS);
  expect(ids(page)).toEqual(['b']);
  await two.articles.put(article('b', 'rice'));
  expect(ids(await one.search.find('seaweed', WORDS))).toEqual([]);
  await untilFound(one, 'rice', ['b']);
});

test('a text that somebody else changed is found by its new words in the very search that meets its old ones', async () => {
  const { store, clock } = await searchWorld();
  const deaf = await startSearch(limitCapabilities(store as never, ['watch']), { clock, seed: 1 });
  const other = await startSearch(store, { clock, seed: 2 });
  await other.articles.create(article('a', 'seaweed'));
  await deaf.search.ready();
  await other.articles.put(article('a', 'seaweed rice'));
  const page = await deaf.search.find('seaweed rice', WORDS);
  expect(page.hits[0]?.why.lexical?.terms).toEqual(['seaweed', 'rice']);
  // By its vector even where none of the words was known.
  await other.articles.put(article('a', 'plum'));
  const both = await deaf.search.find('plum');
  expect(both.hits[0]?.why).toMatchObject({ vector: { rank: 1 }, lexical: { rank: 1, terms: ['plum'] } });
});

test('what has expired is not found, and forgotten', async () => {
  const { search, articles, clock } = await (async () => {
    const world = await searchWorld();
    return { ...world, ...(await world.start()) };
  })();
  await search.ready();
  await articles.create(article('a', 'seaweed'), { ttl: '1h' });
  await articles.create(article('b', 'seaweed'));
  expect(ids(await search.find('seaweed', WORDS))).toEqual(['a', 'b']);
  await clock.sleep(3_600_001);
  const page = await search.find('seaweed', WORDS);
  expect([ids(page), page.dropped]).toEqual([['b'], 1]);
  expect((await search.find('seaweed', WORDS)).dropped).toBe(0);
  expect(search.stats()?.documents).toBe(1);
});

test('a text is taken apart once, however often other fields change', async () => {
  const { search, articles } = await (await searchWorld()).start();
  await search.ready();
  await articles.create(article('a', 'seaweed'));
  for (let i = 0; i < 5; i++) {
    await articles.mutate('a', (draft) => {
      draft.words += 1;
    });
    await search.find('seaweed', WORDS);
  }
  expect(search.stats()).toMatchObject({ documents: 1, indexed: 1 });
});

test('a watch that is cut off leads to a look at all records; until then pages say that changes may be missing', async () => {
  const world = await searchWorld();
  const one = await world.start({ faults: { lostWatch: 1 } });
  const two = await world.start();
  await one.search.ready();
  const lacks = new Set<string>();
  for (let i = 0; i < 20; i++) {
    await two.articles.create(article(`a${i}`, 'seaweed'));
    for (const lack of (await one.search.find('seaweed', { ...WORDS, limit: 100 })).lacks) lacks.add(lack);
    await idle();
  }
  await one.faulty.heal();
  for (let i = 0; i < 2000 && (await one.search.find('seaweed', { ...WORDS, limit: 100 })).hits.length < 20; i++) {
    await world.clock.sleep(50);
    await idle();
  }
  const page = await one.search.find('seaweed', { ...WORDS, limit: 100 });
  expect(page.hits).toHaveLength(20);
  expect([...lacks]).toEqual(['changes']);
  expect(one.search.stats()?.rescans).toBeGreaterThan(0);
});

test('a search rejects while the records cannot be read, and misses nothing afterwards', async () => {
  const world = await searchWorld();
  const { search, articles } = await world.start();
  await search.ready();
  await articles.create(article('a', 'seaweed'));
  let isDown = true;
  const broken = await world.start({ script: () => (isDown ? 'errorBefore' : 'none') });
  await expect(broken.search.ready()).rejects.toMatchObject({ code: 'store.unavailable' });
  isDown = false;
  await broken.search.ready();
  expect(ids(await broken.search.find('seaweed', WORDS))).toEqual(['a']);
  expect(ids(await search.find('seaweed', WORDS))).toEqual(['a']);
});

test('a record that cannot be read is no hit, and keeps none from the others', async () => {
  const world = await searchWorld();
  const { search, articles } = await world.start();
  for (const id of ['a', 'b', 'c']) await articles.create(article(id, 'seaweed'));
  await search.ready();
  const store = world.store as never as import('../../src/core/store.ts').ScanStore;
  const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
  const broken = entries.find(({ value }) => Buffer.from(value).includes('"id":"b"'));
  if (broken === undefined) throw new TypeError('There is such a record.');
  await store.put(broken.key, Buffer.from(Buffer.from(broken.value).toString().replace('"lang":"en"', '"lang":7')));
  expect(ids(await search.find('seaweed', WORDS))).toEqual(['a', 'c']);
  expect(ids(await search.find('seaweed'))).toEqual(['a', 'c']);
});

test('words of any script are found, without accents, in any case; stop words are not', async () => {
  const { search, articles } = await (await searchWorld()).start({
    lexical: { fields: { title: 1, body: 1 }, stopWords: ['the'] },
  });
  await search.ready();
  await articles.create(article('fr', 'Crème brûlée', { body: 'the dessert' }));
  await articles.create(article('ja', '海苔は海藻から作られる', { body: 'the seaweed' }));
  await articles.create(article('ru', 'Ёлка', { body: 'the tree' }));
  const found = async (query: string): Promise<string[]> => ids(await search.find(query, WORDS));
  expect(await found('CREME brulee')).toEqual(['fr']);
  expect(await found('海藻')).toEqual(['ja']);
  expect(await found('елка')).toEqual(['ru']);
  expect(await found('the')).toEqual([]);
  expect(await found('the tree')).toEqual(['ru']);
  for (const odd of ['__proto__', 'constructor', 'toString', '\uffff']) {
    await articles.create(article(`odd ${odd}`, `${odd} x`));
    const page = await found(odd);
    expect(page, odd).toEqual(odd === '\uffff' ? [] : odd === '__proto__' ? ['odd __proto__'] : [`odd ${odd}`]);
  }
});

test('an analyzer of your own decides what is a word', async () => {
  const stems: Analyzer = {
    id: 'stems@1',
    terms: (text) =>
      text
        .toLowerCase()
        .split(/\W+/)
        .map((word) => word.replace(/(ing|ed|s)$/, '')),
  };
  const { search, articles } = await (await searchWorld()).start({
    lexical: { fields: { title: 1 }, analyzer: stems },
  });
  await search.ready();
  await articles.create(article('a', 'Toasted sheets'));
  expect(ids(await search.find('toasting sheet', WORDS))).toEqual(['a']);
});

test('the doctor compares words with records, and mends them', async () => {
  const world = await searchWorld();
  const { store, clock } = world;
  const deaf = await startSearch(limitCapabilities(store as never, ['watch']), { clock, seed: 1 });
  const other = await startSearch(store, { clock, seed: 2 });
  for (const id of ['a', 'b', 'c']) await other.articles.create(article(id, 'seaweed'));
  await deaf.search.ready();
  expect(await deaf.search.doctor()).toMatchObject({
    isHealthy: true,
    checked: { records: 3 },
    lexical: { checked: 3, behind: 0, wrong: 0, orphans: 0, fixed: 0 },
  });
  await other.articles.put(article('a', 'rice'));
  await other.articles.delete('b');
  await other.articles.create(article('d', 'tea'));
  expect(await deaf.search.doctor()).toMatchObject({ isHealthy: true, lexical: { checked: 3, behind: 3, wrong: 0 } });
  expect(ids(await deaf.search.find('rice', WORDS))).toEqual(['a']);
});

test('two searches of one entity, and two tenants, share nothing but the records', async () => {
  const { store, clock } = await searchWorld();
  const db = await open(store, { clock, random: seededRandom(1), embedder: fakeEmbedder() });
  const of = async (tenant: string | undefined) => {
    const handle = tenant === undefined ? db : db.forTenant(tenant);
    // The store of these tests has vectors.
    const articles = handle.repo(Article) as SearchProcess['articles'];
    const search = new SemanticIndex(articles, { name: 's', lexical: { fields: { title: 1 } } });
    await search.ready();
    return { articles, search };
  };
  const [acme, zeta, nobody] = [await of('acme'), await of('zeta'), await of(undefined)];
  await acme.articles.create(article('a', 'seaweed'));
  await zeta.articles.create(article('z', 'seaweed'));
  for (const lexical of [0, 0.4, 1]) {
    const found = async ({ search }: typeof acme) => ids(await search.find('seaweed', { hybrid: { lexical } }));
    expect([await found(acme), await found(zeta), await found(nobody)]).toEqual([['a'], ['z'], []]);
  }
  const { next } = await acme.search.find('seaweed', { limit: 1 });
  expect(next).toBeUndefined();
  for (const { search } of [acme, zeta, nobody]) await search.close();
  const again = await of('zeta');
  expect(again.search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0, documents: 1 });
  await again.search.close();
});

test('a search leaves nothing behind: it hears of no write, watches nothing, and its signal stops its waits', async () => {
  const world = await searchWorld();
  const counting = new CountingStore(world.store);
  const { search, articles } = await startSearch(counting, { clock: world.clock });
  await articles.create(article('a', 'seaweed'));
  await expect(search.ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
  await search.ready();
  await search.close();
  const { calls } = counting;
  await articles.create(article('b', 'seaweed'));
  const one = counting.calls - calls;
  await idle();
  await idle();
  expect(counting.calls - calls).toBe(one);
  // While it is being built, too.
  const { search: late } = await startSearch(world.store, { clock: world.clock });
  const building = late.ready().catch((error) => (error instanceof NorimakiError ? error.code : error));
  await late.close();
  expect(['aborted', 'search.notReady']).toContain(await building);
});

test('ready tells how far it is', async () => {
  const world = await searchWorld();
  const { search, articles } = await world.start();
  for (let i = 0; i < 12; i++) await articles.create(article(`a${i}`, 'seaweed'));
  const told: unknown[] = [];
  await search.ready({ onProgress: (progress) => told.push(progress) });
  expect(told).toEqual([
    { phase: 'snapshot', done: 0, indexed: 0 },
    { phase: 'records', done: 12, indexed: 12 },
  ]);
});
