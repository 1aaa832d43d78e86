/** What a {@link cachedEmbedder} did since it was made. */
export interface EmbeddingCounts {
  /** Texts that were asked for. */
  readonly requested: number;
  /** Texts that were sent to the embedder. */
  readonly called: number;
  /** Calls of the embedder. */
  readonly calls: number;
  /** Texts that were answered without being sent: remembered, or shared with somebody who asked at the same time. */
  readonly saved: number;
  /** Texts that were sent and got no vector. */
  readonly failed: number;
  /** Calls of the cache's store that failed. They cost a call of the embedder, and nothing else. */
  readonly storeFailed: number;
}

/** Counts that count. */
export type Counter = { -readonly [K in keyof EmbeddingCounts]: EmbeddingCounts[K] };

export function newCounter(): Counter {
  return { requested: 0, called: 0, calls: 0, saved: 0, failed: 0, storeFailed: 0 };
}
