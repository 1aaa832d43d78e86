import type { Store } from '../../../src/core/store.ts';
import { open } from '../../../src/index.ts';
import { Cache, type CacheOptions } from '../../../src/patterns/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import { idle } from '../../../src/testing/idle.ts';
import {
  type FaultCall,
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  manualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';

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

/** A store on a clock that stands still, and processes on it. */
export async function cacheWorld() {
  const clock = manualClock(START);
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  let seed = 100;
  return {
    clock,
    store,
    start: <T>(options: Partial<CacheProcessOptions> = {}) =>
      startCache<T>(store, { clock, seed: seed++, early: 0, ...options }),
  };
}

/** Lets everything happen that can. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await idle();
}
