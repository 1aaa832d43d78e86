import type { IdPart } from '../../core/model/model.ts';

/** Hears of the writes of one entity: once for each call, when it is over and before its caller knows. */
export type WriteListener = (id: readonly IdPart[]) => void;

/** Who wants to hear what this process writes, by where the records of an entity are. */
export class WriteListeners {
  readonly #listeners = new Map<string, Set<WriteListener>>();

  /** Returns what ends it. */
  add(place: string, listener: WriteListener): () => void {
    const others = this.#listeners.get(place);
    if (others === undefined) this.#listeners.set(place, new Set([listener]));
    else others.add(listener);
    return () => {
      const listeners = this.#listeners.get(place);
      if (listeners?.delete(listener) && listeners.size === 0) this.#listeners.delete(place);
    };
  }

  /** Nearly nobody listens: a write asks first, and goes on untouched. */
  of(place: string): ReadonlySet<WriteListener> | undefined {
    return this.#listeners.size === 0 ? undefined : this.#listeners.get(place);
  }
}
