import { z } from 'zod';
import { encodeTuple } from '../../../src/core/keys/index.ts';
import { distance } from '../../../src/core/vectors/index.ts';
import {
  type ClassShape,
  type Database,
  type Default,
  Embedding,
  Entity,
  Field,
  Id,
  NorimakiError,
  open,
  type Repository,
  type VectorRepository,
} from '../../../src/index.ts';
import type { CatalogDocument } from '../../../src/repositories/vectors/catalog.ts';
import { spaceOf } from '../../../src/repositories/vectors/space.ts';
import { type MemoryStore, memory } from '../../../src/stores/memory/index.ts';
import { type FakeEmbedder, fakeEmbedder, manualClock, seededRandom } from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';

/** An exact index, so that no missing hit can hide behind an approximation. */
@Entity('doc')
export class Doc {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact' }) vector?: Float32Array;
}

export type Docs = Repository<ClassShape<Doc>> & VectorRepository<ClassShape<Doc>>;

export const setText =
  (text: string | null) =>
  (doc: { text: string | null }): void => {
    doc.text = text;
  };

/**
 * I1, I2, I3a and I6 of vectors.md against an oracle: with nothing under way, a search returns just the live entities
 * that have a text, each once, with the score of the text that it holds, by this embedder.
 */
export async function disagreements(
  docs: Docs,
  embedder: FakeEmbedder,
  ids: readonly string[],
  queries: readonly string[],
): Promise<string[]> {
  const wrong: string[] = [];
  const live = new Map((await docs.getMany(ids)).flatMap((doc) => (doc === undefined ? [] : [[String(doc.id), doc]])));
  for (const query of queries) {
    const { hits } = await docs.search(query, { limit: 1000 });
    for (const { entity, score } of hits) {
      const doc = live.get(entity.id);
      if (doc === undefined) wrong.push(`${entity.id} is found and does not exist`);
      else if (doc.text !== entity.text || doc.stars !== entity.stars) wrong.push(`${entity.id} is found as it was`);
      const expected = 1 - distance('cosine', embedder.vectorOf(query), embedder.vectorOf(String(entity.text)));
      if (Math.abs(expected - score) > 1e-5) wrong.push(`${entity.id} has the score of another text or model`);
    }
    const found = new Set(hits.map(({ entity }) => String(entity.id)));
    for (const [id, { text }] of live) if (text !== null && !found.has(id)) wrong.push(`${id} is not found`);
    if (found.size < hits.length) wrong.push('an entity is found twice');
  }
  return wrong;
}

/** Docs d000, d001, … with the texts `text 0`, `text 1`, …; the first has none. Their embedder, and one to move to. */
export async function moving(count: number) {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const before = fakeEmbedder({ id: 'before@1' });
  const after = fakeEmbedder({ id: 'after@1', dimensions: 24 });
  const db: Database<MemoryStore> = await open(store, { clock, random: seededRandom(2), embedder: before });
  const docs = db.repo(Doc);
  const ids = Array.from({ length: count }, (_, i) => `d${String(i).padStart(3, '0')}`);
  await docs.createMany(ids.map((id, i) => ({ id, text: i === 0 ? null : `text ${i}` })));
  return { clock, store, before, after, db, docs, ids, queries: ['question', 'another question'] };
}

const SCOPE = ['norimaki', null, 0n, 'doc'] as const;
const CATALOG = encodeTuple([...SCOPE, 'c']);

/** Where the vectors of the docs are, by what the catalog says. */
export async function namespacesOf(store: MemoryStore) {
  const stored = await store.get(CATALOG);
  const document = JSON.parse(Buffer.from(stored?.value ?? []).toString()) as CatalogDocument;
  const entry = document.embeddings.vector;
  if (entry === undefined) throw new Error('The catalog does not know the embedding.');
  const { active, building, previous } = entry;
  const namespace = (spec: typeof active): string => spaceOf(SCOPE, 'vector', spec).namespace;
  return {
    active: namespace(active),
    building: building && namespace(building.spec),
    previous: previous && namespace(previous),
  };
}

export async function vectorsIn(store: MemoryStore, namespace: string | undefined): Promise<string[]> {
  const all: string[] = [];
  if (namespace === undefined) return all;
  for (;;) {
    const page = await store.vectors.list(namespace, { after: all.at(-1), limit: 1000 });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

export function codeOf(error: unknown): unknown {
  return error instanceof NorimakiError ? error.code : error;
}
