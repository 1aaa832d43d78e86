import { z } from 'zod';
import type { Store } from '../../../src/core/store.ts';
import { nextTurn } from '../../../src/core/turn.ts';
import { type Clock, type Database, defineEntity, open } from '../../../src/index.ts';
import { Election, type ElectionOptions } from '../../../src/patterns/index.ts';
import {
  type FaultOptions,
  type FaultStore,
  faultStore,
  manualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { openMemory, START } from '../../support/open.ts';

/** A record that leaders write to. */
export const Job = defineEntity('job', z.object({ id: z.string(), by: z.array(z.string()).default([]) }), { id: 'id' });

/** One process with a candidate: a database, clocks, chance and faults of its own. */
export interface Candidate {
  readonly election: Election;
  readonly db: Database;
  readonly faulty: FaultStore;
}

export interface CandidateOptions extends Partial<ElectionOptions> {
  readonly clock: Clock;
  readonly seed: number;
  readonly faults?: Partial<FaultOptions> | undefined;
}

async function startCandidate(store: Store, { clock, seed, faults, ...options }: CandidateOptions): Promise<Candidate> {
  const random = seededRandom(seed);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, maxDelay: 20, ...faults });
  const db = await open(faulty, { clock, random });
  const election = new Election(db, { name: 'e', ttl: 1000, candidate: `node-${seed}`, ...options });
  return { db, faulty, election };
}

/** Everything that does not wait for time has happened. */
export const settled = async (): Promise<void> => {
  for (let i = 0; i < 8; i++) await nextTurn();
};

/** A memory store, on which processes start one after the other; time stands still unless it is let pass. */
export async function electionWorld() {
  const { store } = await openMemory();
  const clock = manualClock(START);
  const db = await open(store, { clock, random: seededRandom(1) });
  let seed = 0;
  return {
    store,
    clock,
    db,
    jobs: db.repo(Job),
    start: (candidate: string, options: Partial<CandidateOptions> = {}): Promise<Candidate> => {
      seed += 10;
      return startCandidate(store, { clock, seed, candidate, ...options });
    },
    /** Lets time pass in steps, so that whoever is woken does what it does then. */
    async pass(ms: number): Promise<void> {
      for (let passed = 0; passed < ms; passed += 50) {
        await clock.advance(Math.min(50, ms - passed));
        await settled();
      }
    },
  };
}
