import { expect } from 'vitest';
import { systemEnvironment } from '../../../src/core/system.ts';
import { type OpenOptions, systemClock } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { CHUNK, passagesOf } from './long-docs.ts';
import { disagreements } from './oracle.ts';
import { SAVED_IDS, SAVED_KINDS, type SavedKind, savedEmbedder, savedTexts, type TextMessage } from './saved.ts';

/** Later than any lease of those that were killed. */
export const laterClock = { ...systemClock, now: () => systemClock.now() + 60_000 };

type Texts = Map<string, string | null>;

/** Which texts must be in a folder after their writers were killed, and be found, over many rounds. */
export class TextLedger {
  readonly #texts = new Map(SAVED_KINDS.map((kind): [SavedKind, Texts] => [kind, new Map()]));
  readonly #embedder = savedEmbedder('up');

  /** Takes in what a child told before it was killed, and checks the folder against it before and after it is mended. */
  async check(path: string, messages: readonly TextMessage[]): Promise<void> {
    await this.#open(path, {}, async ({ repository, doctor }) => {
      for (const [kind, texts] of this.#texts) {
        const isPending = kind === 'later';
        const docs = repository(kind);
        const found = new Map(
          (await docs.getMany(SAVED_IDS)).map((doc, i) => [String(SAVED_IDS[i]), doc?.text ?? null]),
        );
        expectPossible(
          texts,
          found,
          messages.filter((message) => message.kind === kind),
        );
        this.#texts.set(kind, found);
        const options = { queries: ['a query', ...partsOf(found)], chunk: CHUNK, isPending };
        expect(await disagreements(docs, this.#embedder, SAVED_IDS, options), kind).toEqual([]);
      }
      await doctor(true);
      expect((await doctor(false)).findings).toEqual([]);
    });
  }

  /** In the end every text is found by each of its passages, and once all are saved anew no other vector is left. */
  async settle(path: string): Promise<void> {
    await this.#open(path, { clock: laterClock }, async ({ repository, drain, doctor }) => {
      let passages = 0;
      await drain();
      for (const [kind, texts] of this.#texts) {
        const docs = repository(kind);
        const queries = partsOf(texts);
        expect(await disagreements(docs, this.#embedder, SAVED_IDS, { queries, chunk: CHUNK }), kind).toEqual([]);
        for (const id of SAVED_IDS) {
          const text = `${texts.get(id) ?? ''} anew`;
          await docs.put({ id, text });
          passages += passagesOf(text).length;
        }
      }
      await drain();
      expect(await doctor(false)).toMatchObject({ findings: [], checked: { vectors: passages } });
    });
  }

  async #open(
    path: string,
    options: OpenOptions,
    work: (saved: Awaited<ReturnType<typeof savedTexts>>) => Promise<void>,
  ): Promise<void> {
    const store = await embedded({ path }).openStore(systemEnvironment);
    try {
      const opened = { ...options, embedder: this.#embedder, outbox: false } as const;
      await work(await savedTexts(store, opened, { limited: false }));
    } finally {
      await store.close();
    }
  }
}

function partsOf(texts: Texts): string[] {
  return [...texts.values()].flatMap((text) => passagesOf(text));
}

/** What was acknowledged, or what was under way when the process was killed. */
function expectPossible(before: Texts, found: Texts, messages: readonly TextMessage[]): void {
  const expected = new Map(before);
  const unanswered = new Map<string, string | null>();
  for (const { id, text, is } of messages) {
    if (is === 'intended') unanswered.set(id, text);
    else {
      expected.set(id, text);
      unanswered.delete(id);
    }
  }
  for (const [id, text] of found) {
    const possible = [expected.get(id) ?? null];
    const other = unanswered.get(id);
    if (other !== undefined) possible.push(other);
    expect(possible, id).toContain(text);
  }
}
