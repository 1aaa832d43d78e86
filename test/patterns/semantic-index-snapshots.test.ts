import { expect, test } from 'vitest';
import type { ScanStore } from '../../src/core/store.ts';
import { snapshotRecords } from '../../src/patterns/semantic-index/lexical/snapshot-records.ts';
import { insideOf } from '../../src/repositories/internal.ts';
import { idle } from '../../src/testing/idle.ts';
import { article, type SearchProcess, type SearchProcessOptions, searchWorld } from './support/semantic-indexes.ts';

const WORDS = { hybrid: { lexical: 1 }, limit: 100 };
const COUNT = 30;

/** A store with articles, and a snapshot that a process left when it closed. */
async function kept() {
  const world = await searchWorld();
  const one = await world.start();
  for (let i = 0; i < COUNT; i++) await one.articles.create(article(`a${i}`, `seaweed number${i}`));
  await one.search.ready();
  await one.search.close();
  const begin = async (options: Partial<SearchProcessOptions> = {}) => {
    const process = await world.start(options);
    await process.search.ready();
    return process;
  };
  return { ...world, one, begin };
}

const found = async ({ search }: SearchProcess, query: string): Promise<number> =>
  (await search.find(query, WORDS)).hits.length;

/** Pieces and heads, as records. */
async function pieces({ db }: SearchProcess): Promise<string[]> {
  const page = await insideOf(snapshotRecords(db))?.recordPage({ limit: 1000 });
  return (page?.items ?? []).map(({ id }) => `${id[2] === '' ? 'head' : 'piece'} ${id[3]}`).sort();
}

/** Changes the bytes of the records that fit. */
async function damage(
  store: ScanStore,
  isIt: (text: string) => boolean,
  change: (text: string) => string,
): Promise<number> {
  const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
  let count = 0;
  for (const { key, value } of entries) {
    const text = Buffer.from(value).toString();
    if (!isIt(text)) continue;
    await store.put(key, Buffer.from(change(text)));
    count += 1;
  }
  return count;
}

test('the next process takes apart only what was written since', async () => {
  const { one, begin } = await kept();
  await one.articles.put(article('a3', 'rice'));
  await one.articles.delete('a4');
  await one.articles.create(article('new', 'seaweed'));
  await one.articles.touch('a5');
  const two = await begin();
  expect(two.search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 2, documents: COUNT });
  expect([await found(two, 'seaweed'), await found(two, 'rice'), await found(two, 'number4')]).toEqual([
    COUNT - 1,
    1,
    0,
  ]);
  await two.search.close();
  expect(await pieces(two)).toEqual(['head 0', 'piece 0']);
  expect((await begin()).search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0 });
});

test('a head that cannot be read is made anew, and what it named is found by the doctor', async () => {
  const { begin, one, store } = await kept();
  expect(
    await damage(
      store as never,
      (text) => text.includes('"current":'),
      () => 'nothing',
    ),
  ).toBe(1);
  const two = await begin();
  expect(two.search.stats()).toMatchObject({ isFromSnapshot: false, indexed: COUNT });
  await two.search.close();
  const three = await begin();
  expect(three.search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0 });
  expect(await pieces(one)).toEqual(['head 0', 'piece 0', 'piece 0']);
  expect(await three.search.doctor()).toMatchObject({ isHealthy: false, lexical: { orphans: 1, fixed: 0 } });
  expect(await three.search.doctor({ fix: true })).toMatchObject({
    isHealthy: true,
    lexical: { orphans: 1, fixed: 1 },
  });
  expect(await three.search.doctor()).toMatchObject({ isHealthy: true, lexical: { orphans: 0 } });
  expect(await pieces(one)).toEqual(['head 0', 'piece 0']);
});

test('a search that has changed nothing stores nothing', async () => {
  const { begin } = await kept();
  const two = await begin();
  await two.search.close();
  expect(two.search.stats()?.snapshots).toBe(0);
});

