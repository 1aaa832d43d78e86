import type { Store } from '../../../src/core/store.ts';
import { open } from '../../../src/index.ts';
import { Counter, type CounterOptions } from '../../../src/patterns/index.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { SURVIVABLE_FAULTS } from '../../support/fates.ts';

/** One process on a store: a database, chance and faults of its own. */
export interface Process {
  readonly counter: Counter;
  readonly faulty: FaultStore;
}

export interface ProcessOptions extends CounterOptions {
  readonly clock: ManualClock;
  readonly seed: number;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

export async function startProcess(
  store: Store,
  { seed, clock, faults, script, ...options }: ProcessOptions,
): Promise<Process> {
  const random = seededRandom(seed);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock, random });
  return { faulty, counter: new Counter(db, options) };
}

/** Every fault that a process survives, each as likely as chance has it. */
export function anyFaults(seed: number): Partial<Record<FaultKind, number>> {
  const random = seededRandom(seed);
  return Object.fromEntries(SURVIVABLE_FAULTS.map((kind) => [kind, 0.01 + random.float() ** 2 * 0.15]));
}
