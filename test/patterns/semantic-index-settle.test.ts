import { expect, test } from 'vitest';
import { CountingStore } from '../../bench/counting-store.ts';
import { insideOf } from '../../src/repositories/internal.ts';
import { idle } from '../../src/testing/idle.ts';
import { limitCapabilities } from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { article, searchWorld, startSearch } from './support/semantic-indexes.ts';

const WORDS = { hybrid: { lexical: 1 } };

/** Answers of `getMany` wait for the gate, with what was there before. */
class LateAnswers extends StoreWrapper {
  gate: Promise<void> | undefined;
  waiting = 0;

  override async getMany(...call: Parameters<StoreWrapper['getMany']>): ReturnType<StoreWrapper['getMany']> {
    const found = await super.getMany(...call);
    if (this.gate === undefined) return found;
    this.waiting += 1;
    await this.gate;
    return found;
  }
}

test('a write that is acknowledged while earlier ones are read is found, too', { timeout: 20_000 }, async () => {
  const { store, clock } = await searchWorld();
  const late = new LateAnswers(store);
  const { search, articles } = await startSearch(limitCapabilities(late as never, ['watch']), { clock });
  await search.ready();
  await articles.create(article('a', 'seaweed'));
  let open: (() => void) | undefined;
  late.gate = new Promise((resolve) => {
    open = resolve;
  });
  const first = search.find('seaweed', WORDS);
  while (late.waiting === 0) await idle();
  // The read that is under way has found the text of before.
  await articles.put(article('a', 'plum'));
  const second = search.find('plum', WORDS);
  late.gate = undefined;
  open?.();
  await first;
  expect((await second).hits.map(({ entity }) => entity.title)).toEqual(['plum']);
});

test('what could not be read stays to be read', async () => {
  const { store, clock, start } = await searchWorld();
  let isDown = false;
  const { search, articles } = await startSearch(store, {
    clock,
    script: ({ verb }) => (isDown && verb === 'getMany' ? 'errorBefore' : 'none'),
  });
  const other = await start();
  await search.ready();
  isDown = true;
  await articles.create(article('mine', 'seaweed'));
  await other.articles.create(article('theirs', 'seaweed'));
  for (let i = 0; i < 50; i++) await idle();
  await expect(search.find('seaweed', WORDS)).rejects.toMatchObject({ code: 'store.unavailable' });
  isDown = false;
  const { hits } = await search.find('seaweed', WORDS);
  expect(hits.map(({ entity }) => entity.id).sort()).toEqual(['mine', 'theirs']);
});

test('after close no write is heard of', async () => {
  const { store, clock } = await searchWorld();
  const counting = new CountingStore(store);
  const { search, articles } = await startSearch(counting, { clock });
  await search.ready();
  await search.close();
  const calls = async (): Promise<number> => {
    const before = counting.calls;
    for (let i = 0; i < 300; i++) await articles.create(article(`${before} ${i}`, 'seaweed'));
    for (let i = 0; i < 20; i++) await idle();
    return counting.calls - before;
  };
  await calls();
  const after = await calls();
  expect(search.stats()).toMatchObject({ documents: 0 });
  const listening = insideOf(articles)?.onWrite(() => {});
  listening?.();
  expect(await calls()).toBe(after);
  // One each: nobody reads them.
  expect(after).toBe(300);
});

test('as long as a watch cannot begin again pages say that changes may be missing', async () => {
  const { store, clock, start } = await searchWorld();
  let watches = 0;
  let isDown = true;
  const { search } = await startSearch(store, {
    clock,
    script: ({ verb }) => {
      if (verb !== 'watch' || !isDown) return 'none';
      watches += 1;
      return watches === 1 ? 'lostWatch' : 'errorBefore';
    },
  });
  const other = await start();
  await search.ready();
  for (let i = 0; i < 10; i++) await other.articles.create(article(`a${i}`, 'seaweed'));
  for (let i = 0; i < 200 && watches < 3; i++) await idle();
  expect(watches).toBeGreaterThan(2);
  expect((await search.find('seaweed', { ...WORDS, limit: 100 })).lacks).toEqual(['changes']);
  isDown = false;
  for (let i = 0; i < 500 && (await search.find('seaweed', { ...WORDS, limit: 100 })).lacks.length > 0; i++) {
    await clock.sleep(1_000);
    await idle();
  }
  const page = await search.find('seaweed', { ...WORDS, limit: 100 });
  expect([page.hits.length, page.lacks]).toEqual([10, []]);
});
