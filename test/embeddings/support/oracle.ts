import type { Chunking } from '../../../src/core/model/model.ts';
import { distance } from '../../../src/core/vectors/index.ts';
import { cut } from '../../../src/repositories/vectors/cut.ts';
import type { FakeEmbedder } from '../../../src/testing/index.ts';
import type { Docs } from './world.ts';

export interface OracleOptions {
  readonly queries?: readonly string[];
  /** How texts are cut; absent where each has one vector. */
  readonly chunk?: Chunking | undefined;
  /** Some vectors are still to be made: what is found must be right, and need not be all. */
  readonly isPending?: boolean;
}

/**
 * I1, I2, I3a and I6 of vectors.md: with nothing under way, a search returns just the live entities that have a text, each
 * once, with the score of the text that it holds, by this embedder; of several passages that of the nearest, which it shows.
 */
export async function disagreements(
  docs: Pick<Docs, 'getMany' | 'search'>,
  embedder: Pick<FakeEmbedder, 'vectorOf'>,
  ids: readonly string[],
  { queries = ['a query'], chunk, isPending = false }: OracleOptions = {},
): Promise<string[]> {
  const wrong: string[] = [];
  const live = new Map((await docs.getMany(ids)).flatMap((doc) => (doc === undefined ? [] : [[String(doc.id), doc]])));
  for (const query of queries) {
    const asked = embedder.vectorOf(query);
    const { hits, exhausted } = await docs.search(query, { limit: 1000 });
    if (!exhausted) wrong.push('the search says that there may be more');
    for (const { entity, score, passage } of hits) {
      const doc = live.get(entity.id);
      if (doc === undefined) wrong.push(`${entity.id} is found and does not exist`);
      else if (doc.text !== entity.text || doc.stars !== entity.stars) wrong.push(`${entity.id} is found as it was`);
      const parts = partsOf(entity.text ?? '', chunk);
      const scores = parts.map((text) => 1 - distance('cosine', asked, embedder.vectorOf(text)));
      const shown = passage === undefined ? undefined : scores[passage.index];
      const expected = isPending && chunk !== undefined ? shown : Math.max(...scores);
      if (!isNear(score, expected)) wrong.push(`${entity.id} has the score of another text`);
      if (chunk === undefined) continue;
      if (passage === undefined) wrong.push(`${entity.id} is found without a passage`);
      else if (!isNear(score, shown)) wrong.push(`${entity.id} shows another passage`);
      else if (entity.text?.slice(passage.start, passage.end) !== passage.text)
        wrong.push(`${entity.id} cuts elsewhere`);
    }
    const order = hits.map(({ score }) => score);
    if (order.some((score, i) => score > (order[i - 1] ?? 1) + 1e-6)) wrong.push('the hits are out of order');
    const found = new Set(hits.map(({ entity }) => String(entity.id)));
    if (found.size < hits.length) wrong.push('an entity is found twice');
    for (const [id, { text }] of live) {
      if (text?.trim() && !found.has(id) && !isPending) wrong.push(`${id} is not found`);
    }
  }
  return wrong;
}

function partsOf(text: string, chunk: Chunking | undefined): string[] {
  return chunk === undefined ? [text] : cut(text, chunk).map((passage) => passage.text);
}

function isNear(score: number, expected: number | undefined): boolean {
  return expected !== undefined && Math.abs(expected - score) <= 1e-5;
}
