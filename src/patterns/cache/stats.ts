/** What a cache object did so far, in this process. */
export interface CacheStats {
  /** Values served from memory. */
  l1Hits: number;
  /** Values served from the store. */
  l2Hits: number;
  /** Of both, those that were past their ttl. */
  staleHits: number;
  /** Calls that found nothing to serve, or waited for something newer. */
  misses: number;
  /** Runs of a loader. */
  loads: number;
  /** Of them, those that failed or took too long. */
  loadFailures: number;
  /** Of them, those that began before the value expired. */
  earlyLoads: number;
  /** Loaded values that were not stored, because they were invalidated meanwhile. */
  refusedFills: number;
  /** Loaded values that were not stored, because they are too large for the store. */
  tooLarge: number;
  /** Calls to the store, or to the bus, that failed and were done without. */
  failures: number;
  /** Values that made room for others in memory. */
  evictions: number;
  /** Values in memory. */
  l1Size: number;
  /** Their size, roughly. */
  l1Bytes: number;
}

/** What is counted as it happens; the others are looked up. */
export type Counts = Omit<CacheStats, 'evictions' | 'l1Size' | 'l1Bytes'>;

export function noCounts(): Counts {
  return {
    l1Hits: 0,
    l2Hits: 0,
    staleHits: 0,
    misses: 0,
    loads: 0,
    loadFailures: 0,
    earlyLoads: 0,
    refusedFills: 0,
    tooLarge: 0,
    failures: 0,
  };
}
