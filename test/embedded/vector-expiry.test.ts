import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, NorimakiError, open } from '../../src/index.ts';
import type { EmbeddedStore } from '../../src/stores/embedded/index.ts';
import { fakeEmbedder, manualClock, seededRandom } from '../../src/testing/index.ts';
import { bytes, openStore, temporaryFolder, text } from './support/folder.ts';

const START = 1_000_000;
const Note = noteOf('inline');

function noteOf(mode: 'inline' | 'deferred') {
  return defineEntity('note', z.object({ id: z.string(), text: z.string() }), {
    id: 'id',
    embeddings: { vector: { from: 'text', index: 'exact', mode } },
  });
}

async function world() {
  const { data } = await temporaryFolder();
  // The sweeper's own sleep is in the background: only the test moves the clock past it.
  const clock = manualClock(START, { autoAdvance: true });
  const process = async (seed: number) => {
    const environment = { clock, random: seededRandom(seed) };
    const embedder = fakeEmbedder();
    const store = await openStore(data, { sweep: { every: '10s', batch: 3 } }, environment);
    return { store, embedder, db: await open(store, { ...environment, embedder, outbox: false }) };
  };
  return { clock, process, ...(await process(1)) };
}

/** How many vectors each namespace has. */
async function counts(store: EmbeddedStore): Promise<number[]> {
  return (await store.stats()).namespaces.map(({ vectors }) => vectors);
}

/** Until the sweeper, which works on real files, has done what it was woken for. */
async function swept(records: number, ...stores: EmbeddedStore[]): Promise<void> {
  const sum = async () =>
    (await Promise.all(stores.map((store) => store.stats()))).reduce((n, one) => n + one.swept, 0);
  await expect.poll(sum, { timeout: 10_000, interval: 2 }).toBe(records);
}

test('vectors go in the transaction that sweeps their record, however it came by its deadline', async () => {
  const { clock, store, db } = await world();
  const notes = db.repo(Note);
  const create = (id: string, ttl?: '5s' | '1h') => notes.create({ id, text: `text of ${id}` }, { ttl });
  await Promise.all([create('created', '5s'), create('edited', '5s'), create('renewed', '5s')]);
  await Promise.all([create('shortened', '1h'), create('touched'), create('lasting'), create('another', '5s')]);
  await notes.touch('touched', { ttl: '5s' });
  await notes.touch('shortened', { ttl: '5s' });
  await notes.mutate('edited', (note) => {
    note.text = 'another text';
  });
  await notes.touch('renewed', { ttl: '1h' });
  expect(await counts(store)).toEqual([7]);

  const { commits } = await store.stats();
  await clock.advance(10_000);
  await swept(5, store);
  expect(await counts(store)).toEqual([2]);
  // Of five records and their vectors, two of each at once: then the batch of three is full.
  expect((await store.stats()).commits - commits).toBe(3);
  const { hits, dropped } = await notes.search('a query');
  expect(hits.map(({ entity }) => entity.id).sort()).toEqual(['lasting', 'renewed']);
  expect(dropped).toBe(0);
  expect(await db.doctor()).toMatchObject({ isHealthy: true, checked: { records: 2, vectors: 2 } });
});

test('they go from every namespace in use, and a dropped one is no hindrance', async () => {
  const { clock, store, db } = await world();
  const notes = db.repo(Note);
  await notes.create({ id: 'moved', text: 'to two namespaces' }, { ttl: '5s' });
  await notes.reindex({ embedder: fakeEmbedder({ id: 'other@1' }) });
  for (const id of ['new', 'newer']) await notes.create({ id, text: `${id}, in two namespaces` }, { ttl: '5s' });
  await store.vectors.createIndex('gone', { dimensions: 1, metric: 'cosine', type: 'exact' });
  await store.commit([
    {
      type: 'put',
      key: Uint8Array.of(1),
      value: Uint8Array.of(),
      expiresAt: clock.now() + 1,
      vectors: [{ namespace: 'gone', id: 'a' }],
    },
  ]);
  await store.vectors.dropIndex('gone');
  expect(await counts(store)).toEqual([3, 3]);
  await clock.advance(10_000);
  await swept(4, store);
  expect(await counts(store)).toEqual([0, 0]);
  expect(await store.stats()).toMatchObject({ records: 1, sweepFailures: 0 });
});

