import { expect, test } from 'vitest';
import { nextTurn } from '../../src/core/turn.ts';
import { NorimakiError, open, type ReindexOptions, type ReindexProgress } from '../../src/index.ts';
import { type FakeEmbedder, fakeEmbedder, limitCapabilities, seededRandom } from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { VectorsWrapper } from '../../src/testing/vectors-wrapper.ts';
import { codeOf, moving, namespacesOf, vectorsIn } from './support/moving.ts';
import { disagreements } from './support/oracle.ts';
import { Doc, setText } from './support/world.ts';

test('one call moves everything, tells how far it is, and keeps the old vectors', async () => {
  const { docs, before, after, store, ids, queries } = await moving(300);
  const told: ReindexProgress[] = [];
  const result = await docs.reindex({ embedder: after, onProgress: (progress) => told.push(progress) });
  expect(result).toEqual({
    field: 'vector',
    embedder: 'after@1',
    previous: 'before@1',
    records: 300,
    embedded: 299,
    failures: [],
    failed: 0,
    recall: 1,
  });
  expect(await disagreements(docs, after, ids, { queries })).toEqual([]);
  expect(after.calls.flat().filter((text) => !queries.includes(text))).toHaveLength(299);
  expect(told.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1])).toEqual([
    'fill',
    'recall',
    'settle',
  ]);
  expect(told.find(({ phase }) => phase === 'fill')).toEqual({
    phase: 'fill',
    done: 1,
    total: 300,
    embedded: 0,
    skipped: 1,
    failed: 0,
  });
  expect(told.at(-1)).toMatchObject({ phase: 'settle', done: 300, total: 300, embedded: 299, skipped: 300 });
  const { active, previous } = await namespacesOf(store);
  expect(await vectorsIn(store, active)).toHaveLength(299);
  expect(await vectorsIn(store, previous)).toHaveLength(299);
  // The texts of the searches were the only ones that the former embedder was asked again.
  expect(before.calls.flat()).toHaveLength(299);
});

test('texts travel in batches, and no more at once than asked for', async () => {
  const { docs, after } = await moving(100);
  await docs.reindex({ embedder: after, concurrency: 25 });
  expect(after.calls.map((texts) => texts.length)).toEqual([24, 25, 25, 25]);
});

test('with nothing to move nothing is embedded', async () => {
  const { docs, before } = await moving(20);
  const calls = before.calls.length;
  expect(await docs.reindex()).toMatchObject({ embedder: 'before@1', previous: undefined, embedded: 0, records: 20 });
  expect(before.calls).toHaveLength(calls);
});

test('the default is what the code asks for: its embedder, metric and index', async () => {
  const { store, clock, before, ids, queries } = await moving(40);
  const after = fakeEmbedder({ id: 'after@1' });
  // A new version of the program.
  const db = await open(store, { clock, random: seededRandom(9), embedder: after, embedders: [before] });
  const docs = db.repo(Doc);
  expect(await disagreements(docs, before, ids, { queries })).toEqual([]);
  await docs.reindex();
  expect(await disagreements(docs, after, ids, { queries })).toEqual([]);
  await docs.reindex({ metric: 'euclidean' }).catch((error) => expect(codeOf(error)).toBe('reindex.conflict'));
  await docs.finishReindex();
  const moved = await docs.reindex({ metric: 'euclidean', index: 'hnsw' });
  expect(moved).toMatchObject({ embedder: 'after@1', previous: 'after@1', embedded: 39 });
  const [hit] = (await docs.search('text 7', { limit: 1 })).hits;
  expect([hit?.entity.id, hit?.score]).toEqual(['d007', 1]);
});

test('saves and searches that race it never fail, and never mix two models', async () => {
  const { docs, before, after, ids, queries } = await moving(200);
  const done = docs.reindex({ embedder: after, concurrency: 8 }).then(() => true);
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  const seen = new Set<string>();
  let edits = 0;
  for (let round = 0; !isDone; round++) {
    await nextTurn();
    const id = ids[(round * 37) % ids.length] as string;
    const saves = [
      docs.mutate(id, setText(`edit ${round}`)),
      docs.put({ id: `new${round % 50}`, text: `new ${round}` }),
      round % 5 === 0 ? docs.delete(ids[(round * 11) % 20] as string) : undefined,
    ];
    await Promise.all(saves.map((save) => save?.catch((error) => expect(codeOf(error)).toBe('not.found'))));
    edits += 2;
    const { hits } = await docs.search('text 3', { limit: 50 });
    expect(hits.length).toBeGreaterThan(40);
    const [first] = hits;
    const scores = hits.map(({ entity, score }) => [score, entity.text] as const);
    const model = [before, after].find((one) => isScoredBy(one, 'text 3', scores[0]));
    seen.add(String(model?.id));
    for (const pair of scores) expect(model && isScoredBy(model, 'text 3', pair), String(first?.entity.id)).toBe(true);
  }
  await done;
  expect(edits).toBeGreaterThan(20);
  expect(seen.has('before@1')).toBe(true);
  const all = [...ids, ...Array.from({ length: 50 }, (_, i) => `new${i}`)];
  expect(await disagreements(docs, after, all, { queries })).toEqual([]);
});

