import type { Store } from '../../src/core/store.ts';
import type { Database, OpenOptions } from '../../src/index.ts';
import { open } from '../../src/index.ts';
import { type MemoryStore, memory } from '../../src/stores/memory/index.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  manualClock,
  seededRandom,
} from '../../src/testing/index.ts';

export const START = Date.UTC(2026, 0, 1);

export interface Bench<St extends Store = MemoryStore> {
  readonly db: Database<St, undefined>;
  readonly clock: ManualClock;
  readonly store: St;
}

/** A database on a fresh memory store, on virtual time and seeded chance. */
export async function openMemory(options: OpenOptions & { seed?: number } = {}): Promise<Bench> {
  const clock = manualClock(START, { autoAdvance: true });
  const random = seededRandom(options.seed ?? 1);
  const store = await memory().openStore({ clock, random });
  return { db: await open(store, { clock, random, ...options }), clock, store };
}

/** The same behind faults that happen at scripted calls: `script(call number, verb)`. */
export async function openFaulty(
  script: (call: number, verb: string) => FaultKind | 'none',
): Promise<Bench & { faulty: FaultStore<MemoryStore>; direct: Database<MemoryStore> }> {
  const { db: direct, clock, store } = await openMemory();
  const random = seededRandom(7);
  const faulty = faultStore(store, { random, clock, script: ({ number, verb }) => script(number, verb) });
  return { db: await open(faulty, { clock, random }), direct, faulty, clock, store };
}
