import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Random } from '../../src/core/clock.ts';
import type { Store } from '../../src/core/store.ts';
import { fixedWindow, gcra, type Limit, type RateLimiterOptions, slidingWindow } from '../../src/patterns/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { fateOfCall } from './support/limiter-fates.ts';
import { type Admission, excesses, type LimiterProcess, startLimiter } from './support/limiters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 2000, embedded: 200, norikv: 200 }
  : { memory: 30, embedded: 2, norikv: 1 };
const PROCESSES = 3;
const PER = 10_000;
const QUOTA = 12;

interface Kind {
  readonly limit: Limit;
  /** The most that may be let through from one instant to another, both included, when clocks differ by `skew`. */
  readonly most: (from: number, to: number, skew: number) => number;
}

const KINDS: readonly Kind[] = [
  {
    limit: gcra({ rate: 7, per: PER, burst: QUOTA }),
    most: (from, to, skew) => QUOTA + Math.floor((7 * (to - from + skew)) / PER),
  },
  {
    limit: slidingWindow({ limit: QUOTA, per: PER, precision: 'exact' }),
    most: (from, to, skew) => QUOTA * Math.ceil((to - from + skew + 1) / PER),
  },
  {
    limit: slidingWindow({ limit: QUOTA, per: PER, precision: 5 }),
    most: (from, to, skew) => QUOTA * Math.ceil((to - from + skew + 1) / PER),
  },
  {
    limit: fixedWindow({ limit: QUOTA, per: PER }),
    most: (from, to, skew) => QUOTA * (Math.floor((to + skew) / PER) - Math.floor((from - skew) / PER) + 1),
  },
];

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const trueClock = manualClock(START, { autoAdvance: true });
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    store = await openStore(kind, { clock: trueClock, random: seededRandom(1) });
  });

  /** Runs a property from seeds; each run has a key of its own. */
  const holds = (property: (seed: number, random: Random, key: string) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), (seed) => property(seed, seededRandom(seed), `key ${runs++}`)),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );

  const start = (seed: number, options: Omit<RateLimiterOptions, 'name'>): Promise<LimiterProcess[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        startLimiter(store, {
          trueClock,
          seed: seed * 31 + i * 7,
          faults: anyFaults(seed + i),
          name: `${seed}`,
          ...options,
        }),
      ),
    );

  test.each([
    ['clocks that agree', false],
    ['clocks that differ and jump, back and ahead', true],
  ])('with %s, no stretch of time sees more than the limit, plus what clocks were ahead', async (_, isSkewed) => {
    let allowed = 0;
    let denied = 0;
    await holds(async (seed, random, key) => {
      const { limit, most } = KINDS[seed % KINDS.length] as Kind;
      const processes = await start(seed, { limits: [limit], blockTtl: random.float() < 0.5 ? 0 : '1s' });
      const admissions: Admission[] = [];
      const offsets = [0];
      const step = async (): Promise<void> => {
        const { limiter, clock } = processes[pickInt(random, PROCESSES)] as LimiterProcess;
        if (isSkewed && random.float() < 0.15) {
          clock.offset = pickInt(random, 12_000) - 6_000;
          offsets.push(clock.offset);
        }
        const cost = 1 + pickInt(random, 5);
        const from = trueClock.now();
        const options = random.float() < 0.5 ? { cost } : { cost, idempotencyKey: `${random.float()}` };
        let isAllowed = false;
        do {
          const fate = await limiter.consume(key, options).then((decision) => decision, fateOfCall);
          if (typeof fate === 'object') {
            isAllowed ||= fate.allowed;
            if (fate.allowed) allowed++;
            else denied++;
          }
        } while ('idempotencyKey' in options && random.float() < 0.4);
        if (isAllowed) admissions.push({ from, to: trueClock.now(), cost });
      };
      for (let round = 0; round < 10; round++) {
        await Promise.all([step(), step(), step()]);
        if (random.float() < 0.6) await trueClock.advance(pickInt(random, 4000));
      }
      const skew = Math.max(...offsets) - Math.min(...offsets);
      expect(
        excesses(admissions, (from, to) => most(from, to, skew)),
        `seed ${seed}`,
      ).toEqual([]);
    });
    // Most faults are survived and both answers occur, or nothing was tested.
    expectOnAverage(allowed, RUNS[kind], 5);
    expectOnAverage(denied, RUNS[kind], 5);
  });

  test('what is charged is what was let through less what was refunded, each once, by every limit or by none', async () => {
    let known = 0;
    let refused = 0;
    await holds(async (seed, random, key) => {
      // Nothing comes back meanwhile. Each call has a digit of its own in base 4, so that the sum tells how often it counts.
      const limits = [
        fixedWindow({ limit: 1e12, per: '520w', name: 'wide' }),
        fixedWindow({ limit: 4 ** 12, per: '520w', name: 'narrow' }),
        gcra({ rate: 4 ** 12, per: '520w', name: 'narrow too' }),
      ] as const;
      const processes = await start(seed, { limits });
      const any = () => (processes[pickInt(random, PROCESSES)] as LimiterProcess).limiter;
      const digits: { least: number; most: number }[] = [];
      const step = async (): Promise<void> => {
        const id = digits.length;
        const cost = 4 ** id;
        const digit = { least: 0, most: 0 };
        digits.push(digit);
        const options = random.float() < 0.7 ? { idempotencyKey: `call ${id}` } : {};
        const ask = async <T>(call: () => Promise<T>): Promise<T | 'unknown' | 'refused'> => {
          let fate = await call().catch(fateOfCall);
          while (fate === 'unknown' && 'idempotencyKey' in options && random.float() < 0.8) {
            const again = await call().catch(fateOfCall);
            if (again !== 'refused') fate = again;
          }
          return fate;
        };
        if (cost > 4 ** 12) return;
        const fate = await ask(() => any().consume(key, { cost, ...options }));
        if (typeof fate === 'object') known++;
        if (typeof fate === 'object' && !fate.allowed) refused++;
        if (fate === 'unknown' || (typeof fate === 'object' && fate.allowed)) digit.most = 1;
        if (typeof fate === 'object' && fate.allowed) digit.least = 1;
        if (digit.least === 1 && random.float() < 0.4) {
          const back = await ask(() => any().refund(key, cost, options));
          if (back !== 'refused') digit.least = 0;
          if (typeof back === 'object') digit.most = 0;
        }
      };
      for (let round = 0; round < 7; round++) await Promise.all([step(), step()]);
      for (const { faulty } of processes) await faulty.heal();
      const { limiter } = await startLimiter(store, { trueClock, seed: 1, name: `${seed}`, limits });
      const used = (await limiter.peek(key)).limits.map(({ quota, remaining }) => quota - remaining);
      expect(used, `seed ${seed}`).toEqual([used[0], used[0], used[0]]);
      for (const [id, { least, most }] of digits.entries()) {
        const times = Number((BigInt(used[0] ?? 0) >> BigInt(2 * id)) & 3n);
        if (times < least || times > most)
          expect.fail(`seed ${seed}: call ${id} counts ${times}, not ${least} to ${most}`);
      }
    });
    expectOnAverage(known, RUNS[kind], 5);
    expectOnAverage(refused, RUNS[kind], 0);
  });

  test('a call is let through at retryAfter, and refused a millisecond before', async () => {
    await holds(async (seed, random, key) => {
      const limits = [...KINDS].sort(() => random.float() - 0.5).slice(0, 1 + pickInt(random, 3));
      const named = limits.map(({ limit }, i) => ({ ...limit, name: `${i}` }));
      // No fault that takes time: the instant is what is tested.
      const { limiter, clock } = await startLimiter(store, {
        trueClock,
        seed,
        name: `${seed}`,
        limits: named as [Limit, ...Limit[]],
        blockTtl: random.float() < 0.5 ? 0 : '1h',
        faults: { duplicate: 0.2, lateDuplicate: 0.2 },
      });
      for (let i = 0; i < 10; i++) {
        if (random.float() < 0.2) clock.offset = pickInt(random, 8_000) - 4_000;
        const cost = 1 + pickInt(random, QUOTA);
        const decision = await limiter.consume(key, { cost });
        if (decision.allowed) continue;
        await trueClock.advance(decision.retryAfter - 1);
        expect(await limiter.consume(key, { cost }), `seed ${seed}`).toMatchObject({ allowed: false, retryAfter: 1 });
        await trueClock.advance(1);
        expect(await limiter.consume(key, { cost }), `seed ${seed}`).toMatchObject({ allowed: true });
      }
    });
  });
});

