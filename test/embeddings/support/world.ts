import { z } from 'zod';
import type { Store, VectorStore } from '../../../src/core/store.ts';
import { distance } from '../../../src/core/vectors/index.ts';
import type { ClassShape } from '../../../src/index.ts';
import {
  type Default,
  Embedding,
  Entity,
  Field,
  Id,
  type Repository,
  type VectorRepository,
} from '../../../src/index.ts';
import { type FakeEmbedder, limitCapabilities } from '../../../src/testing/index.ts';

/** What the tests of the sync save and search. An exact index, so that no missing hit can hide behind an approximation. */
@Entity('doc')
export class Doc {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact' }) vector?: Float32Array;
}

export type Docs = Repository<ClassShape<Doc>> & VectorRepository<ClassShape<Doc>>;

/** The ways in which a record and its vector reach a store. */
export const ways = {
  'in one commit': (store: VectorStore): Store => store,
  'by reservation': (store: VectorStore): Store => limitCapabilities(store, ['commit', 'scan']),
  'by reservation, without idempotency': (store: VectorStore): Store =>
    limitCapabilities(store, ['commit', 'scan', 'idempotency']),
};

/**
 * I1, I2 and I3a of vectors.md against an oracle: with nothing under way, a search returns just the live entities that
 * have a text, each once, with the score of the text that it holds.
 */
export async function disagreements(docs: Docs, embedder: FakeEmbedder, ids: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  const live = (await docs.getMany(ids)).filter((doc) => doc !== undefined);
  const { hits, exhausted } = await docs.search('a query', { limit: 100 });
  if (!exhausted) wrong.push('the search says that there may be more');
  for (const { entity, score } of hits) {
    const doc = live.find(({ id }) => id === entity.id);
    if (doc === undefined) wrong.push(`${entity.id} is found and does not exist`);
    else if (doc.text !== entity.text || doc.stars !== entity.stars) wrong.push(`${entity.id} is found as it was`);
    const expected = 1 - distance('cosine', embedder.vectorOf('a query'), embedder.vectorOf(String(entity.text)));
    if (Math.abs(expected - score) > 1e-5) wrong.push(`${entity.id} has the score of another text`);
  }
  const missing = live.filter(({ id, text }) => text !== null && hits.every(({ entity }) => entity.id !== id));
  for (const { id } of missing) wrong.push(`${id} is not found`);
  if (new Set(hits.map(({ entity }) => entity.id)).size < hits.length) wrong.push('an entity is found twice');
  return wrong;
}
