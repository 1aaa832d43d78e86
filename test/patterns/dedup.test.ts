import { expect, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { Deduplicator } from '../../src/patterns/index.ts';
import { Doc, dedupWorld, listed, Meaning, textOf } from './support/deduplicators.ts';

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

test('what is similar in a chain is one cluster, in whichever order it comes', async () => {
  const texts = { a: textOf('w'), b: textOf('w', 6), c: textOf('w', 12) };
  for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
    const { dedup } = await (await dedupWorld()).start({ near: { jaccard: 0.75, bands: 64, rows: 2 } });
    for (const id of order) await dedup.submit({ id, text: texts[id as keyof typeof texts] });
    const [cluster, ...others] = await listed(dedup.clusters());
    expect([order, [...(cluster?.members ?? [])].sort(), others]).toEqual([order, ['a', 'b', 'c'], []]);
  }
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

test('an edit leaves what the document was a duplicate of, and hands on what it stood for', async () => {
  const { dedup } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await dedup.submit({ id: 'b', text: textOf('w') });
  await dedup.submit({ id: 'c', text: textOf('w', 1) });
  expect(await dedup.submit({ id: 'a', text: textOf('x') })).toMatchObject({ kind: 'unique', replayed: false });
  expect(await dedup.cluster('b')).toMatchObject({ canonical: 'b', members: ['b', 'c'] });
  expect(await dedup.cluster('a')).toMatchObject({ canonical: 'a', members: ['a'] });
  expect(await dedup.check(textOf('w'))).toMatchObject({ kind: 'exact', of: 'b' });
  expect(await dedup.check(textOf('x', 1))).toMatchObject({ kind: 'near', of: 'a' });
});

test('a removed document is never named again; a copy, or the oldest of the cluster, stands for the others', async () => {
  const { clock, start } = await dedupWorld();
  const { dedup, docs } = await start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await clock.advance(1);
  await dedup.submit({ id: 'b', text: textOf('w', 1) });
  await clock.advance(1);
  await dedup.submit({ id: 'c', text: textOf('w', 2) });
  expect([await dedup.remove('a'), await dedup.remove('a'), await docs.get('a')]).toEqual([true, false, undefined]);
  expect(await dedup.cluster('c')).toMatchObject({ canonical: 'b', members: ['b', 'c'] });
  expect(await dedup.check(textOf('w'))).toMatchObject({ kind: 'near', canonical: 'b' });
  expect(await dedup.submit({ id: 'd', text: textOf('w') })).toMatchObject({ kind: 'unique' });
  expect((await dedup.cluster('b'))?.members).toEqual(['d', 'b', 'c']);
  for (const id of ['b', 'c', 'd']) await dedup.remove(id);
  expect(await dedup.check(textOf('w'))).toEqual({ kind: 'unique' });
  expect(await listed(dedup.clusters())).toEqual([]);
});

test('a document that is deleted behind its back is not named, nor one that is edited', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await dedup.submit({ id: 'b', text: textOf('x') });
  await docs.delete('a');
  await docs.mutate('b', (draft) => {
    draft.text = textOf('y');
  });
  for (const text of [textOf('w'), textOf('w', 1), textOf('x'), textOf('x', 1)]) {
    expect(await dedup.check(text)).toEqual({ kind: 'unique' });
  }
  expect(await dedup.submit({ id: 'c', text: textOf('w') })).toMatchObject({ kind: 'unique' });
  expect(await dedup.submit({ id: 'd', text: textOf('x') })).toMatchObject({ kind: 'unique' });
});

test('reject stores no duplicate, and keeps what was let in before', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  const reject = { onDuplicate: 'reject' } as const;
  expect(await dedup.submit({ id: 'a', text: textOf('w') }, reject)).toMatchObject({ kind: 'unique', stored: true });
  expect(await dedup.submit({ id: 'b', text: textOf('w') }, reject)).toMatchObject({ kind: 'exact', stored: false });
  expect(await dedup.submit({ id: 'c', text: textOf('w', 1) }, reject)).toMatchObject({ kind: 'near', stored: false });
  expect([await docs.get('b'), await docs.get('c'), await dedup.cluster('b')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  await dedup.submit({ id: 'd', text: textOf('w', 1) });
  expect(await dedup.submit({ id: 'a', text: textOf('w') }, reject)).toMatchObject({ kind: 'unique', replayed: true });
  expect(await dedup.submit({ id: 'e', text: textOf('z') }, reject)).toMatchObject({ kind: 'unique', stored: true });
  // An edit into a duplicate is refused as well, and what was there stays.
  expect(await dedup.submit({ id: 'e', text: textOf('w') }, reject)).toMatchObject({ kind: 'exact', stored: false });
  expect((await docs.get('e'))?.text).toBe(textOf('z'));
});

test('store keeps a duplicate apart, and others may join it', async () => {
  const { dedup } = await (await dedupWorld()).start();
  const store = { onDuplicate: 'store' } as const;
  await dedup.submit({ id: 'a', text: textOf('w') }, store);
  const apart = await dedup.submit({ id: 'b', text: textOf('w') }, store);
  expect(apart).toMatchObject({ kind: 'exact', of: 'a', canonical: 'b', stored: true });
  expect((await dedup.cluster('b'))?.members).toEqual(['b']);
  expect((await dedup.cluster('a'))?.members).toEqual(['a']);
  await dedup.submit({ id: 'b', text: textOf('w') }, store);
  await dedup.submit({ id: 'b', text: textOf('w') });
  expect((await dedup.cluster('b'))?.members).toEqual(['b']);
  expect(await listed(dedup.clusters())).toEqual([]);
});

test('clusters are merged and split by hand, and stay so', async () => {
  const { clock, start } = await dedupWorld();
  const { dedup } = await start();
  for (const [id, text] of [
    ['a', textOf('w')],
    ['b', textOf('w', 1)],
    ['c', textOf('x')],
  ] as const) {
    await clock.advance(1);
    await dedup.submit({ id, text });
  }
  expect((await dedup.merge('c', 'b')).members).toEqual(['a', 'b', 'c']);
  expect(await dedup.submit({ id: 'c', text: textOf('x') })).toMatchObject({ kind: 'merged', of: 'a', score: 1 });
  expect(await dedup.split('b')).toMatchObject({ canonical: 'b', members: ['b'] });
  expect((await dedup.cluster('a'))?.members).toEqual(['a', 'c']);
  await dedup.submit({ id: 'b', text: textOf('w', 1) });
  await dedup.sweep();
  expect((await dedup.cluster('b'))?.members).toEqual(['b']);
  expect((await dedup.merge('b', 'a')).members).toEqual(['a', 'b', 'c']);
  expect((await dedup.split('a')).members).toEqual(['a']);
  await expect(dedup.merge('a', 'nobody')).rejects.toMatchObject({ code: 'dedup.unknownDocument' });
  await expect(dedup.split('nobody')).rejects.toMatchObject({ code: 'dedup.unknownDocument' });
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

test('pairs that are nearly similar enough wait for somebody to look at them', async () => {
  const { dedup } = await (await dedupWorld()).start({ near: { jaccard: 0.9, bands: 64, rows: 1 }, review: 0.3 });
  for (const [id, text] of [
    ['a', textOf('w')],
    ['b', textOf('w', 10)],
    ['c', textOf('x')],
    ['d', textOf('x', 10)],
    ['e', textOf('y')],
    ['f', textOf('y', 10)],
  ] as const) {
    await dedup.submit({ id, text });
  }
  const pairs = await listed(dedup.review());
  expect(pairs.map(({ one, other }) => [one, other].sort().join('')).sort()).toEqual(['ab', 'cd', 'ef']);
  expect(pairs[0]).toMatchObject({ kind: 'near', score: 48 / 68 });
  expect(pairs[0]?.shared[0]).toMatch(/0 .*49$/);
  await dedup.merge('a', 'b');
  await dedup.keepApart('c', 'd');
  await dedup.remove('e');
  expect(await listed(dedup.review())).toEqual([]);
  await dedup.sweep();
  await dedup.sweep({ threshold: { jaccard: 0.5 } });
  expect([(await dedup.cluster('c'))?.members, await listed(dedup.review())]).toEqual([['c'], []]);
});

test('a sweep takes in what was stored otherwise, takes out what is gone, and can say so beforehand', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await dedup.submit({ id: 'gone', text: textOf('g') });
  await docs.putMany([
    { id: 'b', text: textOf('w') },
    { id: 'c', text: textOf('w', 1) },
    { id: 'd', text: textOf('x') },
    { id: 'e', text: 'e' },
  ]);
  await docs.delete('gone');
  const seen: string[] = [];
  const planned = await dedup.sweep({ dryRun: true, onProgress: ({ phase, done }) => seen.push(`${phase} ${done}`) });
  expect(planned).toMatchObject({ documents: 5, added: 3, joined: 1, dropped: 1 });
  expect(seen.slice(0, 6)).toEqual([
    'documents 1',
    'documents 2',
    'documents 3',
    'documents 4',
    'documents 5',
    'entries 1',
  ]);
  expect(await dedup.cluster('b')).toBeUndefined();
  expect(await dedup.sweep()).toMatchObject({ documents: 5, added: 3, joined: 1, dropped: 1 });
  expect((await dedup.cluster('c'))?.members).toEqual(['a', 'b', 'c']);
  expect(await dedup.check(textOf('g'))).toEqual({ kind: 'unique' });
  expect(await dedup.sweep()).toMatchObject({ added: 0, joined: 0, dropped: 0, cleared: 0 });
});

test('many are submitted with progress, and one that fails does not stop the others', async () => {
  const { dedup } = await (await dedupWorld()).start();
  const progress: number[] = [];
  const results = await dedup.submitMany(
    [
      { id: 'a', text: textOf('w') },
      { id: '', text: textOf('x') },
      { id: 'c', text: textOf('w') },
    ],
    { concurrency: 1, onProgress: ({ done }) => progress.push(done) },
  );
  expect(results.map((result) => (result.ok ? result.value.kind : result.error.code))).toEqual([
    'unique',
    'argument.invalid',
    'exact',
  ]);
  expect(progress).toEqual([1, 2, 3]);
});

test('calibration finds a threshold between what is the same and what is not, and bands for it', async () => {
  const { dedup } = await (await dedupWorld()).start();
  const pair = (topic: string, variant: number, same: boolean) => ({
    one: textOf(topic),
    other: textOf(topic, variant),
    same,
  });
  const same = [1, 2, 3, 4].map((variant) => pair(`s${variant}`, variant, true));
  const different = [30, 35, 40].map((variant) => pair(`d${variant}`, variant, false));
  const { near, semantic } = await dedup.calibrate([...same, ...different], { maxMiss: 0.01 });
  // Four changed words leave 54 of 62 shingles, thirty leave 28 of 88.
  expect(near.threshold).toBeCloseTo((54 / 62 + 28 / 88) / 2, 10);
  expect(near.bands * near.rows).toBeLessThanOrEqual(128);
  expect([near.missRate < 0.01, near.falseRate, near.precision]).toEqual([true, 0, 1]);
  expect(near.rethreshold(0.99)).toMatchObject({ threshold: 0.99, recall: 0, missRate: 1, falseRate: 0, precision: 1 });
  expect(near.rethreshold(0.1).falseRate).toBeGreaterThanOrEqual(0);
  expect(semantic).toBeUndefined();
  await expect(dedup.calibrate(same)).rejects.toMatchObject({ code: 'argument.invalid' });
});

test('programs that cut texts up differently cannot share a name', async () => {
  const world = await dedupWorld();
  await (await world.start()).dedup.submit({ id: 'a', text: textOf('w') });
  const { dedup } = await world.start({ near: { bands: 8 } });
  await expect(dedup.check(textOf('w'))).rejects.toMatchObject({ code: 'dedup.settingsMismatch' });
  const agreed = await world.start({ near: { jaccard: 0.5, bucket: 9 }, minLength: 9, review: 0.1 });
  expect(await agreed.dedup.check(textOf('w'))).toMatchObject({ kind: 'exact' });
});

test('bad input is refused in one sentence', async () => {
  const { store, clock } = await dedupWorld();
  const db = await open(store, { clock });
  const make = (options: object) => () => new Deduplicator(db, Doc, { name: 'd', text: ['text'], ...options });
  for (const options of [
    { name: '' },
    { text: [] },
    { text: ['text', 'text'] },
    { text: ['nothing'] },
    { exact: 'roughly' },
    { near: { jaccard: 0 } },
    { near: { bands: 0 } },
    { near: { rows: 1.5 } },
    { near: { bucket: 1 } },
    { semantic: { embedding: 'vector', threshold: 0.9 } },
    { semantic: { embedding: 'vector', threshold: Number.NaN } },
    { minLength: 0 },
    { review: 2 },
    { candidates: 0 },
    { remember: -1 },
  ]) {
    expect(make(options), JSON.stringify(options)).toThrow(NorimakiError);
  }
  const dedup = make({})();
  const bad = { onDuplicate: 'forget' } as unknown as { onDuplicate: 'link' };
  await expect(dedup.submit({ id: 'a', text: textOf('w') }, bad)).rejects.toMatchObject({ code: 'argument.invalid' });
  await expect(dedup.submit({ id: 'a', text: textOf('w') }, { idempotencyKey: '' })).rejects.toMatchObject({
    code: 'argument.invalid',
  });
  await expect(dedup.submit({ id: 'x'.repeat(600), text: textOf('w') })).rejects.toMatchObject({
    code: 'argument.invalid',
  });
  const gone = AbortSignal.abort();
  for (const call of [
    () => dedup.submit({ id: 'a', text: textOf('w') }, { signal: gone }),
    () => dedup.check(textOf('w'), { signal: gone }),
    () => dedup.remove('a', { signal: gone }),
    () => listed(dedup.clusters({ signal: gone })),
    () => dedup.sweep({ signal: gone }),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'aborted' });
  }
});
