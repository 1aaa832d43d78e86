import { z } from 'zod';
import { parseRow, readRows } from '../examples/films/parse.ts';
import type { VectorStore } from '../src/core/store.ts';
import { hashingEmbedder } from '../src/embedders/index.ts';
import { type Database, defineEntity, open, systemEnvironment } from '../src/index.ts';
import { type Contender, type Evaluation, Recommender, type UserEvent } from '../src/patterns/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { median, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import { type FilmQuestion, filmItemRows } from './film-items.ts';
import { besideBaselines } from './quality.ts';
import type { BenchRow } from './row.ts';
import { plantedTastes, TASTE_SIGNALS, type Tastes } from './taste.ts';

const SMALL = process.argv.includes('--small');
const K = 10;
const USERS = SMALL ? 200 : 600;
/** A viewer likes two directors, and sees their films as they come out: a history without people, for want of a free one. */
const LEAST_FILMS = 5;

const Item = defineEntity('item', z.object({ id: z.string() }), {
  id: 'id',
  embeddings: { look: { dimensions: 32, index: 'exact' } },
});
const Film = defineEntity('film', z.object({ id: z.string(), about: z.string() }), {
  id: 'id',
  embeddings: { text: { from: 'about', index: 'exact' } },
});

/** How good lists are, and what they cost. */
export async function recommenderBench(): Promise<BenchRow[]> {
  return [...(await tasteRows()), ...(await filmRows())];
}

async function tasteRows(): Promise<BenchRow[]> {
  const tastes = plantedTastes(USERS);
  const counting = new CountingStore(await memory().openStore(systemEnvironment));
  // It hands on everything that a store in memory can.
  await using db = (await open(counting)) as unknown as Database<VectorStore>;
  for (const result of await db.repo(Item).createMany(tastes.items.map(({ id, look }) => ({ id, look }))))
    if (!result.ok) throw result.error;
  const shop = new Recommender(db, Item, { name: 'bench', signals: TASTE_SIGNALS });
  const strategies = ['interests', 'blended', 'average', 'bestScore', 'coVisit'] as const;
  const judged = await shop.evaluate(tastes.events, { k: [K], strategies });
  print(`planted tastes (${judged.users} users, ${judged.items} items)`, judged);
  return [...interestRows('planted tastes, interests', judged), ...(await costRows(db, shop, counting, tastes))];
}

async function costRows(
  db: Database<VectorStore>,
  shop: Recommender<typeof Item, keyof typeof TASTE_SIGNALS>,
  counting: CountingStore,
  { events }: Tastes,
): Promise<BenchRow[]> {
  const some = events.slice(0, 2000);
  counting.reset();
  const record = await timed(some.length, async () => {
    for (const { user, item, signal, at } of some) await shop.record(user, item, signal, { at });
  });
  const calls = counting.calls / some.length;
  const bare = new Recommender(db, Item, {
    name: 'bare',
    signals: TASTE_SIGNALS,
    coVisit: false,
    popular: false,
  });
  counting.reset();
  const bareRecord = await timed(some.length, async () => {
    for (const { user, item, signal, at } of some) await bare.record(user, item, signal, { at });
  });
  const bareCalls = counting.calls / some.length;
  const users = [...new Set(some.map(({ user }) => user))];
  const times: Record<'first' | 'again', number[]> = { first: [], again: [] };
  counting.reset();
  for (const user of users) times.first.push(await timed(1, async () => void (await shop.for(user))));
  const firstCalls = counting.calls / users.length;
  counting.reset();
  for (const user of users) times.again.push(await timed(1, async () => void (await shop.for(user))));
  const againCalls = counting.calls / users.length;
  const figure = (name: string, ours: number, theirs: number, unit: string): BenchRow => ({
    name,
    ours,
    theirs,
    ratio: theirs / ours,
    target: 0,
    unit,
  });
  return [
    figure('record beside one without counts', record, bareRecord, 'ns'),
    figure('record: calls of the store', calls * 1000, bareCalls * 1000, '/ 1000 records'),
    figure('for: p50, a known profile beside a new one', median(times.again), median(times.first), 'ns'),
    figure('for: calls of the store, gets and puts', againCalls * 1000, firstCalls * 1000, '/ 1000 lists'),
  ];
}

