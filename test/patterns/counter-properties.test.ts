import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { NorimakiError } from '../../src/index.ts';
import type { Counter } from '../../src/patterns/index.ts';
import { faultStore, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { CounterHistory } from './support/counter-history.ts';
import { anyFaults, type Process, startProcess } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 2000, embedded: 200, norikv: 200 }
  : { memory: 20, embedded: 3, norikv: 1 };
const PROCESSES = 3;

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let history: CounterHistory;
  let runs = 0;

  beforeEach(async () => {
    history = new CounterHistory(await openStore(kind, { clock, random: seededRandom(1) }));
  });

  /** Runs a property from seeds; each run has a counter of its own. */
  const holds = (property: (seed: number, name: string) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), (seed) => property(seed, `counter ${runs++}`)),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );

  const start = (
    seed: number,
    options: { name: string; shards?: number; min?: bigint; max?: bigint },
  ): Promise<Process[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        startProcess(history, { clock, seed: seed * 31 + i * 7, faults: anyFaults(seed + i), ...options }),
      ),
    );

  /** What a counter on the store itself says, once everything has arrived. */
  const atRest = async (
    processes: readonly Process[],
    options: { name: string; min?: bigint; max?: bigint },
  ): Promise<bigint> => {
    for (const { faulty } of processes) await faulty.heal();
    const { counter } = await startProcess(history, { clock, seed: 5, ...options });
    return counter.value();
  };

  test('an acknowledged add counts once, an unknown one at most once, a refused one never; resizing changes no total', async () => {
    let counts = 0;
    await holds(async (seed, name) => {
      const random = seededRandom(seed);
      const processes = await start(seed, { name, shards: 1 + pickInt(random, 6) });
      const any = (): Counter => (processes[pickInt(random, PROCESSES)] as Process).counter;
      const fates = new Map<number, 'counted' | 'unknown' | 'refused'>();
      let n = 0;
      const step = async (): Promise<void> => {
        if (random.float() < 0.12) {
          await any()
            .resize(1 + pickInt(random, 6))
            .catch(fateOf);
          return;
        }
        const id = n++;
        // Each add has a digit of its own in base 4, so that the total tells how often each was counted.
        const options = random.float() < 0.6 ? { idempotencyKey: `key ${id}` } : {};
        const add = (): Promise<'counted' | 'unknown' | 'refused'> =>
          any()
            .add(4n ** BigInt(id), options)
            .then(() => 'counted' as const, fateOf);
        let fate = await add();
        // With a key it may be asked again, of any process, whatever came of it.
        while ('idempotencyKey' in options && random.float() < 0.5) {
          const again = await add();
          if (fate !== 'counted' && !(fate === 'unknown' && again === 'refused')) fate = again;
        }
        fates.set(id, fate);
        if (fate === 'counted') counts++;
      };
      for (let round = 0; round < 8; round++) await Promise.all([step(), step(), step()]);
      const total = await atRest(processes, { name });
      for (const [id, fate] of fates) {
        const times = Number((total >> BigInt(2 * id)) & 3n);
        const isRight = fate === 'counted' ? times === 1 : fate === 'unknown' ? times <= 1 : times === 0;
        if (!isRight) expect.fail(`seed ${seed}: add ${id} was ${fate} and counts ${times} times`);
      }
      expect(total >> BigInt(2 * n)).toBe(0n);
    });
    // Most faults are survived, or nothing was tested.
    expectOnAverage(counts, RUNS[kind], 10);
  });

  test('a bounded count is within its bounds at every instant', () =>
    holds(async (seed, name) => {
      const random = seededRandom(seed);
      const bounds = { name, min: -5n, max: 9n };
      const processes = await start(seed, { ...bounds, shards: 1 + pickInt(random, 4) });
      const refusals: (() => boolean)[] = [];
      let least = 0n;
      let most = 0n;
      const step = async (): Promise<void> => {
        const { counter } = processes[pickInt(random, PROCESSES)] as Process;
        const dice = random.float();
        if (dice < 0.06) {
          await counter.resize(1 + pickInt(random, 4)).catch(fateOf);
          return;
        }
        const amount = BigInt(1 + pickInt(random, 4)) * (dice < 0.65 ? 1n : -1n);
        const from = history.now();
        const fate = await counter.tryAdd(amount).then(({ ok }) => (ok ? 'counted' : 'full'), fateOf);
        const hadRoom = (value: bigint): boolean => value + amount >= -5n && value + amount <= 9n;
        if (fate === 'full') refusals.push(() => !history.valuesBetween(name, from, to).every(hadRoom));
        const to = history.now();
        if (fate === 'counted' || (fate === 'unknown' && amount < 0n)) least += amount;
        if (fate === 'counted' || (fate === 'unknown' && amount > 0n)) most += amount;
      };
      for (let round = 0; round < 10; round++) await Promise.all([step(), step(), step()]);
      const total = await atRest(processes, bounds);
      expect(total >= least && total <= most, `seed ${seed}: ${least} <= ${total} <= ${most}`).toBe(true);
      const outside = history.values(name).filter((value) => value < -5n || value > 9n);
      expect(outside, `seed ${seed}`).toEqual([]);
      expect(
        refusals.every((isFair) => isFair()),
        `seed ${seed}: a refusal without an instant at which it did not fit`,
      ).toBe(true);
      // Nothing that faults left on the way is lost for good.
      const { counter } = await startProcess(history, { clock, seed: 6, ...bounds });
      expect(await counter.tryAdd(9n - total), `seed ${seed}`).toMatchObject({ ok: true });
      expect(await counter.tryAdd(-14n), `seed ${seed}`).toMatchObject({ ok: true });
    }));

  test('a snapshot was the value at one instant of the call, bounds hold one, and strong lies within it where nothing is taken off', () =>
    holds(async (seed, name) => {
      const random = seededRandom(seed);
      const onlyUp = seed % 2 === 0;
      const processes = await start(seed, { name, shards: 1 + pickInt(random, 4) });
      const problems: string[] = [];
      const read = async (counter: Counter): Promise<void> => {
        const from = history.now();
        const dice = pickInt(random, onlyUp ? 3 : 2);
        if (dice === 0) {
          const value = await counter.value({ read: 'snapshot' });
          const values = history.valuesBetween(name, from, history.now());
          if (!values.includes(value)) problems.push(`snapshot ${value} of ${values}`);
        } else if (dice === 1) {
          const { low, high } = await counter.bounds();
          const values = history.valuesBetween(name, from, history.now());
          if (!values.some((value) => low <= value && value <= high)) problems.push(`${low} to ${high} of ${values}`);
        } else {
          const value = await counter.value();
          const values = history.valuesBetween(name, from, history.now());
          if (value < (values[0] as bigint) || value > (values.at(-1) as bigint))
            problems.push(`${value} of ${values}`);
        }
      };
      const step = async (): Promise<void> => {
        const { counter } = processes[pickInt(random, PROCESSES)] as Process;
        const dice = random.float();
        const amount = BigInt(1 + pickInt(random, 9)) * (onlyUp || dice < 0.8 ? 1n : -1n);
        const call =
          dice < 0.5 ? read(counter) : dice < 0.57 ? counter.resize(1 + pickInt(random, 4)) : counter.add(amount);
        await Promise.resolve(call).catch(fateOf);
      };
      for (let round = 0; round < 10; round++) await Promise.all([step(), step(), step()]);
      expect(problems, `seed ${seed}`).toEqual([]);
    }));
});

