import { z } from 'zod';
import { type Database, defineEntity, NorimakiError, type OpenOptions, open } from '../../../src/index.ts';
import type { EmbeddedStore } from '../../../src/stores/embedded/index.ts';
import { type FakeEmbedder, fakeEmbedder, limitCapabilities } from '../../../src/testing/index.ts';
import { CHUNK } from './long-docs.ts';
import type { Docs } from './world.ts';

/** What a process saves that is killed. */
export const SavedNote = defineEntity('note', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', index: 'exact', mode: 'deferred' } },
});

const fields = z.object({ id: z.string(), text: z.string().nullable(), stars: z.number().default(0) });
const vector = { from: 'text', index: 'exact', chunk: CHUNK } as const;

/** The same of texts with passages, whose vectors come in each way. */
const SavedTexts = {
  'in one commit': defineEntity('committed', fields, { id: 'id', embeddings: { vector } }),
  'by reservation': defineEntity('reserved', fields, { id: 'id', embeddings: { vector } }),
  later: defineEntity('later', fields, { id: 'id', embeddings: { vector: { ...vector, mode: 'deferred' } } }),
};

export type SavedKind = keyof typeof SavedTexts;

export const SAVED_KINDS = Object.keys(SavedTexts) as SavedKind[];
export const SAVED_IDS = ['t0', 't1', 't2', 't3'];

/** What a process tells of a text before and after it saves it; `null` is one that is deleted. */
export interface TextMessage {
  readonly kind: SavedKind;
  readonly id: string;
  readonly text: string | null;
  readonly is: 'intended' | 'acknowledged';
}

/** The repositories of one store; `limited`: that which needs no commit has none. */
export async function savedTexts(store: EmbeddedStore, options: OpenOptions, { limited }: { limited: boolean }) {
  const db: Database<EmbeddedStore> = await open(store, options);
  const plain = limited ? await open(limitCapabilities(store, ['commit', 'scan']), options) : db;
  // Both leave the vectors, which the types of a plain store do not show.
  const repository = (kind: SavedKind): Docs =>
    (kind === 'by reservation' ? plain : db).repo(SavedTexts[kind]) as unknown as Docs;
  const later = db.repo(SavedTexts.later);
  const doctor = (fix: boolean) => db.doctor({ entities: Object.values(SavedTexts), fix });
  return { repository, drain: () => later.outbox.drain(), doctor };
}

/** An embedder whose vectors are the same in every process; or nobody answers. */
export function savedEmbedder(state: 'up' | 'down'): FakeEmbedder {
  const embedder = fakeEmbedder();
  if (state === 'down') {
    embedder.fail(new NorimakiError('embedder.unavailable', 'Down.', { embedder: embedder.id }));
  }
  return embedder;
}
