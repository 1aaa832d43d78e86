import { z } from 'zod';
import type { Store } from '../../../src/core/store.ts';
import { hashingEmbedder } from '../../../src/embedders/index.ts';
import { defineEntity, open } from '../../../src/index.ts';
import { Deduplicator, type DeduplicatorOptions } from '../../../src/patterns/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import {
  type FaultKind,
  type FaultOptions,
  type FaultStore,
  faultStore,
  type ManualClock,
  manualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';

export const Doc = defineEntity('doc', z.object({ id: z.string(), text: z.string(), note: z.string().default('') }), {
  id: 'id',
});

export const Meaning = defineEntity('meaning', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', embedder: hashingEmbedder({ dimensions: 64 }), index: 'exact' } },
});

export const Offer = defineEntity('offer', z.object({ id: z.string(), text: z.string(), until: z.date() }), {
  id: 'id',
  deadline: 'until',
});

type DocOptions = Partial<Omit<DeduplicatorOptions<'id' | 'text' | 'note'>, 'semantic'>>;

export interface DedupProcessOptions extends DocOptions {
  readonly clock: ManualClock;
  readonly seed?: number | undefined;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: FaultOptions['script'];
}

/** One process on a store: a database, chance and faults of its own. */
export interface DedupProcess {
  readonly dedup: Deduplicator<typeof Doc>;
  readonly docs: ReturnType<typeof docsOf>;
  readonly faulty: FaultStore;
}

const docsOf = (db: Awaited<ReturnType<typeof open>>) => db.repo(Doc);

export async function startDedup(
  store: Store,
  { seed = 1, clock, faults, script, ...options }: DedupProcessOptions,
): Promise<DedupProcess> {
  const random = seededRandom(seed);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock, random });
  const dedup = new Deduplicator(db, Doc, { name: 'd', text: ['text'], near: {}, minLength: 5, ...options });
  return { dedup, docs: docsOf(db), faulty };
}

/** A store on a clock that goes by itself, and processes on it. */
export async function dedupWorld() {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  let seed = 100;
  return {
    clock,
    store,
    start: (options: Partial<DedupProcessOptions> = {}) => startDedup(store, { clock, seed: seed++, ...options }),
  };
}

/** A text of its own, long enough to have many shingles: `variant` of them change one word each. */
export function textOf(topic: string, variant = 0): string {
  const words = Array.from({ length: 60 }, (_, i) => `${topic}${i}`);
  for (let change = 0; change < variant; change++) words[59 - change] = `changed${change}`;
  return words.join(' ');
}

export async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
