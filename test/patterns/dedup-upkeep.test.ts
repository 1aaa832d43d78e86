import { expect, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { Deduplicator } from '../../src/patterns/index.ts';
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
