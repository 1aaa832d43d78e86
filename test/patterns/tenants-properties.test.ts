import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';
import { Note, type Observed, ObservingStore, startTenants, type TenantsProcess } from './support/tenants.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1000, embedded: 100, norikv: 60 }
  : { memory: 15, embedded: 2, norikv: 1 };
const PROCESSES = 3;

/** What every call may fail with under faults. */
function isFault(error: unknown): boolean {
  return error instanceof NorimakiError && !NorimakiError.is(error, 'record.corrupt');
}

const forget = (error: unknown): undefined => {
  if (!isFault(error)) throw error;
  return undefined;
};

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const holds = (property: (seed: number) => Promise<void>): Promise<void> =>
    fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
      numRuns: RUNS[kind],
      seed: 20_260_101,
      endOnFailure: true,
    });

  test('what is stored is never more than is charged, nor than the plan has; at rest a reconciliation is exact', async () => {
    let written = 0;
    let refused = 0;
    await holds(async (seed) => {
      const clock = manualClock(START, { autoAdvance: true });
      const limits = { keys: 6, bytes: 3_000, vectors: 0 };
      const problems: string[] = [];
      const look = (all: readonly Observed[]): void => {
        for (const { stored, charged } of all) {
          for (const metric of ['keys', 'bytes'] as const) {
            if (stored[metric] > charged[metric])
              problems.push(`${stored[metric]} ${metric} are stored and ${charged[metric]} charged`);
            if (stored[metric] > limits[metric]) problems.push(`${stored[metric]} ${metric} are stored`);
          }
        }
      };
      const store = new ObservingStore(await openStore(kind, { clock, random: seededRandom(1) }), look);
      const options = { trueClock: clock, plans: { tiny: limits, free: limits, pro: limits } };
      const { tenants: calm } = await startTenants(store, { ...options, seed: 3 });
      await calm.create('acme', { plan: 'tiny' });
      const random = seededRandom(seed);
      const startOne = (n: number): Promise<TenantsProcess> =>
        startTenants(store, { ...options, seed: seed * 31 + n * 7, faults: anyFaults(seed + n) });
      const processes = await Promise.all(Array.from({ length: PROCESSES }, (_, i) => startOne(i)));
      let started = PROCESSES;
      const step = async (): Promise<void> => {
        const at = pickInt(random, PROCESSES);
        const { tenants, faulty } = processes[at] as TenantsProcess;
        const dice = random.float();
        if (dice < 0.03) {
          // It dies, and another takes its place.
          faulty.crash();
          processes[at] = await startOne(started++);
          return;
        }
        if (dice < 0.07) {
          await tenants.reconcile('acme').catch(forget);
          return;
        }
        const notes = await tenants.db('acme').then((db) => db.repo(Note), forget);
        if (notes === undefined) return;
        const id = `${pickInt(random, 12)}`;
        const text = 'x'.repeat(pickInt(random, 900));
        const write = (): Promise<unknown> => {
          if (dice < 0.35) return notes.create({ id, text });
          if (dice < 0.55) return notes.put({ id, text });
          if (dice < 0.7)
            return notes.mutate(id, (draft) => {
              draft.text = text;
            });
          return notes.delete(id);
        };
        await write().then(
          () => {
            written++;
          },
          (error: unknown) => {
            if (NorimakiError.is(error, 'tenant.quotaExceeded')) refused++;
            forget(error);
          },
        );
      };
      // Some of these may die of a crash of their own process.
      const survived = (): Promise<void> =>
        step().catch((error: unknown) => {
          if (!(error instanceof Error) || error.name !== 'SimulatedCrash') throw error;
        });
      for (let round = 0; round < 14; round++) await Promise.all([survived(), survived(), survived()]);
      expect([...new Set(problems)], `seed ${seed}`).toEqual([]);
      for (const { faulty } of processes) await faulty.heal();
      const usage = await calm.reconcile('acme');
      await calm.close();
      const seen: Observed[] = [];
      const probe = new ObservingStore(store.inner, (all) => seen.push(...all));
      await probe.look();
      expect(seen[0]?.charged, `seed ${seed}`).toEqual(seen[0]?.stored);
      expect(usage.keys.used, `seed ${seed}`).toBe(seen[0]?.stored.keys);
    });
    // Most faults are survived, and the limits are reached, or nothing was tested.
    expectOnAverage(written, RUNS[kind], 8);
    expectOnAverage(refused, RUNS[kind], 1);
  });

  test('after a purge says unreachable, no handle of any process reads or writes what was before, whatever its clock', async () => {
    let refused = 0;
    await holds(async (seed) => {
      const clock = manualClock(START, { autoAdvance: true });
      const store = await openStore(kind, { clock, random: seededRandom(1) });
      const random = seededRandom(seed);
      const processes = await Promise.all(
        Array.from({ length: PROCESSES }, (_, i) =>
          startTenants(store, {
            trueClock: clock,
            seed: seed * 31 + i * 7,
            faults: anyFaults(seed + i),
            writeTimeout: '2s',
          }),
        ),
      );
      // Wall clocks that are wrong by hours.
      for (const process of processes) process.clock.offset = (random.float() - 0.5) * 1e8;
      const { tenants: calm } = await startTenants(store, { trueClock: clock, seed: 3, writeTimeout: '2s' });
      let isOver = false;
      let unreachable = 0;
      const problems: string[] = [];
      const use = async ({ tenants }: TenantsProcess): Promise<void> => {
        while (!isOver) {
          await clock.sleep(random.float() * 800);
          const handle = await tenants.db('acme').catch(forget);
          if (handle === undefined) continue;
          const notes = handle.repo(Note);
          const life = unreachable;
          for (let n = 0; n < 6 && !isOver; n++) {
            await clock.sleep(random.float() * 800);
            const before = unreachable;
            const id = `${pickInt(random, 5)}`;
            const text = `of life ${life}`;
            const call = random.float() < 0.5 ? notes.get(id) : notes.put({ id, text });
            const found = await call.catch((error: unknown) => {
              if (before > life && NorimakiError.is(error, 'tenant.unknown')) refused++;
              return forget(error);
            });
            if (found === undefined) continue;
            // A handle from before, used after.
            if (before > life) problems.push(`a handle of life ${life} was used in ${before}`);
            if (Number(found.text.slice(8)) < before) problems.push(`${found.text} was read in life ${before}`);
          }
        }
      };
      const rule = async (): Promise<void> => {
        for (let i = 0; i < 2; i++) {
          await calm.create('acme', { plan: 'pro' });
          await clock.sleep(random.float() * 1_500);
          const purger = random.float() < 0.5 ? calm : (processes[0] as TenantsProcess).tenants;
          for (let isDone = false; !isDone; ) {
            let hasBeen = false;
            try {
              for await (const { stage } of purger.purge('acme', { confirm: 'acme' })) {
                if (stage === 'unreachable' && !hasBeen) {
                  hasBeen = true;
                  unreachable++;
                }
              }
              isDone = true;
            } catch (error) {
              forget(error);
            }
          }
        }
      };
      await Promise.all([
        ...processes.map(use),
        rule().finally(() => {
          isOver = true;
        }),
      ]);
      expect([...new Set(problems)], `seed ${seed}`).toEqual([]);
      for (const { faulty } of processes) await faulty.heal();
      for await (const _ of calm.purge('acme', { confirm: 'acme' }));
      const { entries } = await (store as ObservingStore).scan(
        { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) },
        { limit: 1000 },
      );
      const left = entries.filter(({ key }) => Buffer.from(key).includes('note'));
      expect(left, `seed ${seed}`).toEqual([]);
    });
    // Handles of before were used after, or nothing was tested.
    expectOnAverage(refused, RUNS[kind], 1);
  });
});
