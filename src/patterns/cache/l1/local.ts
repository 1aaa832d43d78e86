import type { Random } from '../../../core/clock.ts';
import type { Version } from '../../../core/version.ts';
import type { Servable } from '../value-codec.ts';
import { type Ticket, Tickets } from './tickets.ts';
import { type Bounds, TinyLfu } from './tiny-lfu.ts';

/** A value in the memory of this process. Instants of the monotonic clock, but for those named otherwise. */
export interface LocalEntry<T> {
  /** What each caller is handed, where it is the same; this and the next line are all that a hit looks at. */
  readonly shared: { readonly value: T | undefined } | undefined;
  /** Until then it is served without another thought. */
  readonly calmUntil: number;
  readonly servable: Servable<T | undefined>;
  /** Until then it may be served without asking the store. */
  readonly until: number;
  /** On the wall clock. */
  readonly expiresAt: number;
  /** On the wall clock: until then it may be served while the store or the loader is down. */
  readonly staleUntil: number;
  readonly cost: number;
  readonly isStale: boolean;
  /** Of the record that it was read from; `undefined` if nobody knows. */
  readonly version: Version | undefined;
  readonly tags: readonly string[];
}

/** The values in the memory of this process, bounded, and safe from answers that an invalidation has overtaken. */
export class LocalTier<T> {
  readonly tickets = new Tickets();
  readonly #held: TinyLfu<LocalEntry<T>>;
  readonly #keysOfTag = new Map<string, Set<string>>();
  /** Values that had to make room for others. */
  evictions = 0;

  constructor(bounds: Bounds, random: Random) {
    this.#held = new TinyLfu(bounds, random, (key, entry) => {
      this.evictions += 1;
      this.#untag(key, entry);
    });
  }

  get size(): number {
    return this.#held.size;
  }

  get bytes(): number {
    return this.#held.bytes;
  }

  /** How many tags its values have. */
  get tagCount(): number {
    return this.#keysOfTag.size;
  }

  get(key: string): LocalEntry<T> | undefined {
    return this.#held.get(key);
  }

  /** Does not count as a use. */
  peek(key: string): LocalEntry<T> | undefined {
    return this.#held.peek(key);
  }

  /** Remembers a value, unless its key was dropped since the ticket was taken. */
  admit(key: string, ticket: Ticket, entry: LocalEntry<T>): void {
    if (ticket.isVoid) return;
    const former = this.#held.peek(key);
    if (former !== undefined) this.#untag(key, former);
    if (!this.#held.set(key, entry, entry.servable.bytes + OVERHEAD + key.length)) return;
    for (const tag of entry.tags) {
      const keys = this.#keysOfTag.get(tag);
      if (keys === undefined) this.#keysOfTag.set(tag, new Set([key]));
      else keys.add(key);
    }
  }

  drop(key: string): void {
    this.tickets.void(key);
    this.forget(key);
  }

  dropTags(tags: readonly string[]): void {
    // Which tags the answers under way will have nobody knows yet.
    this.tickets.voidAll();
    for (const tag of tags) for (const key of [...(this.#keysOfTag.get(tag) ?? [])]) this.forget(key);
  }

  clear(): void {
    this.tickets.voidAll();
    this.#held.clear();
    this.#keysOfTag.clear();
  }

  /** As {@link LocalTier.drop}, but what is being asked for may be remembered again. */
  forget(key: string): void {
    const entry = this.#held.peek(key);
    if (entry === undefined) return;
    this.#untag(key, entry);
    this.#held.delete(key);
  }

  #untag(key: string, { tags }: LocalEntry<T>): void {
    for (const tag of tags) {
      const keys = this.#keysOfTag.get(tag);
      if (keys?.delete(key) && keys.size === 0) this.#keysOfTag.delete(tag);
    }
  }
}

/** Of an entry beside its value, in bytes; measured roughly. */
const OVERHEAD = 300;
