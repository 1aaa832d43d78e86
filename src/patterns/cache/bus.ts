/** What one process tells the others: which values of theirs are no longer good. */
export interface CacheMessage {
  /** The name of the cache. */
  readonly cache: string;
  readonly tenant?: string | undefined;
  /** Of the tenant; 0 where there is none. */
  readonly generation?: number | undefined;
  /** Which cache object says so; it does not listen to itself. */
  readonly from: string;
  readonly keys?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Everything. */
  readonly all?: boolean | undefined;
}

/**
 * Carries messages between the processes that share a cache: Redis pub/sub, NATS, a socket. A message is plain JSON.
 * One that is lost or late costs no more than `l1.ttl`.
 *
 * @example
 * ```ts
 * const bus: CacheBus = {
 *   publish: (message) => nats.publish('cache', JSON.stringify(message)),
 *   subscribe: (listener) => {
 *     const subscription = nats.subscribe('cache', { callback: (_, m) => listener(m.json()) });
 *     return () => subscription.unsubscribe();
 *   },
 * };
 * ```
 */
export interface CacheBus {
  publish(message: CacheMessage): void | Promise<void>;
  /** Returns what ends the subscription. */
  subscribe(listener: (message: CacheMessage) => void): () => void | Promise<void>;
}
