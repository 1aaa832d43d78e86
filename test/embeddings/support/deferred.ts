import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Chunking } from '../../../src/core/model/model.ts';
import type { Store } from '../../../src/core/store.ts';
import type { Default } from '../../../src/index.ts';
import {
  type Database,
  defineEntity,
  Embedding,
  Entity,
  Field,
  Id,
  NorimakiError,
  type OpenOptions,
  open,
} from '../../../src/index.ts';
import { spaceOf } from '../../../src/repositories/vectors/space.ts';
import { type MemoryStore, memory } from '../../../src/stores/memory/index.ts';
import {
  type FakeEmbedder,
  fakeEmbedder,
  type ManualClock,
  manualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';

/** As `Doc` of the other tests, its vectors made later. */
@Entity('note')
export class Note {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact', mode: 'deferred' }) vector?: Float32Array;
}

/** Which of the entities of tests, and how its texts are cut. */
interface Kind {
  readonly name: string;
  readonly chunk?: Chunking;
}

const NOTE: Kind = { name: 'note' };

/** The same records, of whose text another program makes something else. */
export function rewrittenNote(rewrite: (text: string) => string, { name, chunk }: Kind = NOTE) {
  const fields = z.object({ id: z.string(), text: z.string().nullable(), stars: z.number().default(0) });
  const from = ({ text }: z.output<typeof fields>): string | null => text && rewrite(text);
  const vector = { from, index: 'exact', mode: 'deferred', template: 'fields:["text"]', chunk } as const;
  return defineEntity(name, fields, { id: 'id', embeddings: { vector } });
}

/** Processes on one store, their clock and the embedder that they share. */
export interface World {
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly embedder: FakeEmbedder;
  /** Another process; by default one that runs no worker, so that the test says when work is done. */
  process<St extends Store = MemoryStore>(
    options?: OpenOptions & { readonly on?: St },
  ): Promise<Database<St, undefined>>;
}

export async function world({ autoAdvance = true } = {}): Promise<World> {
  const clock = manualClock(START, { autoAdvance });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const embedder = fakeEmbedder();
  let seed = 1;
  const start = async (options: OpenOptions & { readonly on?: Store } = {}): Promise<Database<Store, undefined>> => {
    const { on = store, ...rest } = options;
    const db = await open(on, { clock, random: seededRandom(++seed), embedder, outbox: false, ...rest });
    onTestFinished(() => db.close());
    return db;
  };
  // The store is the one that was asked for, or that of the world.
  return { clock, store, embedder, process: start as World['process'] };
}

export function down(embedder: FakeEmbedder, retryAfter?: number): NorimakiError {
  return new NorimakiError('embedder.unavailable', 'The embedder is down.', { embedder: embedder.id, retryAfter });
}

/** Ids and texts of so many notes. */
export function someNotes(count: number): { id: string; text: string }[] {
  return Array.from({ length: count }, (_, i) => ({ id: `n${String(i).padStart(3, '0')}`, text: `text ${i}` }));
}

/** Waits in real time until the workers have come so far. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error('It has not come to that in time.');
}

/** The texts that were paid for more than once. */
export function paidTwice({ calls }: FakeEmbedder): string[] {
  const texts = calls.flat();
  return texts.filter((text, i) => texts.indexOf(text) < i);
}

/** Where the vectors of notes are. */
export function namespaceOf(
  { id, dimensions }: Pick<FakeEmbedder, 'id' | 'dimensions'>,
  { name, chunk }: Kind = NOTE,
): string {
  const template = 'fields:["text"]';
  const spec = { embedder: id, dimensions, metric: 'cosine', index: 'exact', template, chunk } as const;
  return spaceOf(['norimaki', null, 0n, name], 'vector', spec).namespace;
}

/** How many vectors there are, named by a record or not. */
export async function countVectors(
  { store, embedder }: { readonly store: MemoryStore; readonly embedder: Pick<FakeEmbedder, 'id' | 'dimensions'> },
  kind?: Kind,
): Promise<number> {
  return (await store.vectors.list(namespaceOf(embedder, kind), { limit: 1000 })).length;
}
