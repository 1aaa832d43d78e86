import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { modelOf } from '../../../src/decorators/index.ts';
import { hashingEmbedder } from '../../../src/embedders/index.ts';
import { defineEntity, open } from '../../../src/index.ts';
import { Keyspace } from '../../../src/repositories/keyspace.ts';
import { NO_TENANT } from '../../../src/repositories/tenancy/place.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { PROGRAMS } from '../../support/bundled-package.ts';

const schema = z.object({ id: z.string(), title: z.string(), year: z.number() });
const embeddings = { titleVector: { from: 'title', index: 'exact' } } as const;
const Film = defineEntity('film', schema, { id: 'id', unique: ['title'], index: ['year'], embeddings });

const deferred = { titleVector: { from: 'title', index: 'exact', mode: 'deferred' } } as const;
const DeferredFilm = defineEntity('film', schema, {
  id: 'id',
  unique: ['title'],
  index: ['year'],
  embeddings: deferred,
});

const FILM = `
const Film = defineEntity(
  'film',
  z.object({ id: z.string(), title: z.string(), year: z.number() }),
  { id: 'id', unique: ['title'], index: ['year'], embeddings: { titleVector: { from: 'title', index: 'exact' } } },
);`;

const IMPORTS = `
import { setTimeout } from 'node:timers/promises';
import { defineEntity } from 'norimaki';
import { defineConfig } from 'norimaki/cli';
import { hashingEmbedder } from 'norimaki/embedders';
import { embedded } from 'norimaki/stores/embedded';
import { z } from 'zod';

/** The same vectors, after so many milliseconds. */
const slow = (embedder, ms) => ({
  id: embedder.id,
  dimensions: embedder.dimensions,
  embed: async (texts) => {
    await setTimeout(ms);
    return embedder.embed(texts);
  },
});`;

/** The embedder that `seed` takes, and the one that configs move to. */
export const OLD = hashingEmbedder({ dimensions: 16 });
export const NEW = hashingEmbedder({ dimensions: 32 });

/** The text of a config module; `parts` are those of `defineConfig`, beside store and entities. */
export const configText = (parts = 'embedder: hashingEmbedder({ dimensions: 16 })', before = ''): string =>
  `${IMPORTS}${FILM}${before}
export default defineConfig({ store: embedded({ path: './data' }), entities: [Film], ${parts} });
`;

/** A folder that goes away with the test. */
export function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(PROGRAMS, 'case-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const films = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `f${i}`, title: `title ${i}`, year: 1900 + i }));

/** Stores films as a program does, in the folder `data`. */
export async function seed(path: string, count: number, tenant?: string): Promise<void> {
  await using whole = await open(embedded({ path: join(path, 'data') }), { embedder: OLD });
  const db = tenant === undefined ? whole : whole.forTenant(tenant);
  const results = await db.repo(Film).createMany(films(count));
  for (const result of results) if (!result.ok) throw result.error;
}

/** The same, and leaves the vectors to others. */
export async function seedDeferred(path: string, count: number): Promise<void> {
  await using db = await open(embedded({ path: join(path, 'data') }), { embedder: OLD, outbox: false });
  const results = await db.repo(DeferredFilm).createMany(films(count));
  for (const result of results) if (!result.ok) throw result.error;
}

/** How many records wait for their vectors. */
export async function waiting(path: string): Promise<number> {
  await using db = await open(embedded({ path: join(path, 'data') }), { embedder: OLD, outbox: false });
  return (await db.repo(DeferredFilm).outbox.counts()).waiting;
}

/** Takes the record of `f1` away, past the repository, so that all that was derived from it is left over. */
export async function plantOrphans(path: string, tenant?: string): Promise<void> {
  await using db = await open(embedded({ path: join(path, 'data') }));
  await db.store.delete(new Keyspace(modelOf(Film), 'norimaki', { tenant, generation: 0 }).record(['f1']));
}

/** Overwrites the record of `f2` with what no program wrote. */
export async function plantCorruption(path: string): Promise<void> {
  await using db = await open(embedded({ path: join(path, 'data') }));
  await db.store.put(new Keyspace(modelOf(Film), 'norimaki', NO_TENANT).record(['f2']), Buffer.from('{'));
}
