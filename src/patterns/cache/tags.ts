import type { Environment } from '../../core/clock.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { type CacheRecords, newGeneration, ROOT, type StoredRecord, TAG_LIFE } from './records.ts';

/** So many tags can be told apart by a load that learns of its tags late. */
const REMEMBERED = 64;

/** Writes of tags: a new generation of a tag makes all values invalid that were loaded under an earlier one. */
export class Tags {
  readonly #name: string;
  readonly #records: CacheRecords;
  readonly #environment: Environment;

  constructor(name: string, records: CacheRecords, environment: Environment) {
    this.#name = name;
    this.#records = records;
    this.#environment = environment;
  }

  /** Invalidates whatever has one of the tags. */
  async invalidate(tags: readonly string[], options: BlockCallOptions): Promise<void> {
    // First: a load that reads a tag's new generation has to find it here.
    await this.#mutate(ROOT, options, (draft) => {
      draft.bumps = (draft.bumps ?? 0) + tags.length;
      draft.bumped = [...(draft.bumped ?? []), ...tags].slice(-REMEMBERED);
    });
    await Promise.all(tags.map((tag) => this.#renew(tag, options)));
  }

  /** Invalidates everything. */
  clear(options: BlockCallOptions): Promise<void> {
    return this.#renew(ROOT, options);
  }

  async #renew(tag: string, options: BlockCallOptions): Promise<void> {
    const gen = newGeneration(this.#environment.random);
    await this.#mutate(tag, options, (draft) => {
      draft.gen = gen;
    });
  }

  async #mutate(
    tag: string,
    { signal, retry }: BlockCallOptions,
    change: (draft: Omit<StoredRecord, 'name' | 'kind' | 'key'>) => void,
  ): Promise<void> {
    const { clock } = this.#environment;
    await this.#records.mutate(
      { name: this.#name, kind: 'tag', key: tag },
      (draft) => {
        change(draft);
        draft.keptUntil = new Date(clock.now() + TAG_LIFE);
      },
      { ifAbsent: { gen: '' }, signal, retry },
    );
  }
}

/** Whether none of the tags was invalidated since `bumps`, by what the root says now. */
export function untouchedSince(root: StoredRecord | undefined, bumps: number, tags: readonly string[]): boolean {
  const { bumps: now = 0, bumped = [] } = root ?? {};
  const since = now - bumps;
  // Gone back: it was forgotten in between. More than it remembers: nobody knows.
  if (since < 0 || since > bumped.length) return false;
  const newest = since === 0 ? [] : bumped.slice(-since);
  return !newest.some((tag) => tags.includes(tag));
}
