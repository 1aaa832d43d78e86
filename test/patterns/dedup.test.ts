import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { Deduplicator } from '../../src/patterns/index.ts';
import { dedupWorld, listed, Meaning, Offer, textOf } from './support/deduplicators.ts';

test('the first of a text is unique, what differs in form only is an exact copy of it', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  expect(await dedup.submit({ id: 'a', text: 'Toasted Nori, ten sheets' })).toEqual({
    kind: 'unique',
    id: 'a',
    stored: true,
    replayed: false,
  });
  const copy = await dedup.submit({ id: 'b', text: ' toasted  NORI, ten sheets ' });
  expect(copy).toMatchObject({ kind: 'exact', of: 'a', score: 1, canonical: 'a', stored: true, shared: [] });
  expect((await docs.get('b'))?.text).toBe(' toasted  NORI, ten sheets ');
  expect(await listed(dedup.clusters())).toMatchObject([{ canonical: 'a', members: ['a', 'b'] }]);
});

test('a text with a word changed is near, with its true similarity and what it shares', async () => {
  const { dedup } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  const verdict = await dedup.submit({ id: 'b', text: textOf('w', 1) });
  // 58 shingles each; one word at the end is in one of them.
  expect(verdict).toMatchObject({ kind: 'near', of: 'a', canonical: 'a', score: 57 / 59 });
  expect(verdict.kind === 'near' && verdict.shared[0]?.startsWith('w0 w1 w2')).toBe(true);
  const other = await dedup.submit({ id: 'c', text: textOf('x') });
  expect(other).toEqual({ kind: 'unique', id: 'c', stored: true, replayed: false });
});

test('the same again is a replay with the same verdict, and stores nothing twice', async () => {
  const { dedup } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await dedup.submit({ id: 'b', text: textOf('w', 1) });
  await dedup.submit({ id: 'c', text: textOf('w', 1) });
  expect(await dedup.submit({ id: 'a', text: textOf('w') })).toMatchObject({ kind: 'unique', replayed: true });
  expect(await dedup.submit({ id: 'b', text: textOf('w', 1) })).toMatchObject({
    kind: 'near',
    of: 'a',
    score: 57 / 59,
    replayed: true,
  });
  expect(await dedup.submit({ id: 'c', text: textOf('w', 1) })).toMatchObject({
    kind: 'exact',
    of: 'b',
    replayed: true,
  });
  expect((await listed(dedup.clusters())).map(({ members }) => members)).toEqual([['a', 'b', 'c']]);
});

test('a replay names what brought the document into its cluster', async () => {
  const { dedup } = await (await dedupWorld()).start({ near: { jaccard: 0.75, bands: 64, rows: 2 } });
  for (const [id, variant] of [
    ['a', 0],
    ['b', 6],
    ['c', 12],
  ] as const) {
    await dedup.submit({ id, text: textOf('w', variant) });
  }
  const replay = await dedup.submit({ id: 'c', text: textOf('w', 12) });
  expect(replay).toMatchObject({ kind: 'near', of: 'b', canonical: 'a', score: 50 / 66, replayed: true });
});

test('a text of exactly the least length is compared', async () => {
  const world = await dedupWorld();
  const { dedup } = await world.start({ minLength: 8 });
  await dedup.submit({ id: 'a', text: 'ten cups' });
  expect(await dedup.check('ten cups')).toMatchObject({ kind: 'exact' });
  // Programs of one name need not agree on it.
  const stricter = await world.start({ minLength: 9 });
  expect(await stricter.dedup.sweep()).toMatchObject({ documents: 1, dropped: 1 });
  expect(await dedup.cluster('a')).toBeUndefined();
});

test('a bucket remembers the newest texts', async () => {
  const world = await dedupWorld();
  // All of them are in the one bucket that there is, and none is similar enough to another.
  const near = { bands: 1, rows: 1, bucket: 2 };
  const strict = await world.start({ near: { ...near, jaccard: 1 } });
  for (const variant of [3, 2, 1, 0]) await strict.dedup.submit({ id: `${variant}`, text: textOf('a', variant) });
  const { dedup } = await world.start({ near: { ...near, jaccard: 0.5 } });
  expect(await dedup.check(textOf('a', 4))).toMatchObject({ kind: 'near', of: '1' });
  // Each of them once, however often it is swept.
  for (const ids of [['1'], ['1']]) await strict.dedup.sweep({ ids });
  expect(await dedup.check(`${textOf('a')} addendum`)).toMatchObject({ kind: 'near', of: '0' });
});

test('where only some can be compared it is those that share most buckets', async () => {
  const { dedup } = await (await dedupWorld()).start({ near: { jaccard: 0.5, bands: 64, rows: 1 }, candidates: 1 });
  for (const variant of [40, 35, 30, 25]) await dedup.submit({ id: `${variant}`, text: textOf('w', variant) });
  await dedup.submit({ id: 'close', text: textOf('w', 2) });
  expect(await dedup.check(textOf('w'))).toMatchObject({ kind: 'near', of: 'close' });
});

