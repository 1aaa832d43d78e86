import { expect, test } from 'vitest';
import { dedupWorld, listed, textOf } from './support/deduplicators.ts';

test('what is similar in a chain is one cluster, in whichever order it comes', async () => {
  const texts = { a: textOf('w'), b: textOf('w', 6), c: textOf('w', 12) };
  for (const order of ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']) {
    const { dedup } = await (await dedupWorld()).start({ near: { jaccard: 0.75, bands: 64, rows: 2 } });
    for (const id of order) await dedup.submit({ id, text: texts[id as keyof typeof texts] });
    const [cluster, ...others] = await listed(dedup.clusters());
    expect([order, [...(cluster?.members ?? [])].sort(), others]).toEqual([order, ['a', 'b', 'c'], []]);
  }
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

test.each(['edited', 'removed', 'deleted behind its back'])(
  'a text that comes back looks for what has come since its document was %s',
  async (how) => {
    const { dedup, docs } = await (await dedupWorld()).start();
    await dedup.submit({ id: 'a', text: textOf('w') });
    if (how === 'edited') await dedup.submit({ id: 'a', text: textOf('x') });
    else if (how === 'removed') await dedup.remove('a');
    else await docs.delete('a');
    expect(await dedup.submit({ id: 'b', text: textOf('w', 1) })).toMatchObject({ kind: 'unique' });
    expect(await dedup.submit({ id: 'c', text: textOf('w') })).toMatchObject({ kind: 'near', of: 'b', canonical: 'b' });
    expect((await dedup.cluster('b'))?.members).toHaveLength(2);
  },
);

test('of a text whose holder was deleted behind its back a copy is the holder', async () => {
  const { dedup, docs } = await (await dedupWorld()).start();
  for (const id of ['a', 'b']) await dedup.submit({ id, text: textOf('w') });
  await docs.delete('a');
  expect(await dedup.submit({ id: 'c', text: textOf('w') })).toMatchObject({ kind: 'exact', of: 'b', canonical: 'b' });
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
  for (const call of [dedup.merge('c', 'b'), dedup.split('b'), dedup.keepApart('b', 'c')]) {
    await expect(call).rejects.toMatchObject({ code: 'dedup.unknownDocument' });
  }
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
  // Not for being like itself.
  expect(await dedup.submit({ id: 'e', text: textOf('z', 1) }, reject)).toMatchObject({ kind: 'unique', stored: true });
});

test('store keeps a duplicate apart, and others may join it', async () => {
  const { dedup } = await (await dedupWorld()).start();
  const store = { onDuplicate: 'store' } as const;
  await dedup.submit({ id: 'a', text: textOf('w') }, store);
  const apart = await dedup.submit({ id: 'b', text: textOf('w') }, store);
  expect(apart).toMatchObject({ kind: 'exact', of: 'a', canonical: 'b', stored: true });
  expect(await dedup.cluster('b')).toMatchObject({ id: apart.kind === 'exact' && apart.cluster, members: ['b'] });
  expect((await dedup.cluster('a'))?.members).toEqual(['a']);
  await dedup.submit({ id: 'b', text: textOf('w') }, store);
  await dedup.submit({ id: 'b', text: textOf('w') });
  expect((await dedup.cluster('b'))?.members).toEqual(['b']);
  expect(await listed(dedup.clusters())).toEqual([]);
});

test('what is told to be similar is in the same cluster, also where something more similar is kept apart', async () => {
  const { dedup } = await (await dedupWorld()).start();
  await dedup.submit({ id: 'a', text: textOf('w') });
  await dedup.submit({ id: 'c', text: textOf('w', 3) });
  await dedup.remove('c');
  await dedup.submit({ id: 'b', text: textOf('w', 2) }, { onDuplicate: 'store' });
  expect(await dedup.submit({ id: 'c', text: textOf('w', 3) })).toMatchObject({
    kind: 'near',
    of: 'a',
    canonical: 'a',
  });
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
  for (const dryRun of [true, false]) expect(await dedup.sweep({ dryRun })).toMatchObject({ joined: 0 });
  expect((await dedup.cluster('b'))?.members).toEqual(['b']);
  expect((await dedup.merge('b', 'a')).members).toEqual(['a', 'b', 'c']);
  expect((await dedup.split('a')).members).toEqual(['a']);
  await expect(dedup.merge('a', 'nobody')).rejects.toMatchObject({ code: 'dedup.unknownDocument' });
  await expect(dedup.split('nobody')).rejects.toMatchObject({ code: 'dedup.unknownDocument' });
});

test('who only asks writes nothing', async () => {
  const { start } = await dedupWorld();
  const writes: string[] = [];
  const script = ({ verb }: { verb: string }) => {
    if (verb !== 'get' && verb !== 'getMany') writes.push(verb);
    return 'none' as const;
  };
  const review = { near: { jaccard: 0.9, bands: 64, rows: 1 }, review: 0.4 };
  const first = await start({ ...review, script });
  expect(await first.dedup.check(textOf('w'))).toEqual({ kind: 'unique' });
  const { dedup } = await start(review);
  // Later ones are the first of their clusters, so that there is a way to go.
  for (const variant of [0, 1, 2, 3, 10]) await dedup.submit({ id: `${variant}`, text: textOf('w', variant) });
  await dedup.submit({ id: 'copy', text: textOf('w') });
  await dedup.remove('0');
  const reader = await start({ ...review, script });
  expect(await reader.dedup.check(textOf('w'))).toMatchObject({ kind: 'exact', of: 'copy' });
  expect(await reader.dedup.check(textOf('w', 2))).toMatchObject({ kind: 'exact' });
  expect((await reader.dedup.cluster('3'))?.members).toHaveLength(4);
  expect(await listed(reader.dedup.clusters())).toHaveLength(1);
  expect((await listed(reader.dedup.review())).length).toBeGreaterThan(0);
  expect(writes).toEqual([]);
});

test('of two clusters that become one all members are listed, and found from each', async () => {
  const { dedup } = await (await dedupWorld()).start();
  const ids = ['w0', 'w1', 'x0', 'x1'];
  for (const id of ids) await dedup.submit({ id, text: textOf(id[0] as string, Number(id[1])) });
  await dedup.merge('x1', 'w1');
  const clusters = await listed(dedup.clusters());
  expect(clusters.map(({ members }) => [...members].sort())).toEqual([ids]);
  for (const id of ids) expect((await dedup.cluster(id))?.members).toHaveLength(4);
});
