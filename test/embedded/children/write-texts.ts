import type { Random } from '../../../src/core/clock.ts';
import type { Embedder } from '../../../src/index.ts';
import type { EmbeddedStore } from '../../../src/stores/embedded/index.ts';
import { pickInt, seededRandom } from '../../../src/testing/seeded-random.ts';
import { words } from '../../embeddings/support/long-docs.ts';
import {
  SAVED_IDS,
  SAVED_KINDS,
  type SavedKind,
  savedTexts,
  type TextMessage,
} from '../../embeddings/support/saved.ts';
import type { Docs } from '../../embeddings/support/world.ts';
import { tell } from './talk.ts';

/** What a round is called, and whether its embedder answers. */
export interface TextRound {
  readonly round: string;
  readonly isDown: boolean;
  readonly seed: number;
}

/** Writes texts of some passages, changes them to fewer and more, and deletes them; each by itself, so that a kill meets many. */
export async function writeTexts(store: EmbeddedStore, embedder: Embedder, round: TextRound): Promise<void> {
  const { repository } = await savedTexts(store, { embedder }, { limited: true });
  const writers = SAVED_KINDS.flatMap((kind) => SAVED_IDS.map((id) => ({ kind, id })));
  await Promise.all(
    writers.map(({ kind, id }, i) => write(kind, id, repository(kind), seededRandom(round.seed + i), round)),
  );
}

async function write(
  kind: SavedKind,
  id: string,
  docs: Docs,
  random: Random,
  { round, isDown }: TextRound,
): Promise<void> {
  for (let n = 0; ; n++) {
    const kept = (await docs.get(id))?.text?.split(' ').filter(() => pickInt(random, 2) === 0) ?? [];
    const isDelete = pickInt(random, 6) === 0;
    // Without the embedder no new passage can be saved, unless its vector may come later.
    const most = isDown && kind !== 'later' ? 0 : pickInt(random, 4);
    const added = Array.from({ length: most }, (_, i) => `${round}.${n}.${i}`);
    const text = isDelete || kept.length + most === 0 ? null : [...kept, words(...added)].join(' ').trim();
    const message = (is: TextMessage['is']): TextMessage => ({ kind, id, text, is });
    tell(message('intended'));
    if (text === null) await docs.delete(id);
    else await docs.put({ id, text });
    tell(message('acknowledged'));
  }
}
