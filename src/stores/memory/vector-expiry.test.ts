import { expect, test } from 'vitest';
import { manualClock } from '../../testing/manual-clock.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { memory } from './memory.ts';

test('any later write takes away expired records and the vectors that end with them', async () => {
  const clock = manualClock(0);
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  await store.vectors.createIndex('space', { dimensions: 1, metric: 'euclidean', type: 'exact' });
  for (const id of ['ends', 'stays']) await store.vectors.insert('space', id, Float32Array.of(1));
  const name = { namespace: 'space', id: 'ends' };
  await store.commit([{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(), expiresAt: 10, vectors: [name] }]);
  await clock.advance(10);
  expect(await store.vectors.list('space')).toEqual(['ends', 'stays']);
  await store.put(Uint8Array.of(2), Uint8Array.of());
  expect(await store.vectors.list('space')).toEqual(['stays']);
  await store.close();
});
