import { z } from 'zod';
import { distance } from '../../../src/core/vectors/index.ts';
import {
  type ClassShape,
  type Default,
  Embedding,
  Entity,
  Field,
  Id,
  type Repository,
  type VectorRepository,
} from '../../../src/index.ts';
import { cut } from '../../../src/repositories/vectors/cut.ts';
import type { FakeEmbedder } from '../../../src/testing/index.ts';

export const CHUNK = { size: 16, overlap: 4 };

/** What tests of passages save and search. */
@Entity('long')
export class Long {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact', chunk: CHUNK }) vector?: Float32Array;
}

@Entity('late')
export class Late {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact', mode: 'deferred', chunk: CHUNK }) vector?: Float32Array;
}

export type Longs = Repository<ClassShape<Long>> & VectorRepository<ClassShape<Long>>;

/** Of `n` words that are as long as a passage. */
export const words = (...names: readonly string[]): string => names.map((name) => name.padEnd(14, 'x')).join(' ');

export const passagesOf = (text: string | null | undefined): string[] =>
  cut(text ?? '', CHUNK).map((passage) => passage.text);

/**
 * I1, I2 and I3a with passages: a search returns just the live entities that have a text, each once, by the nearest of the
 * passages that it holds now, and says which.
 */
export async function disagreements(
  docs: Longs,
  embedder: FakeEmbedder,
  ids: readonly string[],
  query = 'a query',
): Promise<string[]> {
  const wrong: string[] = [];
  const live = (await docs.getMany(ids)).filter((doc) => doc !== undefined);
  const { hits, exhausted } = await docs.search(query, { limit: 100 });
  if (!exhausted) wrong.push('the search says that there may be more');
  for (const { entity, score, passage } of hits) {
    const doc = live.find(({ id }) => id === entity.id);
    if (doc === undefined) wrong.push(`${entity.id} is found and does not exist`);
    else if (doc.text !== entity.text || doc.stars !== entity.stars) wrong.push(`${entity.id} is found as it was`);
    const scores = passagesOf(entity.text).map(
      (text) => 1 - distance('cosine', embedder.vectorOf(query), embedder.vectorOf(text)),
    );
    if (Math.abs(Math.max(...scores) - score) > 1e-5) wrong.push(`${entity.id} has the score of another text`);
    if (passage === undefined) wrong.push(`${entity.id} is found without a passage`);
    else if (Math.abs((scores[passage.index] ?? 2) - score) > 1e-5) wrong.push(`${entity.id} shows another passage`);
    else if (entity.text?.slice(passage.start, passage.end) !== passage.text) wrong.push(`${entity.id} cuts elsewhere`);
  }
  const order = hits.map(({ score }) => score);
  if (order.some((score, i) => score > (order[i - 1] ?? 1))) wrong.push('the hits are out of order');
  const missing = live.filter(({ id, text }) => text?.trim() && hits.every(({ entity }) => entity.id !== id));
  for (const { id } of missing) wrong.push(`${id} is not found`);
  if (new Set(hits.map(({ entity }) => entity.id)).size < hits.length) wrong.push('an entity is found twice');
  return wrong;
}
