import type { Passage } from '../vectors/cut.ts';

/** What `search` and `similarTo` take beside what to search for. */
export interface SearchOptions<Where = object, Embedding extends string = string, Entity = object> {
  /** At most so many hits; 1 to 1,000, default 10. */
  readonly limit?: number | undefined;
  /** Conditions on fields, as in `find`; an `@Index` on them makes rare matches cheap, and exact. */
  readonly where?: Where | undefined;
  /**
   * A test of the entity as it was read, beside `where`; the search widens until enough pass. Whatever can be said by
   * `where` is cheaper there. It must not change the entity. What it throws, the search rejects with.
   */
  readonly filter?: ((entity: Entity) => boolean) | undefined;
  /** Only hits with at least this score. */
  readonly minScore?: number | undefined;
  /** Which embedding; default: all of them, an entity counting by its best. */
  readonly field?: Embedding | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchHit<T> {
  readonly entity: T;
  /** Higher is nearer: the cosine, the dot product, or 1 / (1 + euclidean distance). */
  readonly score: number;
  /** The embedding that was nearest. */
  readonly field: string;
  /**
   * The passage that was nearest, of an embedding with `chunk`. `undefined` for others, and where this program would cut
   * the text elsewhere than the one that embedded it.
   */
  readonly passage?: Passage | undefined;
}

export interface SearchResult<T> {
  /** The nearest first. Each was read, and its score is that of what it holds now. */
  readonly hits: readonly SearchHit<T>[];
  /** There are no more hits than these. `false` with fewer than `limit`: give up some conditions, or add an `@Index`. */
  readonly exhausted: boolean;
  /** Vectors that were met and not returned, because their entity had changed, expired or gone. */
  readonly dropped: number;
  /** Entities whose vectors are still to be made, up to 1,000: they cannot be found yet. */
  readonly pending: number;
}

export type SearchQuery = string | Float32Array | readonly number[];
