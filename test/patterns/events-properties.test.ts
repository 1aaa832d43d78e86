import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { NorimakiError } from '../../src/index.ts';
import { type Expected, stream } from '../../src/patterns/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { Account, all, type EventProcess, Overdrawn, startEvents } from './support/event-stores.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1500, embedded: 150, norikv: 100 }
  : { memory: 12, embedded: 2, norikv: 1 };
const PROCESSES = 3;

type Fate = 'refused' | 'unknown' | { readonly version: bigint; readonly size: number };

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    store = await openStore(kind, { clock, random: seededRandom(1) });
  });

  const holds = (property: (seed: number, id: string) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), (seed) => property(seed, `stream ${runs++}`)),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );

  const start = (seed: number, options: { snapshotEvery?: number } = {}): Promise<EventProcess[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        startEvents(store, { clock, seed: seed * 31 + i * 7, faults: anyFaults(seed + i), ...options }),
      ),
    );

  test('what was acknowledged is there once, at its version, for ever; without gaps, and the same for all readers', async () => {
    let acknowledged = 0;
    await holds(async (seed, id) => {
      const random = seededRandom(seed);
      const processes = await start(seed);
      const of = stream('log', id);
      const fates = new Map<number, Fate>();
      let n = 0;
      const step = async (): Promise<void> => {
        const { events } = processes[pickInt(random, PROCESSES)] as EventProcess;
        const commit = n++;
        const size = 1 + pickInt(random, 3);
        const dice = random.float();
        const last = [...fates.values()].reduce(
          (most, fate) => (typeof fate === 'object' && fate.version > most ? fate.version : most),
          0n,
        );
        const expected: Expected = dice < 0.5 ? 'any' : dice < 0.6 ? 'exists' : last;
        const isKeyed = random.float() < 0.5;
        const options = isKeyed ? { expected, idempotencyKey: `key ${commit}` } : { expected };
        const what = Array.from({ length: size }, (_, i) => ({ type: 'Noted', data: `${commit}/${i}` }));
        const append = (): Promise<Fate> =>
          events.append(of, what, options).then(
            ({ version }): Fate => ({ version, size }),
            (error: unknown): Fate => (NorimakiError.match(error, 'events.') ? 'refused' : fateOf(error)),
          );
        let fate = await append();
        // With a key it may be asked again, of any process, whatever came of it.
        while (isKeyed && random.float() < 0.5) {
          const again = await append();
          if (typeof fate === 'object') expect(again === 'refused' ? fate : again, `seed ${seed}`).not.toBe('refused');
          else if (!(fate === 'unknown' && again === 'refused')) fate = again;
        }
        fates.set(commit, fate);
        if (typeof fate === 'object') acknowledged++;
      };
      for (let round = 0; round < 8; round++) await Promise.all([step(), step(), step()]);
      for (const { faulty } of processes) await faulty.heal();
      const fresh = await startEvents(store, { clock, seed: 5 });
      const events = await all(fresh.events.read(of));
      expect(
        events.map(({ version }) => version),
        `seed ${seed}`,
      ).toEqual(events.map((_, i) => BigInt(i + 1)));
      for (const { events: reader } of processes) expect(await all(reader.read(of)), `seed ${seed}`).toEqual(events);
      const where = new Map(events.map(({ data, version }) => [data as string, version]));
      expect(where.size, `seed ${seed}: an event is there twice`).toBe(events.length);
      for (const [commit, fate] of fates) {
        const first = where.get(`${commit}/0`);
        if (fate === 'refused') expect(first, `seed ${seed}: refused commit ${commit} is there`).toBeUndefined();
        else if (typeof fate === 'object') {
          const expected = fate.version - BigInt(fate.size) + 1n;
          expect(first, `seed ${seed}: commit ${commit}`).toBe(expected);
          for (let i = 1; i < fate.size; i++) expect(where.get(`${commit}/${i}`)).toBe(expected + BigInt(i));
        }
      }
    });
    // Most faults are survived, or nothing was tested.
    expectOnAverage(acknowledged, RUNS[kind], 8);
  });

  test('of appends that expect one version exactly one wins', () =>
    holds(async (seed, id) => {
      const processes = await start(seed);
      const of = stream('log', id);
      for (let round = 0n; round < 4n; round++) {
        const fates = await Promise.all(
          [0, 1, 2, 3, 4, 5].map((n) =>
            (processes[n % PROCESSES] as EventProcess).events
              .append(of, [{ type: 'Noted', data: `${round}/${n}` }], {
                expected: round,
                idempotencyKey: `${round}/${n}`,
              })
              .then(
                () => 'won' as const,
                (error: unknown) => (NorimakiError.is(error, 'events.versionConflict') ? 'lost' : fateOf(error)),
              ),
          ),
        );
        const { events } = await startEvents(store, { clock, seed: 5 });
        for (const { faulty } of processes) await faulty.deliverLate();
        expect(fates.filter((fate) => fate === 'won').length, `seed ${seed}`).toBeLessThanOrEqual(1);
        const there = await all(events.read(of, { from: round + 1n }));
        expect(there.length, `seed ${seed}`).toBeLessThanOrEqual(1);
        if (fates.includes('won')) expect(there, `seed ${seed}`).toHaveLength(1);
        // All were in doubt, and none came through.
        if (there.length === 0) return;
      }
    }));

  test('the state is what all events make, from whichever snapshot; no account is overdrawn, and none lacks what was acknowledged', async () => {
    let acknowledged = 0;
    await holds(async (seed, id) => {
      const random = seededRandom(seed);
      const processes = await start(seed, { snapshotEvery: 1 + pickInt(random, 4) });
      let least = 0;
      let most = 0;
      const step = async (): Promise<void> => {
        const { events } = processes[pickInt(random, PROCESSES)] as EventProcess;
        const type = random.float() < 0.6 ? 'Deposit' : 'Withdraw';
        const amount = 1 + pickInt(random, 5);
        const command = { type, amount } as const;
        const key = random.float() < 0.4 ? { idempotencyKey: `key ${random.float()}` } : {};
        const handle = () =>
          events.handle(Account, id, command, key).then(
            () => 'done' as const,
            (error: unknown) => (error instanceof Overdrawn ? 'refused' : fateOf(error)),
          );
        let fate = await handle();
        if ('idempotencyKey' in key && fate !== 'refused' && random.float() < 0.5) {
          const again = await handle();
          if (fate === 'done') expect(again === 'refused', `seed ${seed}`).toBe(false);
          else if (again === 'done') fate = again;
        }
        if (fate === 'done') acknowledged++;
        const signed = type === 'Deposit' ? amount : -amount;
        if (fate === 'done' || (fate === 'unknown' && signed < 0)) least += signed;
        if (fate === 'done' || (fate === 'unknown' && signed > 0)) most += signed;
      };
      for (let round = 0; round < 7; round++) await Promise.all([step(), step(), step()]);
      for (const { faulty } of processes) await faulty.heal();
      const { events } = await startEvents(store, { clock, seed: 5, snapshotEvery: 0 });
      let balance = 0;
      const recorded = await all(events.read(Account.stream(id)));
      for (const event of recorded) {
        if (event.type === 'Opened') continue;
        balance += event.type === 'Deposited' ? event.data.amount : -event.data.amount;
        expect(balance, `seed ${seed}: overdrawn`).toBeGreaterThanOrEqual(0);
      }
      expect(balance >= least && balance <= most, `seed ${seed}: ${least} <= ${balance} <= ${most}`).toBe(true);
      for (const one of processes) {
        const loaded = await one.events.load(Account, id);
        expect(loaded, `seed ${seed}`).toEqual({
          state: { owner: '', balance, events: recorded.length },
          version: BigInt(recorded.length),
        });
      }
    });
    expectOnAverage(acknowledged, RUNS[kind], 5);
  });
});
