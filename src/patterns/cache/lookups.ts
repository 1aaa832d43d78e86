import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Consistency } from '../../core/store.ts';
import { type Lookup, lookupOf } from './lookup.ts';
import { type CacheRecords, ROOT, type StoredRecord } from './records.ts';

interface Question {
  readonly key: string;
  readonly tags: readonly string[];
  readonly resolve: (lookup: Lookup) => void;
  readonly reject: (error: unknown) => void;
}

type Kind = 'entry' | 'tag';

/** Reads of the store. Those that are asked for at once share their calls. */
export class Lookups {
  readonly #name: string;
  readonly #records: CacheRecords;
  readonly #environment: Environment;
  readonly #waiting = new Map<Consistency, Question[]>();

  constructor(name: string, records: CacheRecords, environment: Environment) {
    this.#name = name;
    this.#records = records;
    this.#environment = environment;
  }

  /** What the store says of a key, with the generations of these tags. Errors: those of a repository's `getMany`. */
  look(key: string, tags: readonly string[], consistency: Consistency): Promise<Lookup> {
    return new Promise((resolve, reject) => {
      const question = { key, tags, resolve, reject };
      const waiting = this.#waiting.get(consistency);
      if (waiting !== undefined) {
        waiting.push(question);
        return;
      }
      this.#waiting.set(consistency, [question]);
      // Whatever is asked for in the same breath comes along.
      queueMicrotask(() => void this.#send(consistency));
    });
  }

  /** The generations of tags, in order. */
  async tags(tags: readonly string[]): Promise<string[]> {
    const found = await this.#read(
      tags.map((tag) => ['tag', tag] as const),
      'strong',
    );
    return found.map((record) => record?.gen ?? '');
  }

  /** The tag that every entry has. */
  async root(): Promise<StoredRecord | undefined> {
    const [root] = await this.#read([['tag', ROOT]], 'strong');
    return root;
  }

  async #send(consistency: Consistency): Promise<void> {
    const questions = this.#waiting.get(consistency) ?? [];
    this.#waiting.delete(consistency);
    try {
      await this.#answer(questions, consistency);
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }

  async #answer(questions: readonly Question[], consistency: Consistency): Promise<void> {
    const keys = [...new Set(questions.map(({ key }) => key))];
    const asked = [...new Set([ROOT, ...questions.flatMap(({ tags }) => tags)])];
    const found = await this.#read(
      [...keys.map((key) => ['entry', key] as const), ...asked.map((tag) => ['tag', tag] as const)],
      consistency,
    );
    const records = new Map(keys.map((key, i) => [key, found[i]]));
    const tags = new Map(asked.map((tag, i) => [tag, found[keys.length + i]?.gen ?? '']));
    await this.#readTagsOf([...records.values()], tags, consistency);
    const root = found[keys.length];
    const now = this.#environment.clock.now();
    for (const { key, resolve } of questions) resolve(lookupOf(records.get(key), root, tags, now));
  }

  /** Adds the tags that entries turned out to have. */
  async #readTagsOf(
    records: readonly (StoredRecord | undefined)[],
    known: Map<string, string>,
    consistency: Consistency,
  ): Promise<void> {
    const all = records.flatMap((record) => (record?.tags ?? []).map(({ tag }) => tag));
    const missing = [...new Set(all)].filter((tag) => !known.has(tag));
    if (missing.length === 0) return;
    const found = await this.#read(
      missing.map((tag) => ['tag', tag] as const),
      consistency,
    );
    for (const [i, tag] of missing.entries()) known.set(tag, found[i]?.gen ?? '');
  }

  async #read(
    ids: readonly (readonly [kind: Kind, key: string])[],
    consistency: Consistency,
  ): Promise<(StoredRecord | undefined)[]> {
    const all = ids.map(([kind, key]) => ({ name: this.#name, kind, key }));
    try {
      return await this.#records.getMany(all, { consistency });
    } catch (error) {
      if (!NorimakiError.is(error, 'record.corrupt') || all.length === 1) throw error;
      // One that cannot be read must not hide the others.
      return Promise.all(all.map((id) => this.#readAlone(id, consistency)));
    }
  }

  async #readAlone(
    id: { readonly name: string; readonly kind: Kind; readonly key: string },
    consistency: Consistency,
  ): Promise<StoredRecord | undefined> {
    try {
      return await this.#records.get(id, { consistency });
    } catch (error) {
      // An entry is only a copy: the next fill or invalidation replaces it. Of a tag nobody knows what it has invalidated.
      if (!NorimakiError.is(error, 'record.corrupt') || id.kind === 'tag') throw error;
      return undefined;
    }
  }
}
