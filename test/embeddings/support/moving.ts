import { encodeTuple } from '../../../src/core/keys/index.ts';
import { type Database, NorimakiError, open } from '../../../src/index.ts';
import type { CatalogDocument } from '../../../src/repositories/vectors/catalog.ts';
import { spaceOf } from '../../../src/repositories/vectors/space.ts';
import { type MemoryStore, memory } from '../../../src/stores/memory/index.ts';
import { fakeEmbedder, manualClock, seededRandom } from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';
import { Doc } from './world.ts';

interface MovingOptions {
  readonly entity?: typeof Doc;
  readonly text?: (i: number) => string;
}

/** Docs d000, d001, … with the texts `text 0`, `text 1`, …; the first has none. Their embedder, and one to move to. */
export async function moving(count: number, { entity = Doc, text = (i: number) => `text ${i}` }: MovingOptions = {}) {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const before = fakeEmbedder({ id: 'before@1' });
  const after = fakeEmbedder({ id: 'after@1', dimensions: 24 });
  const db: Database<MemoryStore> = await open(store, { clock, random: seededRandom(2), embedder: before });
  const docs = db.repo(entity);
  const ids = Array.from({ length: count }, (_, i) => `d${String(i).padStart(3, '0')}`);
  await docs.createMany(ids.map((id, i) => ({ id, text: i === 0 ? null : text(i) })));
  return { clock, store, before, after, db, docs, ids, queries: ['question', 'another question'] };
}

/** Where the vectors of the docs are, or of another entity, by what the catalog says. */
export async function namespacesOf(store: MemoryStore, entity = 'doc') {
  const scope = ['norimaki', null, 0n, entity] as const;
  const stored = await store.get(encodeTuple([...scope, 'c']));
  const document = JSON.parse(Buffer.from(stored?.value ?? []).toString()) as CatalogDocument;
  const entry = document.embeddings.vector;
  if (entry === undefined) throw new Error('The catalog does not know the embedding.');
  const { active, building, previous } = entry;
  const namespace = (spec: typeof active): string => spaceOf(scope, 'vector', spec).namespace;
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
