import { expect } from 'vitest';
import type { EmbeddedStore } from '../../../src/stores/embedded/index.ts';
import { bytes, text } from './folder.ts';
import { vectorOf } from './vectors.ts';

const DIMENSIONS = 8;
const PAIRS = { start: bytes('pair '), end: bytes('pair!') };

export const isPair = (name: string): boolean => name.startsWith('pair ');

/** What `children/write-pairs.ts` tells; `content` is `null` for a deleted pair. */
export type PairMessage =
  | { wrong: string }
  | { pair: string; content: string | null; is: 'intended' }
  | { pair: string; content: string | null; is: 'acknowledged' };

/** Which pairs of record and vector must be in a folder after their writers were killed, over many rounds. */
export class PairLedger {
  #pairs = new Map<string, string>();
  acknowledged = 0;

  /** Takes in what a child told before it was killed, and checks the folder against it; if asked, with a search for each pair. */
  async check(
    store: EmbeddedStore,
    messages: readonly PairMessage[],
    { isSearched }: { isSearched: boolean },
  ): Promise<void> {
    expect(messages.filter((message) => 'wrong' in message)).toEqual([]);
    const expected = new Map<string, string | null>(this.#pairs);
    const unanswered = new Map<string, string | null>();
    for (const message of messages) {
      if (!('pair' in message)) continue;
      const { pair, content, is } = message;
      if (is === 'intended') unanswered.set(pair, content);
      else {
        this.acknowledged += 1;
        expected.set(pair, content);
        unanswered.delete(pair);
      }
    }
    const { entries } = await store.scan(PAIRS, { limit: 1000 });
    const found = new Map(entries.map(({ key, value }) => [text(key) as string, text(value) as string]));
    for (const name of new Set([...expected.keys(), ...found.keys()])) {
      const possible = [expected.get(name) ?? null];
      const content = unanswered.get(name);
      if (content !== undefined) possible.push(content);
      expect(possible, name).toContain(found.get(name) ?? null);
    }
    await checkVectors(store, found, isSearched);
    this.#pairs = found;
  }
}

/** A vector for each record, and no other. */
async function checkVectors(
  store: EmbeddedStore,
  found: ReadonlyMap<string, string>,
  isSearched: boolean,
): Promise<void> {
  const wanted = [...found].map(([name, content]) => ({
    id: /^pair [01]/.test(name) ? name : `${name} ${content}`,
    content,
  }));
  const ids = wanted.map(({ id }) => id);
  expect(await store.vectors.list('pairs', { limit: 1000 })).toEqual([...ids].sort());
  const vectors = wanted.map(({ content }) => vectorOf(content, DIMENSIONS));
  expect(await store.vectors.getMany('pairs', ids)).toEqual(vectors);
  for (const [i, id] of isSearched ? ids.entries() : []) {
    expect(await store.vectors.search('pairs', vectors[i] as Float32Array, 1)).toEqual([{ id, distance: 0 }]);
  }
  const scratch = (await store.stats()).namespaces.find(({ namespace }) => namespace === 'scratch');
  expect([undefined, 0, 700], 'a commit of 700 vectors is there or not').toContain(scratch?.vectors);
}
