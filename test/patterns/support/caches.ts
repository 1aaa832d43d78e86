import type { Store } from '../../../src/core/store.ts';
import { open } from '../../../src/index.ts';
import { Cache, type CacheOptions } from '../../../src/patterns/index.ts';
import {
  type FaultCall,
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';

/** One process on a store: a database, chance and faults of its own. */
export interface CacheProcess<T> {
  readonly cache: Cache<T>;
  readonly faulty: FaultStore;
}

export interface CacheProcessOptions extends Partial<CacheOptions> {
  readonly clock: ManualClock;
  readonly seed?: number | undefined;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?:
    | ((call: FaultCall) => FaultKind | 'none' | undefined | Promise<FaultKind | 'none' | undefined>)
    | undefined;
}

export async function startCache<T>(
  store: Store,
  { seed = 1, clock, faults, script, ...options }: CacheProcessOptions,
): Promise<CacheProcess<T>> {
  const random = seededRandom(seed);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock, random });
  return { faulty, cache: new Cache<T>(db, { name: 'c', ...options }) };
}

/** A loader's result that comes when the test says so. */
export interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
  fail(error: unknown): void;
}

export function gate<T>(): Gate<T> {
  let settle: Pick<Gate<T>, 'open' | 'fail'> | undefined;
  const promise = new Promise<T>((open, fail) => {
    settle = { open, fail };
  });
  // One that fails before anybody waits is no news.
  promise.catch(() => {});
  // The executor has run.
  return { promise, ...(settle as Pick<Gate<T>, 'open' | 'fail'>) };
}
