import { expect, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { openMemory, START } from '../support/open.ts';
import { Long, Tagged, words } from './support/long-docs.ts';
import type { Docs } from './support/world.ts';

/** On a store that does not commit, where passages come and go one by one. */
async function world() {
  const clock = manualClock(START, { autoAdvance: true });
  const environment = { clock, random: seededRandom(1) };
  const store = await memory().openStore(environment);
  const embedder = fakeEmbedder();
  const db = await open(limitCapabilities(store, ['commit', 'scan']), { ...environment, embedder });
  // It leaves the vectors, which the types of a plain store do not show.
  return { store, embedder, docs: db.repo(Long) as unknown as Docs };
}

test('passages are inserted some at once, and none begins after a failure', async () => {
  const { store, docs } = await world();
  const insert = store.vectors.insert.bind(store.vectors);
  let [begun, ended, most, failing] = [0, 0, 0, 0];
  store.vectors.insert = async (...call) => {
    const number = ++begun;
    most = Math.max(most, begun - ended);
    await new Promise(setImmediate);
    ended++;
    if (number === failing) throw new NorimakiError('store.full', 'No more.', { store: 'memory' });
    return insert(...call);
  };
  const text = words(...Array.from({ length: 40 }, (_, i) => `p${i}`));
  await docs.create({ id: 'a', text });
  expect({ begun, ended, most }).toEqual({ begun: 40, ended: 40, most: 16 });
  failing = begun + 3;
  await expect(docs.create({ id: 'b', text })).rejects.toMatchObject({ code: 'store.full' });
  expect(ended).toBe(begun);
  expect(begun).toBeLessThan(40 + 3 + 2 * 16);
  expect(await docs.get('b')).toBeUndefined();
});

test('a vector that is read while its text is replaced is that of one text, wholly', async () => {
  const { store, embedder, docs } = await world();
  await docs.create({ id: 'a', text: words('one', 'two') });
  const { getMany, delete: remove } = store.vectors;
  store.vectors.delete = async (namespace, id) => !id.includes('.001') && remove.call(store.vectors, namespace, id);
  store.vectors.getMany = async (...call) => {
    store.vectors.getMany = getMany;
    await docs.put({ id: 'a', text: words('new') });
    return store.vectors.getMany(...call);
  };
  const vector = await docs.vectorOf('a');
  for (const [i, x] of embedder.vectorOf(words('new')).entries()) expect(vector?.[i]).toBeCloseTo(x, 5);
});

test('what is replaced while few are scored one by one is found as it is then', async () => {
  const { db, store } = await openMemory({ embedder: fakeEmbedder() });
  const repo = db.repo(Tagged);
  await repo.create({ id: 'a', tag: 'x', text: words('one', 'two') });
  const { getMany } = store.vectors;
  store.vectors.getMany = async (...call) => {
    store.vectors.getMany = getMany;
    await repo.put({ id: 'a', tag: 'x', text: words('two', 'new') });
    return store.vectors.getMany(...call);
  };
  const { hits } = await repo.search(words('new'), { where: { tag: 'x' } });
  expect(hits).toMatchObject([{ entity: { id: 'a' }, score: expect.closeTo(1, 5), passage: { text: words('new') } }]);
});