test('a snapshot is stored when it is due, and not again while nothing changes', async () => {
  const { begin, clock } = await kept();
  const two = await begin({ lexical: { fields: { title: 3, body: 1 }, snapshot: { every: '1m' } } });
  const pass = async (): Promise<void> => {
    for (let i = 0; i < 30; i++) {
      await clock.sleep(5_000);
      await idle();
    }
  };
  await pass();
  expect(two.search.stats()?.snapshots).toBe(0);
  await two.articles.create(article('new', 'rice'));
  await two.search.find('rice', WORDS);
  for (let i = 0; i < 100 && two.search.stats()?.snapshots !== 1; i++) await pass();
  expect(two.search.stats()?.snapshots).toBe(1);
  const three = await begin();
  expect(three.search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0 });
  await two.search.close();
});

test('without snapshots none is written or read', async () => {
  const { begin } = await kept();
  const two = await begin({ lexical: { fields: { title: 3, body: 1 }, snapshot: false } });
  expect(two.search.stats()).toMatchObject({ isFromSnapshot: false, indexed: COUNT });
  await two.articles.create(article('new', 'rice'));
  await two.search.close();
  expect(two.search.stats()?.snapshots).toBe(0);
});

test.each([
  [
    'a byte of it',
    (text: string) => text.replace(/("data":".{40})(.)/, (_, before, byte) => before + (byte === 'A' ? 'B' : 'A')),
  ],
  ['its end', (text: string) => text.replace(/("data":".{80})[^"]*/, '$1')],
  ['all of it', (text: string) => text.replace(/"data":"[^"]*"/, '"data":""')],
  ['what makes it a record', () => 'nothing'],
])('a snapshot of which %s is damaged is ignored, and built anew', async (_, change) => {
  const { begin, store } = await kept();
  expect(await damage(store as never, (text) => text.includes('"data":"'), change)).toBe(1);
  const two = await begin();
  expect(two.search.stats()).toMatchObject({ isFromSnapshot: false, indexed: COUNT, documents: COUNT });
  expect(await found(two, 'seaweed')).toBe(COUNT);
  await two.search.close();
  expect((await begin()).search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0 });
});

/** Nothing is stored, so that the next one meets what was there. */
const noWrites: SearchProcessOptions['script'] = ({ verb }) =>
  ['put', 'commit'].includes(verb) ? 'errorBefore' : 'none';

test('a snapshot of other fields, words or stop words is of no use', async () => {
  const { begin } = await kept();
  const options: SearchProcessOptions['lexical'][] = [
    { fields: { title: 3 } },
    { fields: { body: 1, title: 3 } },
    { fields: { title: 3, body: 1 }, stopWords: ['x'] },
    { fields: { title: 3, body: 1 }, analyzer: { id: 'other', terms: (text) => text.split(' ') } },
  ];
  for (const lexical of options) {
    const { search } = await begin({ lexical: lexical && { ...lexical, snapshot: { every: '1d' } }, script: noWrites });
    expect(search.stats()).toMatchObject({ isFromSnapshot: false, indexed: COUNT });
  }
  // Weights are of the search, not of the index.
  const { search } = await begin({ lexical: { fields: { title: 1, body: 9 } } });
  expect(search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0 });
});

test('a copy of a snapshot, whose pieces have other versions, is foreign', async () => {
  const { begin, store } = await kept();
  // The same bytes, as an import would write them.
  await damage(
    store as never,
    (text) => text.includes('"data":"'),
    (text) => text,
  );
  expect((await begin()).search.stats()).toMatchObject({ isFromSnapshot: false, indexed: COUNT });
});

test('of several processes that close at once one stores, or all after each other; what is kept is whole', async () => {
  const { begin, one } = await kept();
  const processes = await Promise.all([begin(), begin(), begin()]);
  await one.articles.create(article('new', 'rice'));
  for (const process of processes) {
    for (let i = 0; i < 100 && (await found(process, 'rice')) === 0; i++) await idle();
  }
  await Promise.all(processes.map(({ search }) => search.close()));
  expect(await pieces(one)).toEqual(['head 0', 'piece 0']);
  expect((await begin()).search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0, documents: COUNT + 1 });
});