function isScoredBy(
  embedder: FakeEmbedder,
  query: string,
  pair: readonly [number, string | null] | undefined,
): boolean {
  if (pair === undefined) return false;
  const [score, text] = pair;
  const [a, b] = [embedder.vectorOf(query), embedder.vectorOf(String(text))];
  return Math.abs(score - a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)) < 1e-5;
}

test('a program that never heard of the new embedder is waited for, and told when it is too late', async () => {
  const { store, clock, before, after, docs, ids, queries } = await moving(60);
  const old = (await open(store, { clock, random: seededRandom(5), embedder: before })).repo(Doc);
  // It keeps a catalog from before.
  await old.search('text 1');
  let writes = 0;
  await docs.reindex({
    embedder: after,
    onProgress: ({ phase, done }) => {
      if (phase === 'fill' && done % 20 === 0 && writes < 5) {
        writes++;
        pending.push(old.mutate(ids[writes] as string, setText(`by the old ${writes}`)));
      }
    },
  });
  await Promise.all(pending.splice(0));
  await docs.reindex({ embedder: after });
  expect(writes).toBe(5);
  expect(await disagreements(docs, after, ids, { queries })).toEqual([]);
  // Now its saves cannot be found, so they are refused; its reads and searches by vector go on.
  const save = old.mutate('d009', setText('too late'));
  expect(codeOf(await save.catch((error: unknown) => error))).toBe('embedding.mismatch');
  expect((await old.mutate('d009', (doc) => ({ ...doc, stars: 3 }))).stars).toBe(3);
});

const pending: Promise<unknown>[] = [];

test('a text that only the new embedder refuses stops the switch, and a save does not fail because of it', async () => {
  const { docs, before, after, ids, queries } = await moving(30);
  after.poison.add('text 4');
  after.poison.add('edited');
  const error = await docs.reindex({ embedder: after }).catch((error: unknown) => error);
  expect(error).toMatchObject({
    code: 'reindex.incomplete',
    details: { entity: 'doc', embedding: 'vector', failed: 1 },
  });
  await docs.mutate('d005', setText('edited'));
  expect(await disagreements(docs, before, ids, { queries })).toEqual([]);
  const moved = await docs.reindex({ embedder: after, maxFailed: 2 });
  expect(moved.failures).toEqual([
    { id: ['d004'], code: 'embedder.rejected' },
    { id: ['d005'], code: 'embedder.rejected' },
  ]);
  expect(moved).toMatchObject({ failed: 2, embedder: 'after@1' });
});

test('an outage of the embedder stops it; the next call goes on and pays for nothing twice', async () => {
  const { docs, after, queries } = await moving(2000);
  const down = new NorimakiError('embedder.unavailable', 'Down.', { embedder: after.id });
  const options: ReindexOptions<'vector'> = {
    embedder: after,
    concurrency: 100,
    onProgress: ({ done }) => {
      if (done === 1300) after.fail(down);
    },
  };
  expect(codeOf(await docs.reindex(options).catch((error: unknown) => error))).toBe('embedder.unavailable');
  const { hits } = await docs.search('text 12', { limit: 1 });
  expect(hits[0]?.score).toBeCloseTo(1);
  after.fail(undefined);
  const told: ReindexProgress[] = [];
  await docs.reindex({ embedder: after, concurrency: 100, onProgress: (progress) => told.push(progress) });
  // It went on behind the cursor that was saved last.
  expect(told[0]?.done).toBeGreaterThan(1000);
  const sent = after.calls.flat().filter((text) => !queries.includes(text));
  expect(sent.length).toBeLessThanOrEqual(1999 + 100);
});

test('a call that is aborted stops, and goes on when it is made again', async () => {
  const { docs, after, ids, queries } = await moving(100);
  const controller = new AbortController();
  const onProgress = ({ done }: ReindexProgress): void => {
    if (done === 40) controller.abort();
  };
  const { signal } = controller;
  const stopped = await docs
    .reindex({ embedder: after, concurrency: 10, signal, onProgress })
    .catch((error: unknown) => error);
  expect(codeOf(stopped)).toBe('aborted');
  expect(after.calls.length).toBeLessThan(8);
  await docs.reindex({ embedder: after });
  expect(await disagreements(docs, after, ids, { queries })).toEqual([]);
  expect(new Set(after.calls.flat()).size).toBe(after.calls.flat().length);
});

test('another target is refused until the first is given up', async () => {
  const { docs, after, before, store, ids, queries } = await moving(20);
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  await docs.reindex({ embedder: after, signal: controller.signal, onProgress }).catch(() => {});
  const third = fakeEmbedder({ id: 'third@1', dimensions: 8 });
  const refused = await docs.reindex({ embedder: third }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'reindex.conflict', message: expect.stringContaining('rollbackReindex()') });
  expect(codeOf(await docs.finishReindex().catch((error: unknown) => error))).toBe('reindex.conflict');
  const { building } = await namespacesOf(store);
  expect(await docs.rollbackReindex()).toBe(true);
  await expect(store.vectors.list(String(building))).rejects.toMatchObject({ code: 'index.missing' });
  expect(await disagreements(docs, before, ids, { queries })).toEqual([]);
  expect(await docs.reindex({ embedder: third })).toMatchObject({ embedder: 'third@1' });
});