test('texts that are too short are stored and match nothing', async () => {
  const { dedup, docs } = await (await dedupWorld()).start({ minLength: 10 });
  expect(await dedup.submit({ id: 'a', text: 'ok' })).toEqual({
    kind: 'tooShort',
    id: 'a',
    stored: true,
    replayed: false,
  });
  expect(await dedup.submit({ id: 'b', text: ' OK ' })).toMatchObject({ kind: 'tooShort' });
  expect([(await docs.get('b'))?.text, await dedup.check('ok'), await dedup.cluster('a')]).toEqual([
    ' OK ',
    { kind: 'tooShort' },
    undefined,
  ]);
  await dedup.submit({ id: 'c', text: textOf('w') });
  expect(await dedup.submit({ id: 'c', text: 'ok' })).toMatchObject({ kind: 'tooShort' });
  expect(await dedup.check(textOf('w'))).toEqual({ kind: 'unique' });
});

test('what is unique is told the nearest there is', async () => {
  const { dedup } = await (await dedupWorld()).start({ near: { jaccard: 0.9, bands: 64, rows: 1 } });
  await dedup.submit({ id: 'a', text: textOf('w') });
  const verdict = await dedup.submit({ id: 'b', text: textOf('w', 10) });
  expect(verdict).toMatchObject({ kind: 'unique', nearest: { kind: 'near', of: 'a', score: 48 / 68 } });
});

test('an idempotency key stores one document, and is refused for another', async () => {
  const { dedup } = await (await dedupWorld()).start();
  const once = { idempotencyKey: 'k' };
  await dedup.submit({ id: 'a', text: textOf('w') }, once);
  expect(await dedup.submit({ id: 'a', text: textOf('w') }, once)).toMatchObject({ replayed: true, kind: 'unique' });
  for (const input of [
    { id: 'a', text: textOf('x') },
    { id: 'b', text: textOf('w') },
  ]) {
    await expect(dedup.submit(input, once)).rejects.toMatchObject({ code: 'dedup.keyReused', details: { id: 'a' } });
  }
});

test('meaning finds what words do not, by its own threshold', async () => {
  const { store, clock } = await dedupWorld();
  const db = await open(store, { clock });
  const dedup = new Deduplicator(db, Meaning, {
    name: 'm',
    text: ['text'],
    near: { jaccard: 0.99 },
    semantic: { embedding: 'vector', threshold: 0.8 },
    minLength: 5,
    review: 0.3,
  });
  await dedup.submit({ id: 'a', text: 'seaweed snack with sea salt, roasted twice in sesame oil' });
  const verdict = await dedup.submit({ id: 'b', text: 'roasted twice in sesame oil: seaweed snack with sea salt' });
  expect(verdict).toMatchObject({ kind: 'semantic', of: 'a', canonical: 'a' });
  expect(await dedup.check('twice roasted seaweed snack in sesame oil with sea salt')).toMatchObject({
    kind: 'semantic',
  });
  const other = await dedup.submit({ id: 'c', text: 'an umbrella for two, blue' });
  expect(other).toMatchObject({ kind: 'unique', nearest: { kind: 'semantic' } });
  await dedup.remove('a');
  expect(await dedup.cluster('b')).toMatchObject({ canonical: 'b', members: ['b'] });
});

test('the same again leaves what others made of the document', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await docs.mutate('a', (draft) => {
    draft.note = 'answered';
  });
  await dedup.submit({ id: 'a', text: textOf('w') });
  expect((await docs.get('a'))?.note).toBe('answered');
  // What differs in form only is stored all the same.
  await dedup.submit({ id: 'a', text: textOf('w').toUpperCase() });
  expect((await docs.get('a'))?.text).toBe(textOf('w').toUpperCase());
});

test('a document that has expired is not named, and its text is unique again', async () => {
  const { store, clock } = await dedupWorld();
  const db = await open(store, { clock });
  const dedup = new Deduplicator(db, Offer, { name: 'o', text: ['text'], near: {} });
  await dedup.submit({ id: 'a', text: textOf('w'), until: new Date(clock.now() + 1000) });
  expect(await dedup.check(textOf('w'))).toMatchObject({ kind: 'exact', of: 'a' });
  await clock.advance(1001);
  for (const variant of [0, 1]) expect(await dedup.check(textOf('w', variant))).toEqual({ kind: 'unique' });
  const input = { id: 'b', text: textOf('w'), until: new Date(clock.now() + 1000) };
  expect(await dedup.submit(input)).toMatchObject({ kind: 'unique' });
  expect(await dedup.submit({ ...input, id: 'c', text: textOf('w', 1) })).toMatchObject({ kind: 'near', of: 'b' });
});

test('a document whose deadline has passed when it is submitted is told what it would be, and is gone', async () => {
  const { store, clock } = await dedupWorld();
  const db = await open(store, { clock });
  const dedup = new Deduplicator(db, Offer, { name: 'o', text: ['text'], near: {} });
  const late = { text: textOf('w'), until: new Date(clock.now() - 1) };
  expect(await dedup.submit({ id: 'a', ...late })).toMatchObject({ kind: 'unique', stored: true });
  expect(await db.repo(Offer).exists('a')).toBe(false);
  await dedup.submit({ id: 'b', text: textOf('w'), until: new Date(clock.now() + 1000) });
  expect(await dedup.submit({ id: 'c', ...late })).toMatchObject({ kind: 'exact', of: 'b', stored: true });
  expect(await dedup.check(textOf('w'))).toMatchObject({ kind: 'exact', of: 'b' });
});
