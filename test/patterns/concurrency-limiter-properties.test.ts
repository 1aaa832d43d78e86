import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { open } from '../../src/index.ts';
import { ConcurrencyLimiter, type ConcurrencySlot } from '../../src/patterns/index.ts';
import { type FaultStore, faultStore, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1000, embedded: 100, norikv: 100 }
  : { memory: 20, embedded: 2, norikv: 1 };
const PROCESSES = 3;
const TTL = 3000;

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    store = await openStore(kind, { clock, random: seededRandom(1) });
  });

  test('never more hold a slot than there are, and no slot is lost for good', async () => {
    let acquired = 0;
    let refused = 0;
    const property = async (seed: number): Promise<void> => {
      const random = seededRandom(seed);
      const max = 1 + pickInt(random, 3);
      const key = `key ${runs++}`;
      const processes: { limiter: ConcurrencyLimiter; faulty: FaultStore }[] = [];
      for (let i = 0; i < PROCESSES; i++) {
        const faulty = faultStore(store, {
          random: seededRandom(seed * 31 + i),
          clock,
          faults: anyFaults(seed + i),
          maxDelay: 20,
        });
        const db = await open(faulty, { clock, random: seededRandom(seed * 37 + i) });
        processes.push({ faulty, limiter: new ConcurrencyLimiter(db, { name: `${seed}`, max, ttl: TTL }) });
      }
      const held = new Set<ConcurrencySlot>();
      const check = (): void => {
        const holding = [...held].filter(({ signal }) => !signal.aborted).length;
        if (holding > max) expect.fail(`seed ${seed}: ${holding} hold one of ${max} slots`);
      };
      const step = async (): Promise<void> => {
        const { limiter, faulty } = processes[pickInt(random, PROCESSES)] as (typeof processes)[number];
        const dice = random.float();
        const [any] = held;
        if (dice < 0.35 && any !== undefined) {
          // It may have been released as soon as it was asked for.
          held.delete(any);
          await any.release().catch(fateOf);
        } else if (dice < 0.4) {
          faulty.crash();
        } else {
          const tried = await limiter
            .tryAcquire(key)
            .catch((error: unknown) => (isCrash(error) ? 'crash' : fateOf(error)));
          if (typeof tried !== 'object') return;
          if (tried.acquired) held.add(tried.slot);
          if (tried.acquired) acquired++;
          else refused++;
        }
        check();
      };
      for (let round = 0; round < 10; round++) {
        await Promise.all([step(), step(), step()].map((one) => one.catch(ignoreCrash)));
        check();
        await clock.advance(pickInt(random, TTL));
        check();
      }
      for (const slot of held) await slot.release().catch(() => {});
      for (const { faulty } of processes) await faulty.heal().catch(ignoreCrash);
      await clock.advance(TTL);
      const limiter = new ConcurrencyLimiter(await open(store, { clock }), { name: `${seed}`, max, ttl: TTL });
      expect(await limiter.peek(key), `seed ${seed}`).toEqual({ held: 0, available: max });
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
      numRuns: RUNS[kind],
      seed: 20_260_101,
      endOnFailure: true,
    });
    expectOnAverage(acquired, RUNS[kind], 2);
    expectOnAverage(refused, RUNS[kind], 1);
  });
});

function isCrash(error: unknown): boolean {
  return error instanceof Error && error.name === 'SimulatedCrash';
}

function ignoreCrash(error: unknown): void {
  if (!isCrash(error)) throw error;
}
