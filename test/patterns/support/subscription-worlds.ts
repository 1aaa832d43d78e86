import type { Store } from '../../../src/core/store.ts';
import { nextTurn } from '../../../src/core/turn.ts';
import { type Database, open } from '../../../src/index.ts';
import { EventStore } from '../../../src/patterns/index.ts';
import {
  type FaultOptions,
  type FaultStore,
  faultStore,
  type ManualClock,
  manualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';
import { Tally } from './event-tally.ts';
import { QuietStore } from './quiet-store.ts';
import { openStore, type StoreKind } from './stores.ts';

/** One process: a database, chance and faults of its own. */
export interface EventProcess {
  readonly db: Database;
  readonly store: EventStore;
  readonly faulty: FaultStore;
}

/** Short times, so that a fail-over takes few steps. */
export const LEASE = { ttl: 1000, renewEvery: 250, pollEvery: 250 } as const;

/** A store on which processes start, and time that passes when nothing else happens. */
export interface SubscriptionWorld {
  readonly clock: ManualClock;
  readonly shared: QuietStore;
  start(seed: number, faults?: Partial<FaultOptions>): Promise<EventProcess>;
  /** Lets time pass until the work has ended. */
  until<T>(work: Promise<T>, step?: number): Promise<T>;
}

export async function subscriptionWorld(kind: StoreKind): Promise<SubscriptionWorld> {
  const clock = manualClock(START);
  const shared = new QuietStore(await openStore(kind, { clock, random: seededRandom(1) }));
  return {
    clock,
    shared,
    async start(seed, faults = {}) {
      const faulty = faultStore(shared as Store, { random: seededRandom(seed + 1), clock, maxDelay: 20, ...faults });
      const db = await open(faulty, { clock, random: seededRandom(seed) });
      return { db, faulty, store: new EventStore(db, { name: 'tallies', aggregates: [Tally] }) };
    },
    async until(work, step = 20) {
      let isOver = false;
      const end = (): void => {
        isOver = true;
      };
      work.then(end, end);
      for (let steps = 0; !isOver; steps++) {
        if (steps > 20_000) throw new Error('It does not end.');
        await shared.quiet();
        if (!isOver) await clock.advance(step);
        await nextTurn();
      }
      return work;
    },
  };
}