async function filmRows(): Promise<BenchRow[]> {
  const films = (await readRows()).flatMap((row) => {
    const parsed = parseRow(row);
    return 'film' in parsed && parsed.film.director !== undefined ? [parsed.film] : [];
  });
  const inputs = new Map(
    films.map((film) => [
      `${film.title} (${film.year})`,
      {
        id: `${film.title} (${film.year})`,
        // As a page about it would say.
        about: [film.title, film.genre, film.director].filter(Boolean).join(' '),
        director: film.director ?? '',
        at: film.year,
      },
    ]),
  );
  const byDirector = new Map<string, (typeof inputs extends Map<string, infer Input> ? Input : never)[]>();
  for (const input of inputs.values())
    byDirector.set(input.director, [...(byDirector.get(input.director) ?? []), input]);
  const directors = [...byDirector.values()].filter((made) => made.length >= LEAST_FILMS);
  const events = directors.flatMap((made, i): UserEvent<string, 'like'>[] => {
    const others = directors[(i + 1) % directors.length] ?? [];
    return [...made, ...others].map(({ id, at }) => ({
      user: viewer(i),
      item: id,
      signal: 'like',
      at: Math.max(0, Date.UTC(at, 0, 1)),
    }));
  });
  await using db = await open(memory(), { embedder: hashingEmbedder() });
  const stored = await db.repo(Film).createMany([...inputs.values()].map(({ id, about }) => ({ id, about })));
  for (const result of stored) if (!result.ok) throw result.error;
  const options = { name: 'films', signals: { like: 1 }, halfLife: '3650d' } as const;
  const rec = new Recommender(db, Film, options);
  const judged = await rec.evaluate(events, { k: [K], strategies: ['interests', 'blended', 'bestScore'] });
  print(`films by two directors (${judged.users} viewers, ${judged.items} films)`, judged);
  const repository = db.repo(Film);
  const seen = new Map<string, number>();
  for (const { item } of events) seen.set(item, (seen.get(item) ?? 0) + 1);
  // Every other viewer is known; the rest ask.
  for (const result of await rec.recordMany(events.filter(({ user }) => isKnown(user)))) {
    if (!result.ok) throw result.error;
  }
  const questions = questionsOf(directors);
  // Who asks has a past, and nobody learns anything of it.
  const silent = new Recommender(db, Film, { ...options, coVisit: false, popular: false });
  for (const { asker, before } of questions) {
    const past = before.map((item, n) => ({ user: asker, item, signal: 'like' as const, at: n }));
    for (const result of await silent.recordMany(past)) if (!result.ok) throw result.error;
  }
  const items = await filmItemRows(questions, {
    similar: async (film, options) => (await rec.similar(film, options)).map(({ item }) => item.id),
    near: async (vector, limit) => (await repository.search(vector, { limit })).hits.map(({ entity }) => entity.id),
    vectorOf: (film) => repository.vectorOf(film),
    popular: [...seen].sort(([, one], [, other]) => other - one).map(([film]) => film),
  });
  return [...interestRows('films, interests', judged), ...items];
}

const viewer = (i: number): string => `viewer ${i}`;
const isKnown = (user: string): boolean => Number(user.split(' ')[1]) % 2 === 1;

/** Of each film of a director whom a viewer likes beside another: which of those to come are by the same one. */
function questionsOf(directors: readonly (readonly { readonly id: string; readonly at: number }[])[]): FilmQuestion[] {
  return directors.flatMap((made, i) => {
    if (isKnown(viewer(i))) return [];
    const history = [...made, ...(directors[(i + 1) % directors.length] ?? [])].sort((a, b) => a.at - b.at);
    const questions = made.map(({ id }) => {
      const before = history.slice(
        0,
        history.findIndex((other) => other.id === id),
      );
      const seen = new Set(before.map((other) => other.id));
      const relevant = made.map((other) => other.id).filter((other) => other !== id && !seen.has(other));
      return { asker: `${viewer(i)} at ${id}`, film: id, before: [...seen], relevant: new Set(relevant) };
    });
    return questions.filter(({ relevant }) => relevant.size > 0);
  });
}

function interestRows(name: string, { quality }: Evaluation): BenchRow[] {
  // Whoever was tried is a contender of the evaluation.
  return besideBaselines(name, K, 'interests', (contender) => quality.get(contender as Contender)?.get(K));
}

function print(title: string, { quality }: Evaluation): void {
  console.log(title);
  for (const [contender, lengths] of quality) {
    for (const [k, { recall, ndcg, coverage }] of lengths) {
      const figures = [recall, ndcg, coverage].map((figure) => figure.toFixed(3));
      console.log(
        `  ${contender.padEnd(10)} recall@${k} ${figures[0]}  NDCG@${k} ${figures[1]}  coverage ${figures[2]}`,
      );
    }
  }
}
