import { z } from 'zod';
import { distance } from '../../../src/core/vectors/index.ts';
import { defineEntity, open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { fakeEmbedder, seededRandom } from '../../../src/testing/index.ts';
import { tell } from './talk.ts';

// search-racer <path> <seed> <edits> <searches>: edits and searches at once, beside other processes that do the same; checks every hit against the text that it holds.

const [path = '', seed = '1', edits = '0', searches = '0'] = process.argv.slice(2);
const Doc = defineEntity('doc', z.object({ id: z.string(), text: z.string().nullable(), edits: z.number() }), {
  id: 'id',
  embeddings: { vector: { from: 'text' } },
});
const random = seededRandom(Number(seed));
const pick = (n: number): number => Math.floor(random.float() * n);
const embedder = fakeEmbedder();
const db = await open(embedded({ path }), { embedder });
const docs = db.repo(Doc);

async function edit(): Promise<void> {
  const id = `doc ${pick(20)}`;
  if (pick(8) === 0) await docs.delete(id);
  else {
    const text = pick(10) === 0 ? null : `text ${pick(60)}`;
    const change = (doc: { text: string | null; edits: number }): void => {
      doc.text = text;
      doc.edits += 1;
    };
    await docs.mutate(id, change, { ifAbsent: { text, edits: 0 } });
  }
}

const wrong: string[] = [];
let hits = 0;

async function search(): Promise<void> {
  const query = `text ${pick(60)}`;
  const result = await docs.search(query, { limit: 5 });
  for (const { entity, score } of result.hits) {
    hits++;
    const expected = 1 - distance('cosine', embedder.vectorOf(query), embedder.vectorOf(String(entity.text)));
    if (Math.abs(expected - score) > 1e-5) wrong.push(`${entity.id} has the score of another text than ${entity.text}`);
  }
  const scores = result.hits.map(({ score }) => score);
  if (scores.some((score, i) => score > (scores[i - 1] ?? score))) wrong.push('hits are out of order');
}

async function repeat(times: number, step: () => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await step();
}

await Promise.all([
  ...Array.from({ length: 4 }, () => repeat(Number(edits) / 4, edit)),
  ...Array.from({ length: 2 }, () => repeat(Number(searches) / 2, search)),
]);
tell({ hits, wrong });
await db.close();
