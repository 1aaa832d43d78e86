import { sharedSignal } from '../../../core/abort.ts';
import { BEGINNING, type Place } from '../feed/feed-source.ts';
import type { SubscriptionRecords } from './records.ts';

/** How far a subscription has come in each stream: one small record for each stream that it has handled events of. */
export class Cursors {
  readonly #repository: SubscriptionRecords['cursors'];
  readonly #store: string;
  readonly #subscription: string;

  constructor(repository: SubscriptionRecords['cursors'], store: string, subscription: string) {
    this.#repository = repository;
    this.#store = store;
    this.#subscription = subscription;
  }

  async get(key: string, signal: AbortSignal): Promise<Place> {
    return (await this.#repository.get(this.#id(key), { signal })) ?? BEGINNING;
  }

  /** `undefined` for a stream without a cursor. */
  getMany(keys: readonly string[], signal: AbortSignal): Promise<(Place | undefined)[]> {
    return this.#repository.getMany(
      keys.map((key) => this.#id(key)),
      { signal: sharedSignal(signal) },
    );
  }

  /**
   * Moves on to a place up to which everything was handled: never back, whoever else has moved it. Errors: `fence.stale` for
   * a worker that was replaced by one that has moved it since.
   */
  async move(key: string, to: Place, fence: bigint, signal: AbortSignal | undefined): Promise<void> {
    await this.#repository.mutate(
      this.#id(key),
      (draft) => {
        if (draft.version > to.version || (draft.slot >= to.slot && draft.version === to.version)) return;
        draft.version = to.version;
        draft.slot = to.slot;
      },
      { ifAbsent: { slot: 0, version: 0n }, fence, signal },
    );
  }

  /** Begins at a place, unless it has begun. */
  async begin(key: string, at: Place, signal: AbortSignal): Promise<void> {
    await this.#repository.mutate(this.#id(key), () => {}, {
      ifAbsent: { slot: at.slot, version: at.version },
      signal,
    });
  }

  async delete(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const result of await this.#repository.deleteMany(
      keys.map((key) => this.#id(key)),
      { signal: sharedSignal(signal) },
    )) {
      if (!result.ok) throw result.error;
    }
  }

  #id(key: string): { store: string; subscription: string; key: string } {
    return { store: this.#store, subscription: this.#subscription, key };
  }
}
