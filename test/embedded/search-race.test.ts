import { expect, test } from 'vitest';
import { z } from 'zod';
import { distance } from '../../src/core/vectors/index.ts';
import { defineEntity, open } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { fakeEmbedder } from '../../src/testing/index.ts';
import { startChild } from './support/child.ts';
import { temporaryFolder } from './support/folder.ts';

const EDITS = 168;
const SEARCHES = 68;

test('500 edits race 200 searches in 3 processes: no hit disagrees with its record, at rest nothing is missing', async () => {
  const { data } = await temporaryFolder();
  const racers = [1, 2, 3].map((seed) => startChild('search-racer', data, seed, EDITS, SEARCHES));
  for (const racer of racers) {
    expect(await racer.next()).toMatchObject({ wrong: [], hits: expect.any(Number) });
    expect(await racer.ended).toMatchObject({ code: 0, errors: '' });
  }

  const Doc = defineEntity('doc', z.object({ id: z.string(), text: z.string().nullable(), edits: z.number() }), {
    id: 'id',
    embeddings: { vector: { from: 'text' } },
  });
  const embedder = fakeEmbedder();
  await using db = await open(embedded({ path: data }), { embedder });
  const docs = db.repo(Doc);
  const { hits, dropped, exhausted } = await docs.search('text 1', { limit: 100 });
  expect({ dropped, exhausted }).toEqual({ dropped: 0, exhausted: true });
  const { items } = await docs.list();
  const withText = items.filter(({ text }) => text !== null).map(({ id }) => id);
  expect(hits.map(({ entity }) => entity.id).sort()).toEqual(withText.sort());
  for (const { entity, score } of hits) {
    const expected = 1 - distance('cosine', embedder.vectorOf('text 1'), embedder.vectorOf(String(entity.text)));
    expect(score).toBeCloseTo(expected, 5);
  }
});