test('a process that dies at any step of a snapshot leaves the former one or a new one, and no piece for ever', async () => {
  const { begin, one, clock, start } = await kept();
  for (let step = 1; step <= 8; step++) {
    for (const kind of ['crashBefore', 'crashAfter'] as const) {
      let isDying = false;
      let calls = 0;
      const dying = await begin({
        script: ({ verb }) =>
          isDying && ['put', 'commit', 'delete'].includes(verb) && ++calls === step ? kind : 'none',
      });
      await dying.articles.put(article('a0', `seaweed step${step} ${kind}`));
      await dying.search.find('seaweed', WORDS);
      isDying = true;
      await dying.search.close();
      const next = await start();
      await next.search.ready();
      expect(next.search.stats(), `${kind} ${step}`).toMatchObject({ isFromSnapshot: true, documents: COUNT });
      expect(await found(next, `step${step}`)).toBe(1);
      await clock.sleep(130_000);
      await next.articles.put(article('a1', `seaweed after${step} ${kind}`));
      await next.search.find('seaweed', WORDS);
      await next.search.close();
    }
  }
  const last = await begin();
  const report = await last.search.doctor({ fix: true });
  expect(report.lexical).toMatchObject({ orphans: 0, wrong: 0 });
  expect(await pieces(one)).toEqual(['head 0', 'piece 0']);
});

test('who takes too long to store a snapshot gives way to who took over, and leaves nothing', async () => {
  const { begin, one, clock } = await kept();
  let gate: Promise<void> | undefined;
  let isSlow = false;
  let puts = 0;
  const slow = await begin({
    script: async ({ verb }) => {
      if (isSlow && ['put', 'commit'].includes(verb)) {
        puts += 1;
        // The claim goes through; its piece comes late.
        if (puts === 2) await gate;
      }
      return 'none' as const;
    },
  });
  await slow.articles.put(article('a0', 'seaweed slow'));
  await slow.search.find('seaweed', WORDS);
  let open: (() => void) | undefined;
  gate = new Promise((resolve) => {
    open = resolve;
  });
  isSlow = true;
  const closing = slow.search.close();
  while (puts < 2) await idle();
  await clock.sleep(130_000);
  const other = await begin();
  await other.articles.put(article('a1', 'seaweed other'));
  await other.search.find('seaweed', WORDS);
  await other.search.close();
  expect(other.search.stats()?.snapshots).toBeGreaterThan(0);
  open?.();
  await closing;
  expect(slow.search.stats()?.snapshots).toBe(0);
  expect(await pieces(one)).toEqual(['head 0', 'piece 0']);
  expect((await begin()).search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0, documents: COUNT });
});

test.each([1, 2, 3])(
  'a search that is closed while it stores its first snapshot leaves one (write %i)',
  async (nth) => {
    const world = await searchWorld();
    let isReady = false;
    let writes = 0;
    let closing: Promise<void> | undefined;
    const one = await world.start({
      script: ({ verb }) => {
        if (isReady && verb !== 'get' && ++writes === nth) closing ??= one.search.close();
        return 'delay';
      },
    });
    for (let i = 0; i < COUNT; i++) await one.articles.create(article(`a${i}`, 'seaweed'));
    await one.search.ready();
    isReady = true;
    while (closing === undefined) await world.clock.sleep(1);
    await closing;
    const two = await world.start();
    await two.search.ready();
    expect(two.search.stats()).toMatchObject({ isFromSnapshot: true, indexed: 0, documents: COUNT });
    await two.search.close();
  },
);
