import { throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { CacheMessage } from './bus.ts';
import { jittered } from './call.ts';
import type { NewValue } from './entries.ts';
import { tooLarge } from './errors.ts';
import { Absent } from './loader.ts';
import { admit, type CacheParts } from './parts.ts';
import type { Reads } from './reads.ts';
import { ROOT } from './records.ts';
import type { Tags } from './tags.ts';
import { servable, type ValueCodec } from './value-codec.ts';

/** A value to be put; times in milliseconds. */
export interface Put<T> {
  readonly key: string;
  readonly value: T | Absent;
  readonly codec: ValueCodec<T>;
  readonly tags: readonly string[];
  readonly ttl: number;
  readonly stale: number;
}

/** What others are told. */
type News = Pick<CacheMessage, 'keys' | 'tags' | 'all'>;

/** Writes of a cache: first the store, then the memory of this process, then the news for the others. */
export class Writes {
  readonly #parts: CacheParts;
  readonly #tags: Tags;
  readonly #reads: Reads;
  readonly #publish: (news: News) => void | Promise<void>;

  constructor(parts: CacheParts, tags: Tags, reads: Reads, publish: (news: News) => void | Promise<void>) {
    this.#parts = parts;
    this.#tags = tags;
    this.#reads = reads;
    this.#publish = publish;
  }

  /** Errors: `cache.tooLarge`, `validation.failed`. */
  async put<T>(put: Put<T>, options: BlockCallOptions): Promise<void> {
    const { key, codec, value } = put;
    const { settings, environment, entries, local } = this.#parts;
    const text = value instanceof Absent ? undefined : codec.encode(value);
    const served = servable(codec, text);
    const ticket = local?.tickets.open(key);
    try {
      const mono = environment.clock.mono();
      const stored = await this.newValue(put, text, options);
      try {
        await entries.put(key, stored, options);
      } catch (error) {
        if (!NorimakiError.is(error, 'size.exceeded')) throw error;
        throw tooLarge(settings.name, error.details.bytes, error.details.limit);
      } finally {
        // Of two that are put at once nobody here knows which was the last.
        const isAlone = ticket?.isVoid === false;
        this.#forget([key]);
        if (isAlone) ticket.isVoid = false;
      }
      admit(this.#parts, key, ticket, { ...stored, servable: served, tags: put.tags, version: undefined }, mono);
    } finally {
      if (ticket !== undefined) local?.tickets.close(key, ticket);
    }
    await this.#tell({ keys: [key] });
  }

  /** With the generations of its tags as they are before it is stored. */
  async newValue<T>(
    { value, tags, ttl, stale }: Pick<Put<T>, 'value' | 'tags' | 'ttl' | 'stale'>,
    text: string | undefined,
    { signal }: BlockCallOptions,
  ): Promise<NewValue> {
    const { settings, environment, lookups } = this.#parts;
    const { clock, random } = environment;
    throwIfAborted(signal);
    const all = [...tags, ROOT];
    const generations = await lookups.tags(all);
    const isAbsent = value instanceof Absent;
    const life = isAbsent ? (value.ttl ?? ttl) : ttl;
    const expiresAt = clock.now() + jittered(life, settings.jitter, random);
    return {
      text,
      expiresAt,
      staleUntil: expiresAt + (isAbsent ? 0 : stale),
      cost: 0,
      tags: new Map(all.map((tag, i) => [tag, generations[i] ?? ''])),
    };
  }

  async invalidate(keys: readonly string[], options: BlockCallOptions): Promise<void> {
    await this.#change(keys, (key) => this.#parts.entries.invalidate(key, options));
  }

  async expire(keys: readonly string[], options: BlockCallOptions): Promise<void> {
    await this.#change(keys, (key) => this.#parts.entries.expire(key, options));
  }

  async invalidateTags(tags: readonly string[], options: BlockCallOptions): Promise<void> {
    if (tags.length === 0) return;
    try {
      await this.#tags.invalidate(tags, options);
    } finally {
      this.#parts.local?.dropTags(tags);
    }
    await this.#tell({ tags });
  }

  async clear(options: BlockCallOptions): Promise<void> {
    try {
      await this.#tags.clear(options);
    } finally {
      this.#parts.local?.clear();
      this.#reads.detachAll();
    }
    await this.#tell({ all: true });
  }

  /** What another process has changed. */
  hear({ keys, tags, all }: News): void {
    const { local } = this.#parts;
    if (all === true) local?.clear();
    for (const key of keys ?? []) local?.drop(key);
    if (tags !== undefined) local?.dropTags(tags);
  }

  /** Something behind the cache has changed under a key. */
  async changed(key: string): Promise<void> {
    this.#forget([key]);
    await this.#tell({ keys: [key] });
  }

  async #change(keys: readonly string[], change: (key: string) => Promise<void>): Promise<void> {
    try {
      await Promise.all(keys.map(change));
    } finally {
      // Also if it failed: it may have been applied.
      this.#forget(keys);
    }
    await this.#tell({ keys });
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) this.#parts.local?.drop(key);
    this.#reads.detach(keys);
  }

  /** Without the news the others find out for themselves, a little later. */
  async #tell(news: News): Promise<void> {
    try {
      await this.#publish(news);
    } catch {
      this.#parts.counts.failures += 1;
    }
  }
}
