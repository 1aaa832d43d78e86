import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { distance } from '../../src/core/vectors/index.ts';
import { NorimakiError } from '../../src/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { fakeEmbedder, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { article, type SearchProcess, startSearch } from './support/semantic-indexes.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 400, embedded: 60, norikv: 40 }
  : { memory: 12, embedded: 2, norikv: 1 };
const VOCABULARY = ['nori', 'rice', 'tea', 'plum', 'fish'];
const HOUR = 3_600_000;

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    store = await openStore(kind, { clock, random: seededRandom(1) });
  });

  test('after any history every hit is what its record holds, and none is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const random = seededRandom(seed);
        const run = runs++;
        const embedder = fakeEmbedder();
        const name = `s${run}`;
        const ids = Array.from({ length: 6 }, (_, i) => `r${run}-${i}`);
        const start = (i: number): Promise<SearchProcess> =>
          startSearch(store, {
            clock,
            name,
            embedder,
            seed: seed * 31 + i,
            faults: { ...anyFaults(seed + i), lostWatch: random.float() * 0.3, crashAfter: random.float() * 0.01 },
          });
        const processes = [await start(1), await start(2), await start(3)];
        let started = 3;
        const title = (): string =>
          Array.from({ length: 1 + pickInt(random, 3) }, () => VOCABULARY[pickInt(random, VOCABULARY.length)]).join(
            ' ',
          );

        const problems: string[] = [];
        /** What is returned is what the record held at some time of the call. */
        const look = async (at: number, checked: boolean): Promise<void> => {
          const { search } = processes[at] as SearchProcess;
          const lexical = [0, 0.4, 1][pickInt(random, 3)] as number;
          const query = VOCABULARY[pickInt(random, VOCABULARY.length)] as string;
          const page = await search.find(query, { hybrid: { lexical }, limit: 100 });
          for (const { entity, why } of page.hits) {
            const words = entity.title.split(' ');
            if (why.lexical !== undefined && !words.includes(query)) {
              problems.push(`${query} is not in "${entity.title}"`);
            }
            if (why.vector !== undefined) {
              const text = [entity.title, entity.body].filter((part) => part !== undefined).join('\n');
              const score = 1 - distance('cosine', embedder.vectorOf(query), embedder.vectorOf(text));
              if (Math.abs(Math.max(0, score) - why.vector.score) > 1e-4)
                problems.push(`the score of another text: ${text}`);
            }
          }
          if (!checked) return;
          const { articles } = processes[0] as SearchProcess;
          const live = (await articles.getMany(ids)).filter((one) => one !== undefined);
          const wanted = live.filter((one) => lexical < 1 || one.title.split(' ').includes(query));
          const mine = page.hits.filter(({ entity }) => entity.id.startsWith(`r${run}-`));
          const found = mine.map(({ entity }) => `${entity.id} ${entity.title} ${entity.words}`).sort();
          const expected = wanted.map((one) => `${one.id} ${one.title} ${one.words}`).sort();
          if (found.join('|') !== expected.join('|')) {
            problems.push(`process ${at}, ${query}, ${lexical}: ${found.join('|')} instead of ${expected.join('|')}`);
          }
          if (lexical > 0) {
            const byWords = mine.filter(({ why }) => why.lexical !== undefined).map(({ entity }) => entity.id);
            const having = live.filter((one) => one.title.split(' ').includes(query)).map(({ id }) => id);
            if (byWords.sort().join() !== having.sort().join())
              problems.push(`words of ${query}: ${byWords} instead of ${having}`);
          }
        };
        const step = async (): Promise<void> => {
          const at = pickInt(random, processes.length);
          const { articles, search } = processes[at] as SearchProcess;
          const id = ids[pickInt(random, ids.length)] as string;
          const what = random.float();
          if (what < 0.3) await articles.put(article(id, title(), { words: pickInt(random, 1e6) }));
          else if (what < 0.4) await articles.put(article(id, title()), { ttl: random.float() < 0.5 ? 'keep' : '1h' });
          else if (what < 0.55) await articles.delete(id);
          else if (what < 0.65)
            await articles.mutate(id, (draft) => {
              draft.title = title();
            });
          else if (what < 0.7) await clock.sleep(random.float() * HOUR);
          else if (what < 0.75) {
            await search.close();
            processes[at] = await start(++started);
            await (processes[at] as SearchProcess).search.ready();
          } else await look(at, false);
        };
        const careful = (call: () => Promise<unknown>): Promise<unknown> => call().catch(onlyExpected);
        for (const { search } of processes) await careful(() => search.ready());
        for (let round = 0; round < 10; round++) {
          await Promise.all([careful(step), careful(step), careful(step)]);
          if (random.float() < 0.3) await idle();
        }
        for (const { faulty } of processes) await faulty.heal();
        // A process that crashed is another one from here on.
        for (const [i, { articles }] of processes.entries()) {
          const isAlive = await articles.get('x').then(
            () => true,
            () => false,
          );
          if (!isAlive) await processes[i]?.search.close();
          if (!isAlive) processes[i] = await startSearch(store, { clock, name, embedder, seed: seed + ++started });
        }
        for (const { search } of processes) await search.ready();
        // What others wrote is told soon: nobody waits for more than this.
        for (let i = 0; i < 60; i++) {
          await clock.sleep(500);
          await idle();
          if (kind !== 'memory') await new Promise((resolve) => setTimeout(resolve, 5));
        }
        for (let at = 0; at < processes.length; at++) for (let i = 0; i < 4; i++) await look(at, true);
        for (const { search } of processes) {
          const report = await search.doctor();
          if (report.lexical?.wrong !== 0) problems.push(`the doctor found ${JSON.stringify(report.lexical)}`);
        }
        for (const { search } of processes) await search.close();
        expect(problems, `seed ${seed}`).toEqual([]);
        for (const id of ids) await processes[0]?.articles.delete(id);
      }),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );
  });
});

/** What a caller has to expect of a store that fails, and of a process that died. */
function onlyExpected(error: unknown): void {
  if (error instanceof NorimakiError && !NorimakiError.is(error, 'argument.invalid')) return;
  if (error instanceof Error && error.name === 'SimulatedCrash') return;
  throw error;
}
