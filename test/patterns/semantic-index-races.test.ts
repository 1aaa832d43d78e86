import { expect, test } from 'vitest';
import { nextTurn } from '../../src/core/turn.ts';
import { distance } from '../../src/core/vectors/index.ts';
import { fakeEmbedder, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { article, searchWorld } from './support/semantic-indexes.ts';

const EDITS = isLong ? 5000 : 500;
const SEARCHES = isLong ? 2000 : 200;
const WORDS = ['nori', 'rice', 'tea', 'plum', 'fish'];

test('500 edits race 200 searches: each hit is of one text, by its words and by its vector', {
  timeout: 60_000,
}, async () => {
  const random = seededRandom(11);
  const { start } = await searchWorld();
  const { search, articles, embedder } = await start();
  await search.ready();
  /** Every text that an entity ever had. */
  const texts = new Map<string, Set<string>>();
  const deleted = new Set<string>();
  const title = (): string => Array.from({ length: 3 }, () => WORDS[pickInt(random, WORDS.length)]).join(' ');
  const edit = async (i: number): Promise<void> => {
    const id = `a${i % 25}`;
    const text = `${title()} v${i}`;
    texts.set(id, (texts.get(id) ?? new Set()).add(text));
    await articles.put(article(id, text));
    if (i % 10 !== 0) return;
    const gone = `gone${i}`;
    await articles.create(article(gone, text));
    await articles.delete(gone);
    deleted.add(gone);
  };
  const wrong: string[] = [];
  let hits = 0;
  const find = async (i: number): Promise<void> => {
    const query = WORDS[i % WORDS.length] as string;
    const before = new Set(deleted);
    const page = await search.find(query, { limit: 30 });
    hits += page.hits.length;
    for (const { entity, why } of page.hits) {
      if (before.has(entity.id)) wrong.push(`${entity.id} was deleted before the search`);
      if (!entity.id.startsWith('gone') && texts.get(entity.id)?.has(entity.title) !== true)
        wrong.push(`nobody wrote ${entity.title}`);
      if (why.lexical !== undefined && !entity.title.includes(query)) wrong.push(`${query} is not in ${entity.title}`);
      if (why.vector === undefined) continue;
      const score = Math.max(0, 1 - distance('cosine', embedder.vectorOf(query), embedder.vectorOf(entity.title)));
      if (Math.abs(score - why.vector.score) > 1e-4) wrong.push(`the score of another text than ${entity.title}`);
    }
  };
  const lanes = 10;
  await Promise.all([
    ...Array.from({ length: lanes }, async (_, lane) => {
      for (let i = lane; i < EDITS; i += lanes) {
        await edit(i);
        await nextTurn();
      }
    }),
    ...Array.from({ length: lanes / 2 }, async (_, lane) => {
      for (let i = lane; i < SEARCHES; i += lanes / 2) {
        await find(i);
        await nextTurn();
      }
    }),
  ]);
  expect(wrong).toEqual([]);
  expect(hits).toBeGreaterThan(SEARCHES);
  const last = await search.find('nori', { hybrid: { lexical: 1 }, limit: 100 });
  const live = (await articles.getMany([...texts.keys()])).filter((one) => one?.title.includes('nori'));
  expect(last.hits.map(({ entity }) => entity.id).sort()).toEqual(live.map((one) => one?.id).sort());
  await search.close();
});

test('a text is embedded once for each time that it changes, whatever else is written and searched', async () => {
  const { start } = await searchWorld();
  const { search, articles, embedder } = await start();
  await search.ready();
  for (let i = 0; i < 10; i++) await articles.create(article(`a${i}`, `text ${i}`));
  for (let i = 0; i < 10; i++) {
    await articles.mutate(`a${i}`, (draft) => {
      draft.words += 1;
    });
    await articles.put(article(`a${i}`, `text ${i}`, { lang: 'nl' }));
    await articles.touch(`a${i}`);
    await search.find(`query ${i}`);
    if (i < 3) await articles.put(article(`a${i}`, `other ${i}`));
  }
  await search.doctor({ fix: true });
  for (let i = 0; i < 10; i++) {
    // By whatever searches asked, one call of each text.
    expect(embedder.timesSent(`text ${i}`), `text ${i}`).toBe(1);
  }
  for (let i = 0; i < 3; i++) expect(embedder.timesSent(`other ${i}`)).toBe(1);
  expect(search.stats()?.indexed).toBe(13);
});

test('while the vectors move to another model every page answers wholly from one', async () => {
  const before = fakeEmbedder({ id: 'before@1' });
  const after = fakeEmbedder({ id: 'after@1' });
  const { start } = await searchWorld();
  const { search, articles } = await start({ embedder: before, embedders: [after] });
  await search.ready();
  for (let i = 0; i < 60; i++) await articles.create(article(`a${i}`, `text ${i}`));
  const moving = search.reindex({ embedder: after, concurrency: 4 }).then(() => true);
  let isDone = false;
  void moving.then(() => {
    isDone = true;
  });
  const seen = { before: 0, after: 0 };
  const look = async (i: number): Promise<void> => {
    const query = `text ${i % 60}`;
    const { hits } = await search.find(query, { limit: 100 });
    const models = hits.map(({ entity, why }) => {
      const fits = [before, after].map((model) => {
        const score = Math.max(0, 1 - distance('cosine', model.vectorOf(query), model.vectorOf(entity.title)));
        return Math.abs(score - (why.vector?.score ?? -1)) < 1e-4;
      });
      return fits[0] === fits[1] ? 'either' : fits[0] === true ? 'before' : 'after';
    });
    const one = new Set(models.filter((model) => model !== 'either'));
    expect(one.size).toBe(1);
    expect(hits.length).toBeGreaterThanOrEqual(59);
    seen[[...one][0] as 'before' | 'after'] += 1;
  };
  for (let i = 0; !isDone; i++) {
    await look(i);
    await articles.put(article(`a${i % 60}`, `text ${i % 60} again`));
    await articles.put(article(`a${i % 60}`, `text ${i % 60}`));
    await nextTurn();
  }
  await moving;
  for (let i = 0; i < 5; i++) await look(i);
  expect(seen.before).toBeGreaterThan(0);
  expect(seen.after).toBeGreaterThan(0);
  expect(await search.rollbackReindex()).toBe(true);
  const { after: afterwards } = seen;
  await look(1);
  expect(seen.after).toBe(afterwards);
  await search.reindex({ embedder: after });
  expect(await search.finishReindex()).toBe(true);
  await expect(search.rollbackReindex()).resolves.toBe(false);
});