test('a vector that is made after its record goes with it too, or is not made', async () => {
  const { clock, store, db, embedder } = await world();
  const notes = db.repo(noteOf('deferred'));
  await notes.create({ id: 'made', text: 'in time' }, { ttl: '5s' });
  await notes.outbox.drain();
  embedder.fail(new NorimakiError('embedder.unavailable', 'Down.', { embedder: embedder.id }));
  await notes.create({ id: 'late', text: 'too late' }, { ttl: '5s' });
  expect(await counts(store)).toEqual([1]);
  await clock.advance(10_000);
  await swept(2, store);
  embedder.fail(undefined);
  await notes.outbox.drain();
  expect(await counts(store)).toEqual([0]);
});

test('an id that is used again before the sweep has the new vector alone, and keeps it', async () => {
  const { clock, store, db } = await world();
  const notes = db.repo(Note);
  for (const id of ['again', 'for good']) await notes.create({ id, text: 'first' }, { ttl: '5s' });
  await clock.advance(6_000);
  expect(await db.doctor()).toMatchObject({ isHealthy: false, found: { 'vector.orphan': 2 } });
  await notes.create({ id: 'again', text: 'second' }, { ttl: '1h' });
  expect((await store.stats()).swept).toBe(0);
  expect(await counts(store)).toEqual([2]);
  await clock.advance(4_000);
  await swept(1, store);
  expect(await counts(store)).toEqual([1]);
  expect(await notes.search('a query')).toMatchObject({ hits: [{ entity: { text: 'second' } }], dropped: 0 });
});

test('a record that is written anew while the sweep is on its way has just its new vector', async () => {
  const { clock, store } = await world();
  await store.vectors.createIndex('sessions', { dimensions: 2, metric: 'euclidean', type: 'exact' });
  const write = (id: string, expiresAt: number) => {
    const name = { namespace: 'sessions', id };
    return store.commit(
      [{ type: 'put', key: bytes('session'), value: bytes(id), expiresAt, vectors: [name] }],
      // As repositories do it: a commit that finds the record alive would delete the vector before, by its name.
      { vectors: [{ type: 'insert', ...name, vector: Float32Array.of(1, 2) }] },
    );
  };
  for (let round = 0; round < 10; round++) {
    await expect.poll(() => clock.sleeping, { interval: 2 }).toBe(1);
    await write(`old ${round}`, clock.now() + 10_000);
    // Both wait for the same transaction, the new record behind the sweep or before it.
    const early = round % 2 === 0 ? undefined : write(`new ${round}`, 9e15);
    const advance = clock.advance(10_000);
    await Promise.all([early, advance, write(`new ${round}`, 9e15)]);
    expect(text((await store.get(bytes('session')))?.value)).toBe(`new ${round}`);
    const ids = await store.vectors.list('sessions');
    expect(ids).toContain(`new ${round}`);
    if (round % 2 === 0) expect(ids).not.toContain(`old ${round}`);
    await store.delete(bytes('session'));
    for (const id of ids) await store.vectors.delete('sessions', id);
  }
  expect(await store.stats()).toMatchObject({ records: 0, expiring: 0, sweepFailures: 0 });
});

test('two stores on the folder sweep each vector once', async () => {
  const { clock, store, db, process } = await world();
  const { store: other } = await process(2);
  const ids = Array.from({ length: 20 }, (_, i) => ({ id: `n${i}`, text: `text ${i}` }));
  await db.repo(Note).createMany(ids, { ttl: '5s' });
  expect(await counts(store)).toEqual([20]);
  await clock.advance(10_000);
  await swept(20, store, other);
  expect(await counts(other)).toEqual([0]);
  expect(await store.stats()).toMatchObject({ sweepFailures: 0 });
  expect(await other.stats()).toMatchObject({ sweepFailures: 0 });
});
