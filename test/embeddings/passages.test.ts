import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, open } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type Ability, fakeEmbedder, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { openMemory, START } from '../support/open.ts';
import { CHUNK, Late, Long, passagesOf, Tagged, words } from './support/long-docs.ts';
import { disagreements } from './support/oracle.ts';
import { type Docs, setText } from './support/world.ts';

const kinds = {
  'a store that commits': [],
  'a store that does not': ['commit', 'scan'],
} satisfies Record<string, Ability[]>;

/** The ids of all vectors in the store. */
async function vectorsIn(store: Awaited<ReturnType<typeof openMemory>>['store'], namespaces: readonly string[]) {
  const found = await Promise.all(namespaces.map((name) => store.vectors.list(name, { limit: 1000 })));
  return found.flat();
}

describe.each(Object.entries(kinds))('on %s', (_, limits) => {
  async function world() {
    const clock = manualClock(START, { autoAdvance: true });
    const environment = { clock, random: seededRandom(1) };
    const inner = await memory().openStore(environment);
    const embedder = fakeEmbedder();
    const namespaces = new Set<string>();
    const create = inner.vectors.createIndex.bind(inner.vectors);
    inner.vectors.createIndex = (name, ...rest) => {
      namespaces.add(name);
      return create(name, ...rest);
    };
    const db = await open(limitCapabilities(inner, limits), { ...environment, embedder });
    // Every kind leaves the vectors, which the types of a plain store do not show.
    const docs = db.repo(Long) as unknown as Docs;
    const left = () => vectorsIn(inner, [...namespaces]);
    return { clock, db, docs, embedder, inner, left };
  }

  test('a text is found by the best of its passages, and shows it', async () => {
    const { docs, embedder } = await world();
    const text = words('seaweed', 'green tea', 'rice', 'miso');
    await docs.create({ id: 'a', text });
    await docs.create({ id: 'b', text: words('soy', 'wasabi') });
    expect(passagesOf(text)).toHaveLength(4);
    const [first, ...others] = (await docs.search(words('rice'))).hits;
    expect(first).toMatchObject({ entity: { id: 'a' }, score: expect.closeTo(1, 5), field: 'vector' });
    expect(first?.passage).toEqual({ text: words('rice'), index: 2, start: 30, end: 44 });
    expect(others.map(({ entity }) => entity.id)).toEqual(['b']);
    expect(await disagreements(docs, embedder, ['a', 'b'], { chunk: CHUNK })).toEqual([]);
  });

  test('only passages that are new are embedded, in a process that remembers nothing', async () => {
    const { docs, embedder, inner, clock, left } = await world();
    await docs.create({ id: 'a', text: words('one', 'two', 'three', 'four') });
    expect(embedder.calls.flat()).toHaveLength(4);
    const fresh = fakeEmbedder();
    const options = { clock, random: seededRandom(9), embedder: fresh };
    const other = (await open(limitCapabilities(inner, limits), options)).repo(Long) as unknown as Docs;
    await other.mutate('a', setText(words('one', 'two', 'neu', 'four')));
    expect(fresh.calls.flat()).toEqual([words('neu')]);
    await other.mutate('a', (doc) => {
      doc.stars = 3;
    });
    await other.touch('a', { ttl: '1h' });
    await other.mutate('a', setText(words('one', 'neu')));
    expect(fresh.calls.flat()).toEqual([words('neu')]);
    expect(await left()).toHaveLength(2);
    expect(await disagreements(other, fresh, ['a'], { chunk: CHUNK })).toEqual([]);
  });

  test('what is deleted, emptied or has expired leaves nothing', async () => {
    const { docs, embedder, clock, left } = await world();
    for (const id of ['a', 'b', 'c']) await docs.create({ id, text: words(id, 'x', 'y') });
    expect(await left()).toHaveLength(9);
    await docs.delete('a');
    await docs.mutate('b', setText(null));
    expect(await left()).toHaveLength(3);
    await docs.touch('c', { ttl: '1s' });
    await clock.advance(120_000);
    expect((await docs.search('x')).hits).toEqual([]);
    await docs.search('x');
    expect(await left()).toEqual([]);
    expect(await disagreements(docs, embedder, ['a', 'b', 'c'], { chunk: CHUNK })).toEqual([]);
  });

  test('a text of too many passages is refused, and nothing is changed', async () => {
    const Small = defineEntity('small', z.object({ id: z.string(), text: z.string(), n: z.number() }), {
      id: 'id',
      embeddings: { vector: { from: 'text', chunk: { ...CHUNK, limit: 2 } } },
    });
    const { db, embedder } = await world();
    // As above.
    const small = db.repo(Small) as unknown as Docs & { create(entity: object): Promise<object> };
    await small.create({ id: 'a', text: words('a', 'b'), n: 0 });
    const sent = embedder.calls.flat().length;
    await expect(small.mutate('a', setText(words('a', 'b', 'c')))).rejects.toMatchObject({
      code: 'embedding.tooLong',
      details: { entity: 'small', embedding: 'vector', passages: 3, limit: 2 },
    });
    expect(await small.get('a')).toMatchObject({ text: words('a', 'b') });
    expect(embedder.calls.flat()).toHaveLength(sent);
    // Another operation of the same write goes through.
    const results = await Promise.allSettled([
      small.mutate('a', setText(words('c'))),
      small.mutate('a', setText(words('a', 'b', 'c'))),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await small.get('a')).toMatchObject({ text: words('c') });
  });

  test('no vector can be given in place of those of passages', async () => {
    const { docs } = await world();
    const given = docs.create({ id: 'a', text: 'x', vector: new Float32Array(16) });
    await expect(given).rejects.toMatchObject({ code: 'validation.failed' });
  });

  test('the vector of an entity is the mean of its passages, and finds what is like it', async () => {
    const { docs, embedder } = await world();
    await docs.create({ id: 'a', text: words('one', 'two') });
    await docs.create({ id: 'b', text: words('one', 'three') });
    await docs.create({ id: 'c', text: words('four', 'five') });
    await docs.create({ id: 'none', text: null });
    const sum = embedder.vectorOf(words('one')).map((x, i) => x + (embedder.vectorOf(words('two'))[i] ?? 0));
    const norm = Math.hypot(...sum);
    const mean = await docs.vectorOf('a');
    for (const [i, x] of sum.entries()) expect(mean?.[i]).toBeCloseTo(x / norm, 5);
    const { hits } = await docs.similarTo('a');
    expect(hits.map(({ entity }) => entity.id)).toEqual(['b', 'c']);
    expect(hits[0]?.passage?.text).toBe(words('one'));
    expect(await docs.vectorOf('none')).toBeUndefined();
  });

  test('a plan tells of each passage whether it would be embedded', async () => {
    const { docs } = await world();
    await docs.create({ id: 'a', text: words('one', 'two') });
    const { vectors } = await docs.plan().mutate('a', setText(words('one', 'two', 'three')));
    expect(vectors.map(({ type, embeds }) => `${type} ${embeds}`)).toEqual([
      'insert no',
      'insert no',
      'insert now',
      'delete no',
      'delete no',
    ]);
  });
});

test('entities with hundreds of near passages hide no others', async () => {
  const embedder = fakeEmbedder({ dimensions: 4 });
  const { db } = await openMemory({ embedder });
  const Many = defineEntity('many', z.object({ id: z.string(), text: z.string() }), {
    id: 'id',
    embeddings: { vector: { from: 'text', index: 'exact', chunk: { size: 16, limit: 400 } } },
  });
  const repo = db.repo(Many);
  // The same passage is at the same place: all of these come before any other.
  const near = words(...Array.from({ length: 300 }, () => 'near'));
  for (const id of ['n1', 'n2', 'n3', 'n4']) await repo.create({ id, text: near });
  for (let i = 0; i < 20; i++) await repo.create({ id: `other${i}`, text: words(`other ${i}`) });
  const { hits, exhausted } = await repo.search(words('near'), { limit: 10 });
  expect(hits).toHaveLength(10);
  expect(exhausted).toBe(true);
  expect(hits.slice(0, 4).every(({ score }) => score > 0.9999)).toBe(true);
  expect(new Set(hits.map(({ entity }) => entity.id)).size).toBe(10);
  let asked = 0;
  const filter = ({ id }: { id: string }): boolean => {
    if (id === 'n2') asked++;
    return id !== 'n1';
  };
  const all = await repo.search(words('near'), { limit: 100, filter });
  // Once for each look at the record, not for each passage.
  expect(asked).toBeLessThan(20);
  expect({ found: all.hits.length, exhausted: all.exhausted }).toEqual({ found: 23, exhausted: true });
});

test('few that meet conditions on an index are found by the best of their passages, too', async () => {
  const embedder = fakeEmbedder();
  const { db } = await openMemory({ embedder });
  const repo = db.repo(Tagged);
  for (const tag of ['x', 'y']) {
    await repo.create({ id: `a ${tag}`, tag, text: words('one', 'two', 'three') });
    await repo.create({ id: `b ${tag}`, tag, text: words('four', 'five', 'six') });
  }
  const { hits, exhausted } = await repo.search(words('five'), { where: { tag: 'x' }, minScore: -1 });
  expect(hits.map(({ entity }) => entity.id)).toEqual(['b x', 'a x']);
  expect(hits[0]).toMatchObject({ score: expect.closeTo(1, 5), passage: { text: words('five'), index: 1 } });
  expect(exhausted).toBe(true);
});

test('deferred: unchanged passages are there at once, the rest soon after, and nobody pays twice', async () => {
  const embedder = fakeEmbedder();
  const { db } = await openMemory({ embedder });
  const docs = db.repo(Late);
  await docs.create({ id: 'a', text: words('one', 'two', 'three') });
  expect((await docs.search(words('one'))).pending).toBe(1);
  await docs.outbox.drain();
  await docs.mutate('a', setText(words('one', 'two', 'new')));
  const { hits } = await docs.search(words('two'));
  expect(hits[0]).toMatchObject({ score: expect.closeTo(1, 5), passage: { text: words('two') } });
  await docs.outbox.drain();
  expect((await docs.search(words('new'))).hits[0]?.passage?.text).toBe(words('new'));
  // What a passage leaves out needs no worker.
  await docs.mutate('a', setText(words('one', 'new')));
  expect(await docs.outbox.counts()).toMatchObject({ waiting: 0 });
  for (const name of ['one', 'two', 'three', 'new']) expect(embedder.timesSent(words(name))).toBe(1);
  expect(await disagreements(docs, embedder, ['a'], { chunk: CHUNK })).toEqual([]);
  await db.close();
});

test('doctor finds and mends passages that are missing, and those that no record names', async () => {
  const embedder = fakeEmbedder();
  const { db, store } = await openMemory({ embedder });
  const docs = db.repo(Long);
  await docs.create({ id: 'a', text: words('one', 'two', 'three') });
  let namespace = '';
  const { getMany } = store.vectors;
  store.vectors.getMany = (name, ...rest) => {
    namespace = name;
    return getMany.call(store.vectors, name, ...rest);
  };
  await docs.vectorOf('a');
  const ids = await store.vectors.list(namespace);
  expect(ids).toHaveLength(3);
  expect((await db.doctor()).isHealthy).toBe(true);
  await store.vectors.delete(namespace, String(ids[1]));
  const beyond = String(ids[0]).replace('.000', '.003');
  await store.vectors.insert(namespace, beyond, embedder.vectorOf('x'));
  await store.vectors.insert(namespace, String(ids[0]).replace('.000', ''), embedder.vectorOf('x'));
  const found = await db.doctor();
  expect(found.findings.map(({ kind }) => kind).sort()).toEqual(['vector.missing', 'vector.orphan', 'vector.orphan']);
  expect((await db.doctor({ fix: true })).isHealthy).toBe(true);
  expect(await store.vectors.list(namespace)).toEqual(ids);
  expect(await disagreements(docs, embedder, ['a'], { chunk: CHUNK })).toEqual([]);
});

test('what another version of Unicode cut elsewhere is found without its passage, and made anew when it is missing', async () => {
  const embedder = fakeEmbedder();
  const { db, store, clock } = await openMemory({ embedder });
  const docs = db.repo(Long);
  await docs.create({ id: 'a', text: words('one', 'two') });
  const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
  const record = entries.find(({ value }) => Buffer.from(value).includes('"vectors":"w')) ?? expect.fail('it is there');
  const other = Buffer.from(record.value)
    .toString()
    .replace(/(-{10}002)[\w-]{3}/, '$1zzz');
  await store.put(record.key, Buffer.from(other));
  const fresh = (await open(store, { clock, random: seededRandom(3), embedder })).repo(Long);
  const [hit] = (await fresh.search(words('two'))).hits;
  expect(hit?.score).toBeCloseTo(1, 5);
  expect(hit?.passage).toBeUndefined();
  // Nor are its vectors taken over: nobody knows of what they are.
  const { vectors } = await fresh.plan().mutate('a', setText(words('one', 'three')));
  expect(vectors.filter(({ type }) => type === 'insert').map(({ embeds }) => embeds)).toEqual(['now', 'now']);
  const namespaces = new Set<string>();
  const { search } = store.vectors;
  store.vectors.search = (name, ...rest) => {
    namespaces.add(name);
    return search.call(store.vectors, name, ...rest);
  };
  await fresh.search('x');
  const [namespace = ''] = namespaces;
  for (const id of (await store.vectors.list(namespace)).slice(1)) await store.vectors.delete(namespace, id);
  expect((await db.doctor({ fix: true })).isHealthy).toBe(true);
  expect(await disagreements(docs, embedder, ['a'], { chunk: CHUNK })).toEqual([]);
});

test('a reindex cuts texts, and tells which are too long; saves go on meanwhile', async () => {
  const embedder = fakeEmbedder();
  const { db, store, clock } = await openMemory({ embedder });
  const fields = z.object({ id: z.string(), text: z.string() });
  const embeddings = { vector: { from: 'text', index: 'exact' } } as const;
  const Whole = defineEntity('page', fields, { id: 'id', embeddings });
  const Cut = defineEntity('page', fields, {
    id: 'id',
    embeddings: { vector: { ...embeddings.vector, chunk: { ...CHUNK, limit: 3 } } },
  });
  const whole = db.repo(Whole);
  for (const id of ['a', 'b']) await whole.create({ id, text: words(id, 'x', 'y') });
  await whole.create({ id: 'long', text: words('1', '2', '3', '4') });
  const next = await open(store, { clock, random: seededRandom(5), embedder });
  const pages = next.repo(Cut);
  // Until then they are searched as before.
  expect((await pages.search(words('a', 'x', 'y'))).hits[0]).not.toHaveProperty('passage');
  await expect(pages.reindex()).rejects.toMatchObject({ code: 'reindex.incomplete' });
  await pages.create({ id: 'c', text: words('c', 'z') });
  await pages.put({ id: 'long', text: words('1', '2', '3', '4', '5') });
  await pages.put({ id: 'long', text: words('1', '2') });
  await pages.reindex();
  const { hits } = await pages.search(words('z'));
  expect(hits[0]).toMatchObject({ entity: { id: 'c' }, passage: { index: 1 }, score: expect.closeTo(1, 5) });
  expect(hits).toHaveLength(4);
  // The program of before goes on, and cuts as the catalog says.
  await whole.put({ id: 'a', text: words('a', 'changed') });
  expect((await pages.search(words('changed'))).hits[0]).toMatchObject({ entity: { id: 'a' }, passage: { index: 1 } });
  await pages.finishReindex();
  expect((await next.doctor()).isHealthy).toBe(true);
  // Other lengths are other vectors.
  for (const chunk of [
    { size: 32, overlap: 4 },
    { size: 32, overlap: 16 },
  ]) {
    const Recut = defineEntity('page', fields, { id: 'id', embeddings: { vector: { ...embeddings.vector, chunk } } });
    const recut = (await open(store, { clock, random: seededRandom(6), embedder })).repo(Recut);
    await recut.reindex();
    const [first] = (await recut.search(words('b', 'x'))).hits;
    expect(first).toMatchObject({ entity: { id: 'b' }, score: expect.closeTo(1, 5), passage: { start: 0, end: 29 } });
    const [second] = (await recut.search(chunk.overlap === 4 ? words('y') : words('x', 'y'))).hits;
    expect(second?.score).toBeCloseTo(1, 5);
    await recut.finishReindex();
  }
});
