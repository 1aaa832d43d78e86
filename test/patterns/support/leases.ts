import { z } from 'zod';
import type { Store } from '../../../src/core/store.ts';
import type { Clock } from '../../../src/index.ts';
import { defineEntity, open } from '../../../src/index.ts';
import { LeaseCandidate, type LeasePlace, leaseFields, recordPlace } from '../../../src/patterns/shared/lease/index.ts';
import { type FaultOptions, type FaultStore, faultStore, seededRandom } from '../../../src/testing/index.ts';

export const Turn = defineEntity('turn', z.object({ name: z.string(), note: z.string().optional(), ...leaseFields }), {
  id: 'name',
});

export const TTL = 1000;
export const DRIFT = 0.1;

/** One process that wants the lease 'one' of a store. */
export interface LeaseProcess {
  readonly candidate: LeaseCandidate;
  readonly place: LeasePlace;
  readonly faulty: FaultStore;
}

export async function leaseProcess(
  store: Store,
  clock: Clock,
  seed: number,
  faults: Partial<FaultOptions> = {},
): Promise<LeaseProcess> {
  const random = seededRandom(seed);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, ...faults });
  const db = await open(faulty, { clock, random });
  const place = recordPlace(db.repo(Turn), 'one');
  const terms = { environment: db.environment, ttl: TTL, maxDriftRate: DRIFT };
  return { faulty, place, candidate: new LeaseCandidate(place, terms) };
}
