import { expect, test } from 'vitest';
import { pickInt, seededRandom } from '../../src/testing/seeded-random.ts';
import { startChild } from './support/child.ts';
import { openStore, temporaryFolder } from './support/folder.ts';

const DIMENSIONS = 16;
const ROUNDS = 40;

test('each of 3 processes finds what the others had acknowledged when its search began, and nothing they deleted', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await store.vectors.createIndex('shared', { dimensions: DIMENSIONS, metric: 'euclidean', type: 'hnsw' });
  const peers = [0, 1, 2].map(() => startChild('vector-peer', data, 'shared', DIMENSIONS));
  await Promise.all(peers.map((peer) => peer.next()));
  const say = (i: number, words: string): Promise<unknown> => {
    peers[i]?.send(words);
    return peers[i]?.next() ?? Promise.resolve();
  };

  const random = seededRandom(11);
  const present = new Set<string>();
  const gone = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const added = [0, 1, 2].map((i) => `p${i}-${round}`);
    const deleted = [...present].filter(() => pickInt(random, 6) === 0).slice(0, 3);
    await Promise.all(added.map((id, i) => say(i, `insert ${id}`)));
    await Promise.all(deleted.map((id, i) => say(i, `delete ${id}`)));
    for (const id of added) present.add(id);
    for (const id of deleted) {
      present.delete(id);
      gone.add(id);
    }
    // Two write on while the third searches.
    const searcher = round % 3;
    const asked = [...added, ...deleted, ...[...present].slice(0, 5)];
    const meanwhile = [0, 1, 2].filter((i) => i !== searcher).map((i) => say(i, `insert extra${i}-${round}`));
    const answer = (await say(searcher, `search ${asked.join(' ')}`)) as { found: (string | null)[] };
    await Promise.all(meanwhile);
    expect(answer.found).toEqual(asked.map((id) => (present.has(id) ? id : null)));
  }
  expect(gone.size).toBeGreaterThan(10);
  for (const [i] of peers.entries()) expect(await say(i, 'end')).toEqual({ closed: true });
  for (const peer of peers) expect(await peer.ended).toEqual({ code: 0, signal: null, errors: '' });
  expect((await store.stats()).namespaces).toMatchObject([{ vectors: present.size + 2 * ROUNDS }]);
});
