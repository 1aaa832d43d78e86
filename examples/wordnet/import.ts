// Imports WordNet, in a process that may be killed at any moment: what is there already is passed over.
import { open } from 'norimaki';
import { embedded } from 'norimaki/stores/embedded';
import { readSynsets } from './read.ts';
import { embedder, Synset } from './synset.ts';

/** What the importing process tells the one that started it. */
export interface Imported {
  /** Entries that were there before. */
  readonly passedOver: number;
  /** Ids of entries that are stored now. */
  readonly stored: readonly string[];
}

const CHUNK = 4000;
const CHUNKS = 10;
const [path = '', limit] = process.argv.slice(2);

const db = await open(embedded({ path }), { embedder });
const repo = db.repo(Synset);
const synsets = await readSynsets(limit === undefined ? undefined : Number(limit));
const size = Math.min(CHUNK, Math.ceil(synsets.length / CHUNKS));
for (let from = 0; from < synsets.length; from += size) {
  const chunk = synsets.slice(from, from + size);
  const there = await repo.getMany(chunk.map(({ id }) => id));
  const missing = chunk.filter((_, i) => there[i] === undefined);
  // Many at once share their transactions, and their calls of the embedder.
  const results = await repo.createMany(missing, { concurrency: 1000 });
  for (const result of results) if (!result.ok) throw result.error;
  const report: Imported = { passedOver: chunk.length - missing.length, stored: missing.map(({ id }) => id) };
  process.send?.(report);
}
await db.close();
