import type { Embedder, EmbedOptions } from '../core/embedder.ts';
import { Cached } from './cache/cached-embedder.ts';
import type { EmbeddingCounts } from './cache/counts.ts';

/** How a program asks an embedder: text by text, while calls are shared and answers remembered. */
export interface EmbeddingClient {
  /** The embedder that the client was made of. */
  readonly embedder: Embedder;
  readonly counts: EmbeddingCounts;
  /**
   * The vector of a text that is not blank: of the embedder's length, finite, not all zeros, the caller's own.
   * Errors: `embedder.unavailable`, `embedder.rejected`, `aborted`.
   */
  embed(text: string, options?: EmbedOptions): Promise<Float32Array>;
}

/**
 * A client of `embedder`: through its cache if it has one, as {@link cachedEmbedder} gives it, else through a cache in
 * memory that this makes.
 */
export function embeddingClient(embedder: Embedder): EmbeddingClient {
  const cached = embedder instanceof Cached ? embedder : new Cached(embedder);
  return {
    embedder,
    get counts() {
      return cached.counts;
    },
    embed: (text, options) => cached.embedOne(text, options),
  };
}
