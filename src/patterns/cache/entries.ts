import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { RetryOptions } from '../../core/retry/index.ts';
import { released } from '../shared/lease/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { TagGenerations } from './lookup.ts';
import {
  type CacheRecordFields,
  type CacheRecords,
  HOLD_LIFE,
  MARK_LIFE,
  newGeneration,
  type StoredRecord,
} from './records.ts';

/** A value that is to be stored; instants of the wall clock. */
export interface NewValue {
  /** `undefined`: there is none, and that is known. */
  readonly text: string | undefined;
  readonly expiresAt: number;
  readonly staleUntil: number;
  readonly cost: number;
  /** As they were before the value came to be. */
  readonly tags: TagGenerations;
}

/** An entry that is being changed. */
export type EntryDraft = Omit<StoredRecord, 'name' | 'kind' | 'key'>;

/** Thrown out of `mutate`, so that nothing is written. */
class Refused extends Error {}

/** A copy is not worth more tries: whoever wants to store it has the value already. */
const FILL_RETRY: RetryOptions = { maxAttempts: 8, deadline: 5_000 };

/** Writes of entries. Each one but a fill makes a new generation, which keeps loads that began before it from being stored. */
export class Entries {
  readonly #name: string;
  readonly #records: CacheRecords;
  readonly #environment: Environment;
  /** The longest that a load takes, in milliseconds. */
  readonly #hard: number;

  constructor(name: string, records: CacheRecords, environment: Environment, hard: number) {
    this.#name = name;
    this.#records = records;
    this.#environment = environment;
    this.#hard = hard;
  }

  /**
   * Stores what was loaded, unless the entry's generation is not the one from before the load any more. `false`: it is
   * not. Also gives back the lease of `holder`.
   */
  async fill(key: string, gen: string, value: NewValue, holder: string | undefined): Promise<boolean> {
    try {
      await this.#mutate(
        key,
        (draft, now) => {
          if (draft.gen !== gen) throw new Refused();
          if (draft.gen === '') draft.gen = this.#newGeneration();
          if (holder !== undefined && draft.lease?.holder === holder) draft.lease = undefined;
          this.#write(draft, value, now);
        },
        { retry: FILL_RETRY },
      );
      return true;
    } catch (error) {
      if (error instanceof Refused) return false;
      if (!NorimakiError.is(error, 'record.corrupt')) throw error;
      await this.invalidate(key, {});
      return false;
    }
  }

  /** Stores a value whatever is there; loads that are under way are not stored after it. */
  put(key: string, value: NewValue, options: BlockCallOptions): Promise<StoredRecord> {
    return this.#renew(key, (draft, now) => this.#write(draft, value, now), options);
  }

  /** Takes the value away. Loads that began before are not stored any more. */
  async invalidate(key: string, options: BlockCallOptions): Promise<void> {
    await this.#renew(key, (draft, now) => this.#empty(draft, now), options);
  }

  /** As if its ttl were over: it may still be served stale. */
  async expire(key: string, options: BlockCallOptions): Promise<void> {
    await this.#renew(
      key,
      (draft, now) => {
        const { expiresAt = now, staleUntil = now } = draft;
        if (expiresAt > now) {
          draft.expiresAt = now;
          draft.staleUntil = now + (staleUntil - expiresAt);
        }
        this.#keep(draft, now);
      },
      options,
    );
  }

  /** Takes the value away and stores none until the hold is settled, or {@link HOLD_LIFE} is over. Resolves to the generation. */
  async hold(key: string, id: string, options: BlockCallOptions): Promise<string> {
    const { gen } = await this.#renew(
      key,
      (draft, now) => {
        this.#empty(draft, now);
        const others = (draft.holds ?? []).filter((hold) => hold.until > now && hold.id !== id);
        draft.holds = [...others, { id, until: now + HOLD_LIFE }];
      },
      options,
    );
    return gen;
  }

  /** Ends a hold. Stores the value if nobody else has written, or is writing, behind the cache. `false`: it was not stored. */
  async settle(key: string, id: string, gen: string, value: NewValue | undefined): Promise<boolean> {
    let isStored = false;
    await this.#renew(
      key,
      (draft, now) => {
        const others = (draft.holds ?? []).filter((hold) => hold.id !== id);
        const isAlone = draft.gen === gen && !others.some(({ until }) => until > now);
        draft.holds = others.length === 0 ? undefined : others;
        isStored = isAlone && value !== undefined;
        if (isAlone && value !== undefined) this.#write(draft, value, now);
        else this.#empty(draft, now);
      },
      {},
    );
    return isStored;
  }

  #newGeneration(): string {
    return newGeneration(this.#environment.random);
  }

  async #renew(
    key: string,
    change: (draft: EntryDraft, now: number) => void,
    options: BlockCallOptions,
  ): Promise<StoredRecord> {
    // One for all tries: a write that is repeated is the same write.
    const gen = this.#newGeneration();
    const renew = (draft: EntryDraft, now: number): void => {
      change(draft, now);
      draft.gen = gen;
      // Whoever is loading loads what is outdated now: nobody should wait for that.
      if (draft.lease?.holder !== undefined) draft.lease = released(draft.lease);
    };
    try {
      return await this.#mutate(key, renew, options);
    } catch (error) {
      if (!NorimakiError.is(error, 'record.corrupt')) throw error;
      // Only a copy was lost with it.
      await this.#records.delete(this.#id(key), options);
      return this.#mutate(key, renew, options);
    }
  }

  #mutate(
    key: string,
    change: (draft: EntryDraft, now: number) => void,
    { signal, retry }: BlockCallOptions,
  ): Promise<StoredRecord> {
    return this.#records.mutate(this.#id(key), (draft) => change(draft, this.#environment.clock.now()), {
      ifAbsent: { gen: '' },
      signal,
      retry,
    });
  }

  #id(key: string): Pick<CacheRecordFields, 'name' | 'key'> & { readonly kind: 'entry' } {
    return { name: this.#name, kind: 'entry', key };
  }

  #write(draft: EntryDraft, { text, expiresAt, staleUntil, cost, tags }: NewValue, now: number): void {
    draft.text = text;
    draft.isAbsent = text === undefined ? true : undefined;
    draft.expiresAt = expiresAt;
    draft.staleUntil = staleUntil;
    draft.cost = cost;
    draft.tags = [...tags].map(([tag, gen]) => ({ tag, gen }));
    this.#keep(draft, now);
  }

  #empty(draft: EntryDraft, now: number): void {
    draft.text = undefined;
    draft.isAbsent = undefined;
    draft.expiresAt = undefined;
    draft.staleUntil = undefined;
    draft.cost = undefined;
    draft.tags = undefined;
    this.#keep(draft, now);
  }

  /** A load that is under way must find the mark of what happened meanwhile. */
  #keep(draft: EntryDraft, now: number): void {
    const servedUntil = Math.max(draft.expiresAt ?? 0, draft.staleUntil ?? 0, now);
    const keptUntil = Math.max(servedUntil + this.#hard + MARK_LIFE, draft.keptUntil?.getTime() ?? 0);
    draft.keptUntil = new Date(keptUntil);
  }
}
