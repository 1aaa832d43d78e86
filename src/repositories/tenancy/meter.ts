/** How much is stored, or by how much that changes: see {@link usageOf} for what counts. */
export interface Usage {
  /** Records; a placeholder that marks an absence is none. */
  readonly records: number;
  /** Of the values of records, as stored. */
  readonly bytes: number;
  /** Vectors that records name. */
  readonly vectors: number;
}

export const NO_USAGE: Usage = { records: 0, bytes: 0, vectors: 0 };

/**
 * What became of a write:
 * - `applied`: certainly, and by this very write;
 * - `notApplied`: certainly, and it never can be any more;
 * - `unknown`: nobody can tell. What was taken must stay taken, and nothing is credited.
 */
export type Settlement = 'applied' | 'notApplied' | 'unknown';

/** What was taken for one write. Settled exactly once. */
export interface Hold {
  settle(settlement: Settlement): void;
}

/**
 * Told of every write of a record: one compare-and-swap, whatever the number of calls that are folded into it.
 *
 * A `delta` is exact if the write is applied: what the store then holds, less what the very version that it replaces
 * held. What grows has to be taken before the write is sent; what shrinks may be credited when it is applied.
 */
export interface Meter {
  /** Errors: whatever it throws reaches the caller, and nothing is sent. */
  take(delta: Usage, options: { readonly signal?: AbortSignal | undefined }): Hold | Promise<Hold>;
}
