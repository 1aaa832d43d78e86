/**
 * Text to vector: an embedder that works offline, adapters for those of others, and a cache for all.
 *
 * @packageDocumentation
 */
export type { EmbeddingCacheEntry, EmbeddingCacheStore } from './cache/cache-store.ts';
export { type CachedEmbedder, type CacheOptions, cachedEmbedder } from './cache/cached-embedder.ts';
export type { EmbeddingCounts } from './cache/counts.ts';
export { type StoreCacheOptions, storeCache } from './cache/store-cache.ts';
export { type EmbeddingClient, embeddingClient } from './client.ts';
export { type HashingOptions, hashingEmbedder } from './hashing/hashing-embedder.ts';
export {
  type AiSdkEmbeddingModel,
  type AiSdkOptions,
  type AiSdkProviderOptions,
  aiSdkEmbedder,
} from './providers/ai-sdk.ts';
export { type OpenAiCompatibleOptions, openAiCompatible } from './providers/openai-compatible.ts';
export type { ProviderOptions } from './providers/settings.ts';
