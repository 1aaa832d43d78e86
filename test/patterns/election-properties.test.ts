import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Election, ElectionGroup } from '../../src/patterns/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { anyFaults } from './support/counters.ts';
import { DRIFT, ElectionSim, type MakeCandidacy, type SimProcess, TTL } from './support/election-sim.ts';
import { expectOnAverage } from './support/on-average.ts';
import { STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1500, embedded: 100, norikv: 100 }
  : { memory: 8, embedded: 1, norikv: 1 };

const ALONE: MakeCandidacy = (db, options) => new Election(db, options);
const IN_GROUP: MakeCandidacy = (db, { name, ...options }) =>
  new ElectionGroup(db, { ...options, name: 'g' }).election(name);

describe.each<[string, MakeCandidacy]>([
  ['an election', ALONE],
  ['an election of a group', IN_GROUP],
])('%s', (_, make) => {
  describe.each(STORE_KINDS)('on the %s store', (kind) => {
    /** Runs a property from seeds; each run has an election of its own on one store. */
    const holds = async (runs: number, property: (sim: ElectionSim, seed: number) => Promise<void>): Promise<void> => {
      const base = await ElectionSim.open(kind, make, 0);
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), (seed) =>
          property(ElectionSim.on(base, make, seed * 1000 + run++), seed),
        ),
        { numRuns: runs, seed: 20_260_101, endOnFailure: true },
      );
    };

    test('whatever fails, stands still or jumps: one leads at a time, tokens grow, no older fence is taken', async () => {
      let leaders = 0;
      let refused = 0;
      await holds(RUNS[kind], async (sim, seed) => {
        const random = seededRandom(seed);
        const start = (name: string) => sim.start(name, { faults: anyFaults(seed + sim.processes.length) });
        const living: SimProcess[] = [await start('a'), await start('b'), await start('c')];
        for (let round = 0; round < 25; round++) {
          await sim.pass(100 + pickInt(random, 300));
          const at = pickInt(random, living.length);
          const process = living[at] as SimProcess;
          const dice = random.float();
          if (dice < 0.25) process.clock.pause(pickInt(random, TTL * 3));
          else if (dice < 0.4) {
            process.hasSlept = true;
            process.clock.suspend(pickInt(random, TTL * 3));
          } else if (dice < 0.5) process.clock.jump(pickInt(random, TTL * 3));
          // Not both: that is more than is promised.
          else if (dice < 0.55 && !process.hasSlept) process.clock.jump(-pickInt(random, TTL * 3));
          else if (dice < 0.65) {
            process.isCrashed = true;
            process.faulty.crash();
            living[at] = await start(`${process.name}'`);
          } else if (dice < 0.75) process.candidacy.transfer('b').catch(() => {});
          else if (dice < 0.8) process.candidacy.leadership?.release().catch(() => {});
        }
        for (const { faulty } of living) await faulty.heal();
        // All that was paused or asleep is awake by then.
        await sim.pass(TTL * 8, 100);
        expect(sim.leading().length, `seed ${seed}: nobody leads`).toBe(1);
        sim.judge();
        expect(sim.problems, `seed ${seed}`).toEqual([]);
        leaders += sim.leaderships.length;
        refused += sim.refused;
        await sim.end();
      });
      // Enough happened, or nothing was tested.
      expectOnAverage(leaders, RUNS[kind], 3);
      if (kind === 'memory') expect(refused).toBeGreaterThan(0);
    });

    test('a leader that dies is replaced within ttl and two looks, however their clocks differ', () =>
      holds(Math.ceil(RUNS[kind] / 3), async (sim, seed) => {
        const random = seededRandom(seed);
        for (const name of ['a', 'b', 'c']) await sim.start(name, { faults: { delay: 0.3 }, maxDelay: 30 });
        await sim.pass(1000);
        for (let death = 0; death < 3; death++) {
          await sim.pass(pickInt(random, 1500));
          const leader = sim.leaderships.at(-1) as ElectionSim['leaderships'][number];
          expect(leader.leadership.valid()).toBe(true);
          leader.by.isCrashed = true;
          leader.by.faulty.crash();
          await sim.start(`d${death}`, { faults: { delay: 0.3 }, maxDelay: 30 });
          // Their clocks may be slow; a step, and a few calls that take 30 ms.
          const bound = ((TTL * (1 + DRIFT) + 2 * (TTL / 2)) * (1 + DRIFT)) / (1 - DRIFT) + 80 + 8 * 30;
          await sim.pass(bound);
          const next = sim.leaderships.at(-1);
          expect(next?.leadership.token, `seed ${seed}, death ${death}`).toBe(leader.leadership.token + 1n);
          expect(next?.leadership.valid()).toBe(true);
        }
        sim.judge();
        expect(sim.problems, `seed ${seed}`).toEqual([]);
        await sim.end();
      }));
  });
});

/** Fewer where each takes several times as long. */
const EXPIRIES: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 200, embedded: 200, norikv: 200 }
  : { memory: 200, embedded: 40, norikv: 20 };

test.each(STORE_KINDS.map((kind) => [kind, EXPIRIES[kind]] as const))(
  'on the %s store: 5 candidates, %i expiries, pauses longer than the lease: tokens strictly increase, one leads at a time, stale tokens are refused',
  async (kind, expiries) => {
    const sim = await ElectionSim.open(kind, ALONE, 7);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await sim.start(name);
    await sim.pass(1000, 100);
    for (let expiry = 0; expiry < expiries; expiry++) {
      const { by, leadership } = sim.leaderships.at(-1) as ElectionSim['leaderships'][number];
      expect(leadership.valid()).toBe(true);
      // Held up for longer than the lease, between its check and what it does: so it writes late, and is refused.
      by.clock.pause(TTL * 2.2);
      while (sim.leaderships.at(-1)?.leadership === leadership) await sim.pass(120, 60);
      expect(leadership.valid()).toBe(false);
      // The successor has sealed the record; what was held up arrives.
      await sim.pass(150, 75);
      expect(await sim.writeLate(leadership)).toBe('fence.stale');
    }
    await sim.pass(TTL * 3, 100);
    sim.judge();
    expect(sim.problems).toEqual([]);
    const tokens = sim.leaderships.map(({ leadership }) => leadership.token);
    expect(tokens.length).toBeGreaterThan(expiries);
    for (const [i, token] of tokens.entries()) if (i > 0) expect(token).toBeGreaterThan(tokens[i - 1] as bigint);
    await sim.end();
  },
);