test('a broken index is not switched to', async () => {
  const { store, clock, before } = await moving(80);
  const broken = new BrokenSearch(store);
  const db = await open(broken, { clock, random: seededRandom(8), embedder: before });
  // The wrapper has what the store has, which its type does not say.
  const docs = db.repo(Doc) as unknown as Awaited<ReturnType<typeof moving>>['docs'];
  const after = fakeEmbedder({ id: 'after@1' });
  const error = await docs.reindex({ embedder: after }).catch((error: unknown) => error);
  expect(error).toMatchObject({
    code: 'reindex.recall',
    details: { entity: 'doc', embedding: 'vector', atLeast: 0.9 },
  });
  expect((error as NorimakiError<'reindex.recall'>).details.recall).toBeLessThan(0.5);
  expect((await namespacesOf(store)).building).toBeDefined();
  expect(codeOf(await docs.reindex({ embedder: after }).catch((error: unknown) => error))).toBe('reindex.recall');
  expect(await docs.reindex({ embedder: after, recall: { atLeast: 0 } })).toMatchObject({ embedder: 'after@1' });
});

/** Answers a search with vectors that are there, and far from the nearest. */
class BrokenSearch extends StoreWrapper {
  override readonly vectors = new (class extends VectorsWrapper {
    override async search(...[namespace, , k]: Parameters<VectorsWrapper['search']>) {
      const ids = await this.list(namespace, { limit: k });
      return ids.map((id, i) => ({ id, distance: i / 100 }));
    }
  })(() => (this.inner as Awaited<ReturnType<typeof moving>>['store']).vectors);
}

test('finish drops the old vectors; programs that still know them go on', async () => {
  const { store, clock, docs, before, after, ids, queries } = await moving(50);
  const other = (await open(store, { clock, random: seededRandom(6), embedder: after, embedders: [before] })).repo(Doc);
  await other.search('text 1');
  const { active: old } = await namespacesOf(store);
  await docs.reindex({ embedder: after });
  // It still searches the old vectors, which writers keep in step.
  await docs.mutate('d002', setText('changed'));
  expect(await disagreements(other, before, ids, { queries })).toEqual([]);
  expect(await docs.finishReindex()).toBe(true);
  await expect(store.vectors.list(old)).rejects.toMatchObject({ code: 'index.missing' });
  expect(await disagreements(other, after, ids, { queries })).toEqual([]);
  await other.mutate('d003', setText('changed too'));
  expect(await disagreements(docs, after, ids, { queries })).toEqual([]);
  expect(await docs.finishReindex()).toBe(false);
  expect(await docs.rollbackReindex()).toBe(false);
  // Records still name vectors that are gone; going back makes them anew.
  await docs.reindex({ embedder: before });
  expect(await disagreements(docs, before, ids, { queries })).toEqual([]);
});

test('rollback searches the old vectors again, brought up to date', async () => {
  const { store, clock, docs, before, after, ids, queries } = await moving(50);
  await docs.reindex({ embedder: after });
  const { active: newer } = await namespacesOf(store);
  // A program without the old embedder leaves gaps in the old vectors.
  const without = (await open(store, { clock, random: seededRandom(6), embedder: after })).repo(Doc);
  await without.mutate('d002', setText('changed'));
  const refused = await without.rollbackReindex().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'embedding.mismatch', message: expect.stringContaining('before@1') });
  const told: ReindexProgress[] = [];
  expect(await docs.rollbackReindex({ onProgress: (progress) => told.push(progress) })).toBe(true);
  // The gap was filled before anybody could see it.
  expect(told.findLast(({ phase }) => phase === 'fill')?.embedded).toBe(1);
  expect(told.at(-1)).toMatchObject({ phase: 'settle', done: 50, embedded: 0, skipped: 50 });
  await expect(store.vectors.list(newer)).rejects.toMatchObject({ code: 'index.missing' });
  expect(await disagreements(docs, before, ids, { queries })).toEqual([]);
});

test('bad input and poor stores are refused before anything is written', async () => {
  const { docs, store, clock, before } = await moving(2);
  const bad: ReindexOptions<string>[] = [
    { concurrency: 0 },
    { concurrency: 1001 },
    { maxFailed: -1 },
    { recall: { sample: 0 } },
    { recall: { atLeast: 1.1 } },
    { field: 'nope' },
  ];
  for (const options of bad) {
    const refused = await docs.reindex(options as ReindexOptions<'vector'>).catch((error: unknown) => error);
    expect(codeOf(refused), JSON.stringify(options)).toBe('argument.invalid');
  }
  const poor = await open(limitCapabilities(store, ['scan']), { clock, random: seededRandom(3), embedder: before });
  const error = await (poor.repo(Doc) as unknown as typeof docs).reindex().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'capability.missing', details: { neededBy: 'reindex' } });
});