/** Fewer where each takes several times as long. */
const HOT_ADDS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 250, embedded: 250, norikv: 250 }
  : { memory: 250, embedded: 50, norikv: 20 };

test.each(STORE_KINDS.map((kind) => [kind, HOT_ADDS[kind]] as const))(
  'on the %s store: 16 clients × %i adds with 25 percent lost replies: exact',
  async (kind, adds) => {
    const clock = manualClock(START, { autoAdvance: true });
    const store: Store = await openStore(kind, { clock, random: seededRandom(1) });
    const clients = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        startProcess(store, { clock, seed: 1000 + i, name: 'hot', faults: { errorAfter: 0.25 } }),
      ),
    );
    await Promise.all(
      clients.map(async ({ counter }, client) => {
        for (let i = 0; i < adds; i++) {
          // As a caller should: what is not certain is asked again under its key.
          for (let isCounted = false; !isCounted; ) {
            isCounted = await counter.add(1n, { idempotencyKey: `${client}/${i}`, retry: { maxAttempts: 1000 } }).then(
              () => true,
              (error: unknown) => {
                if (NorimakiError.is(error, 'outcome.unknown') || NorimakiError.match(error, 'store.')) return false;
                throw error;
              },
            );
          }
        }
      }),
    );
    const plain = faultStore(store, { random: seededRandom(1) });
    const { counter } = await startProcess(plain, { clock, seed: 1, name: 'hot' });
    expect(await counter.value()).toBe(BigInt(16 * adds));
  },
);