describe('decisions are those of a naive model', () => {
  interface Model {
    /** Lets a call through, or refuses it. */
    consume(now: number, cost: number): boolean;
  }

  /** Every admission, for ever; `mayStay` is how long one counts. */
  const logModel = (mayStay: number): Model => {
    const log: { at: number; cost: number }[] = [];
    return {
      consume: (now, cost) => {
        const used = log.reduce((sum, one) => sum + (one.at + mayStay > now ? one.cost : 0), 0);
        if (used + cost > QUOTA) return false;
        log.push({ at: now, cost });
        return true;
      },
    };
  };

  /** The theoretical arrival time, in exact fractions: times 7. */
  const gcraModel = (): Model => {
    let tat = 0n;
    return {
      consume: (now, cost) => {
        const [at, interval] = [BigInt(now) * 7n, BigInt(PER)];
        const next = (tat > at ? tat : at) + BigInt(cost) * interval;
        if (next - at > BigInt(QUOTA) * interval) return false;
        tat = next;
        return true;
      },
    };
  };

  const windowModel = (): Model => {
    const used = new Map<number, number>();
    return {
      consume: (now, cost) => {
        const window = Math.floor(now / PER);
        const sum = (used.get(window) ?? 0) + cost;
        if (sum > QUOTA) return false;
        used.set(window, sum);
        return true;
      },
    };
  };

  test.each([
    ['gcra', KINDS[0], gcraModel],
    ['an exact sliding window', KINDS[1], () => logModel(PER)],
    ['a fixed window', KINDS[3], windowModel],
  ] as const)('%s, whether calls come one by one or together', async (_, kind, makeModel) => {
    const trueClock = manualClock(START);
    const store = await openStore('memory', { clock: trueClock, random: seededRandom(1) });
    let keys = 0;
    const schedule = fc.array(
      fc.record({
        wait: fc.oneof(fc.integer({ min: 0, max: 6000 }), fc.constantFrom('until retryAfter', 'just before it')),
        costs: fc.array(fc.integer({ min: 1, max: QUOTA }), { minLength: 1, maxLength: 4 }),
      }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const limits = [(kind as Kind).limit] as const;
        const { limiter } = await startLimiter(store, { trueClock, seed: 1, name: 'model', limits, blockTtl: '1h' });
        const model = makeModel();
        const key = `${keys++}`;
        let retryAfter = 0;
        for (const { wait, costs } of steps) {
          await trueClock.advance(
            typeof wait === 'number' ? wait : Math.max(0, retryAfter - (wait === 'just before it' ? 1 : 0)),
          );
          const decisions = await Promise.all(costs.map((cost) => limiter.consume(key, { cost })));
          const expected = costs.map((cost) => model.consume(trueClock.now(), cost));
          expect(decisions.map(({ allowed }) => allowed)).toEqual(expected);
          for (const decision of decisions) if (!decision.allowed) ({ retryAfter } = decision);
        }
      }),
      { numRuns: RUNS.memory, seed: 20_260_101 },
    );
  });

  test('a sliding window in stretches is never laxer than the exact one, nor stricter by more than a stretch', async () => {
    const trueClock = manualClock(START);
    const store = await openStore('memory', { clock: trueClock, random: seededRandom(1) });
    let keys = 0;
    const schedule = fc.array(fc.tuple(fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 1, max: 5 })), {
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const limits = [(KINDS[2] as Kind).limit] as const;
        const { limiter } = await startLimiter(store, { trueClock, seed: 1, name: 'coarse', limits });
        const key = `${keys++}`;
        const admitted: { at: number; cost: number }[] = [];
        const usedIn = (length: number): number =>
          admitted.reduce((sum, one) => sum + (one.at + length > trueClock.now() ? one.cost : 0), 0);
        for (const [wait, cost] of steps) {
          await trueClock.advance(wait);
          const { allowed } = await limiter.consume(key, { cost });
          if (allowed) expect(usedIn(PER) + cost).toBeLessThanOrEqual(QUOTA);
          else expect(usedIn(PER + PER / 5) + cost).toBeGreaterThan(QUOTA);
          if (allowed) admitted.push({ at: trueClock.now(), cost });
        }
      }),
      { numRuns: RUNS.memory, seed: 20_260_101 },
    );
  });
});
