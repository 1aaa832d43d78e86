import { expect, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { Deduplicator } from '../../src/patterns/index.ts';
import type { FaultCall } from '../../src/testing/index.ts';
import { Doc, dedupWorld, listed, textOf } from './support/deduplicators.ts';

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
  const [first, ...others] = pairs;
  await dedup.keepApart(first?.one ?? '', first?.other ?? '');
  expect(await listed(dedup.review())).toEqual(others);
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
  await dedup.submit({ id: 'edited', text: textOf('h') });
  await docs.putMany([
    { id: 'edited', text: textOf('i') },
    { id: 'b', text: textOf('w') },
    { id: 'c', text: textOf('w', 1) },
    { id: 'd', text: textOf('x') },
    { id: 'e', text: 'e' },
  ]);
  await docs.delete('gone');
  const seen: string[] = [];
  const planned = await dedup.sweep({ dryRun: true, onProgress: ({ phase, done }) => seen.push(`${phase} ${done}`) });
  expect(planned).toMatchObject({ documents: 6, added: 4, joined: 1, dropped: 1 });
  expect(seen.slice(0, 7)).toEqual([
    'documents 1',
    'documents 2',
    'documents 3',
    'documents 4',
    'documents 5',
    'documents 6',
    'entries 1',
  ]);
  expect(await dedup.cluster('b')).toBeUndefined();
  expect(await dedup.sweep()).toMatchObject({ documents: 6, added: 4, joined: 1, dropped: 1 });
  expect((await dedup.cluster('c'))?.members).toEqual(['a', 'b', 'c']);
  expect(await dedup.check(textOf('g'))).toEqual({ kind: 'unique' });
  expect(await dedup.sweep()).toMatchObject({ added: 0, joined: 0, dropped: 0, cleared: 0 });
});

test('a dry run joins what the sweep will join, and counts a document once', async () => {
  const { dedup, docs } = await (await dedupWorld()).start({ near: { jaccard: 0.75, bands: 64, rows: 2 } });
  await dedup.submit({ id: 'a', text: textOf('w') });
  await dedup.submit({ id: 'b', text: textOf('w', 12) });
  await dedup.submit({ id: 'c', text: textOf('x') });
  await dedup.submit({ id: 'apart', text: textOf('x', 1) }, { onDuplicate: 'store' });
  for (const dryRun of [true, false]) expect(await dedup.sweep({ dryRun })).toMatchObject({ added: 0, joined: 0 });
  // Like `a` and like `b`.
  await docs.put({ id: 'd', text: textOf('w', 6) });
  expect(await dedup.sweep({ dryRun: true })).toMatchObject({ added: 1, joined: 1 });
  expect(await dedup.sweep()).toMatchObject({ added: 1, joined: 2 });
  // Only what has a cluster of its own already is kept apart.
  await dedup.remove('c');
  await docs.put({ id: 'e', text: textOf('x', 2) });
  for (const dryRun of [true, false]) expect(await dedup.sweep({ dryRun })).toMatchObject({ added: 1, joined: 1 });
  expect((await dedup.cluster('e'))?.members).toEqual(['apart', 'e']);
});

test('a sweep of some documents looks at no others', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  for (const id of ['a', 'b', 'c']) await dedup.submit({ id, text: textOf(id) });
  await docs.deleteMany(['a', 'b']);
  expect(await dedup.sweep({ ids: ['a', 'c'] })).toEqual({ documents: 1, added: 0, joined: 0, dropped: 1, cleared: 0 });
  expect(await dedup.sweep()).toMatchObject({ documents: 1, dropped: 1 });
});

test('a sweep leaves what is of another name', async () => {
  const world = await dedupWorld();
  const { dedup } = await world.start();
  const other = await world.start({ name: 'other' });
  await dedup.submit({ id: 'a', text: textOf('w') });
  for (const id of ['b', 'c']) await other.dedup.submit({ id, text: textOf(id) });
  const last = new Map<string, number>();
  const swept = await dedup.sweep({ dryRun: true, onProgress: ({ phase, done }) => last.set(phase, done) });
  // A bucket for each band of the one text.
  expect([swept.cleared, last.get('entries'), last.get('buckets')]).toEqual([0, 1, 16]);
});

test('a sweep clears from buckets what a crash has left there, and nothing else', async () => {
  const world = await dedupWorld();
  const near = { jaccard: 0.8, bands: 4, rows: 2 };
  const { dedup } = await world.start({ near });
  const removeAndDie = async (id: string) => {
    const script = ({ verb, keys }: FaultCall) =>
      verb === 'put' && keys.some((key) => Buffer.from(key).includes('norimaki.dedup.bucket'))
        ? ('crashBefore' as const)
        : ('none' as const);
    const dying = await world.start({ near, script });
    await expect(dying.dedup.remove(id)).rejects.toThrow();
  };
  await dedup.submit({ id: 'a', text: textOf('w') });
  await removeAndDie('a');
  for (const dryRun of [true, true, false]) expect(await dedup.sweep({ dryRun })).toMatchObject({ cleared: 4 });
  expect(await dedup.sweep()).toMatchObject({ cleared: 0 });
  // Of a text that has come back what stands there of before is cleared, and that alone.
  await dedup.submit({ id: 'b', text: textOf('x') });
  await removeAndDie('b');
  await dedup.submit({ id: 'c', text: textOf('x') });
  expect(await dedup.sweep()).toMatchObject({ cleared: 4 });
  expect(await dedup.check(textOf('x', 1))).toMatchObject({ kind: 'near', of: 'c' });
  // Who lives to the end leaves nothing there.
  await dedup.remove('c');
  expect(await dedup.sweep()).toMatchObject({ cleared: 0 });
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
