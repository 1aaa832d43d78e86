/** Where a {@link cachedEmbedder} keeps vectors beyond the life of its process. May forget whatever it likes. */
export interface EmbeddingCacheStore {
  /** One answer for each key, in order; `undefined` for what is not there or damaged. */
  get(keys: readonly string[]): Promise<(Float32Array | undefined)[]>;
  set(entries: readonly EmbeddingCacheEntry[]): Promise<void>;
}

export interface EmbeddingCacheEntry {
  /** A hash of the embedder's id and the text: says nothing of either, and never means another vector. */
  readonly key: string;
  readonly vector: Float32Array;
}
