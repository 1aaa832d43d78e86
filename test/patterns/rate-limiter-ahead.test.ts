import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixedWindow, gcra, RateLimiter, type RateLimiterOptions, slidingWindow } from '../../src/patterns/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { openMemory, START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { fateOfCall } from './support/limiter-fates.ts';
import { type Admission, excesses, type LimiterProcess, startLimiter } from './support/limiters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const PLENTY = gcra({ rate: 1e6, per: '1h' });

async function world(options: Partial<RateLimiterOptions> = {}) {
  const { db, clock } = await openMemory();
  const limited = (more: Partial<RateLimiterOptions> = {}): RateLimiter =>
    new RateLimiter(db, { name: 'l', limits: [PLENTY], ahead: { most: 100 }, ...options, ...more });
  return { clock, limiter: limited(), other: limited, exact: limited({ ahead: undefined }) };
}

/** What the store has counted of a key. */
async function charged(exact: RateLimiter, key = 'k'): Promise<number> {
  const [limit] = (await exact.peek(key)).limits;
  return (limit?.quota ?? 0) - (limit?.remaining ?? 0);
}

describe('room that is taken ahead', () => {
  test('lets nearly all calls of a busy key through without asking the store', async () => {
    const { limiter } = await world();
    const sources: string[] = [];
    for (let i = 0; i < 1000; i++) sources.push((await limiter.consume('k')).source);
    // 1, 1, 1 + 1, 2 + 1, 4 + 1 … 100 + 1.
    expect(limiter.stats()).toMatchObject({ decisions: 1000, denials: 0, rounds: 17, ahead: 983 });
    expect(sources.filter((source) => source === 'ahead')).toHaveLength(983);
  });

  test('is charged when it is taken, all of it, and decisions show what is left in all', async () => {
    const { limiter, exact } = await world();
    const left: number[] = [];
    for (let i = 0; i < 50; i++) left.push((await limiter.consume('k')).remaining);
    // Rounds of one call and 0, 1, 2, 4, 8, 16, 32 ahead.
    expect(await charged(exact)).toBe(70);
    expect(left).toEqual(Array.from({ length: 50 }, (_, i) => 1e6 - 1 - i));
    const shown = await limiter.consume('k');
    expect(shown).toMatchObject({ allowed: true, source: 'ahead', remaining: 1e6 - 51, replayed: false });
    expect(shown.limits).toMatchObject([{ name: '1000000-per-1h', quota: 1e6, remaining: 1e6 - 51, retryAfter: 0 }]);
    expect(shown.headers().get('RateLimit')).toContain(`r=${1e6 - 51}`);
    expect(await limiter.peek('k')).toMatchObject({ source: 'ahead', remaining: 1e6 - 51 });
    expect(await limiter.peek('k', { cost: 1000 })).toMatchObject({ source: 'store', remaining: 1e6 - 70 });
    expect(await limiter.consume('k')).toMatchObject({ source: 'ahead' });
  });

  test('none is taken for a key that is rarely asked for, nor is kept for one that is asked for no more', async () => {
    const { limiter, exact, clock } = await world({ limits: [fixedWindow({ limit: 1e6, per: '520w' })] });
    for (let i = 0; i < 10; i++) {
      expect((await limiter.consume('k')).source).toBe('store');
      await clock.advance(2000);
    }
    for (let i = 0; i < 12; i++) await limiter.consume('k');
    const before = await charged(exact);
    await clock.advance(999);
    expect(await limiter.consume('k')).toMatchObject({ source: 'ahead' });
    await clock.advance(1);
    expect(await limiter.consume('k')).toMatchObject({ source: 'store' });
    // Itself, and as much as was used of the 8.
    expect((await charged(exact)) - before).toBe(1 + 1);
  });

  test('is of as much as was used lately: an even flow loses nothing', async () => {
    const { limiter, exact, clock } = await world({ limits: [fixedWindow({ limit: 1e6, per: '520w' })] });
    for (let i = 0; i < 200; i++) {
      await limiter.consume('k');
      await clock.advance(100);
    }
    expect(await charged(exact)).toBeLessThan(200 * 1.05);
    expect(limiter.stats().rounds).toBeLessThan(40);
  });

  test('is never more than half of what is left: others find room too', async () => {
    const { limiter, other } = await world({ limits: [fixedWindow({ limit: 40, per: '520w' })], ahead: { most: 40 } });
    const second = other();
    for (let i = 0; i < 5; i++) await limiter.consume('k');
    let allowed = 5;
    // Nobody is refused while others hold what nobody uses: all 40 are used by those who ask.
    while ((await second.consume('k')).allowed) allowed++;
    while ((await limiter.consume('k')).allowed) allowed++;
    expect(allowed).toBe(40);
  });

  test('a call that asks for more than there is gets its turn; calls that come after it do not pass it', async () => {
    const { limiter } = await world();
    for (let i = 0; i < 12; i++) await limiter.consume('k');
    const ends: string[] = [];
    const call = async (name: string, cost: number): Promise<void> => {
      await limiter.consume('k', { cost });
      ends.push(name);
    };
    await Promise.all([call('dear', 90), call('cheap', 1), call('cheaper', 1)]);
    expect(ends).toEqual(['dear', 'cheap', 'cheaper']);
  });

  test('nobody who comes when room was taken passes those who wait', async () => {
    const { limiter } = await world();
    await limiter.consume('k');
    const ends: string[] = [];
    const first = limiter.consume('k', { cost: 50 });
    // Until the first is on its way.
    await new Promise((resolve) => setImmediate(resolve));
    const dear = limiter.consume('k', { cost: 60 }).then(() => ends.push('dear'));
    const late = first.then(() => limiter.consume('k')).then(() => ends.push('late'));
    await Promise.all([dear, late]);
    expect(ends).toEqual(['dear', 'late']);
  });

  test('none is taken with a refusal, which costs nothing', async () => {
    const { limiter, exact } = await world({ limits: [fixedWindow({ limit: 50, per: '520w' })], ahead: { most: 5 } });
    for (let i = 0; i < 12; i++) await limiter.consume('k');
    const before = await charged(exact);
    expect(await limiter.consume('k', { cost: 50 })).toMatchObject({ allowed: false });
    expect(await charged(exact)).toBe(before);
  });

  test('serves those who wait first, and without a round of their own', async () => {
    const { limiter } = await world();
    await limiter.consume('k');
    const first = limiter.consume('k', { cost: 50 });
    // Until the first is on its way; these wait for the next round.
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = Array.from({ length: 20 }, () => limiter.consume('k'));
    const decisions = await Promise.all([first, ...waiting]);
    expect(decisions.map(({ source }) => source)).toEqual(['store', ...waiting.map(() => 'ahead')]);
    expect(limiter.stats().rounds).toBe(2);
  });

  test('a call with an idempotency key asks the store, and can be repeated in another process', async () => {
    const { limiter, other } = await world();
    for (let i = 0; i < 12; i++) await limiter.consume('k');
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ source: 'store', replayed: false });
    expect(await other().consume('k', { idempotencyKey: 'a' })).toMatchObject({ replayed: true });
  });

  test.each([
    ['block', (limiter: RateLimiter) => limiter.block('k', '1m')],
    ['penalty', (limiter: RateLimiter) => limiter.penalty('k', 1e6)],
  ] as const)(
    'after a %s of this process nothing is let through, also where a round was on its way',
    async (_, change) => {
      const { limiter } = await world();
      for (let i = 0; i < 12; i++) await limiter.consume('k');
      const late = limiter.consume('k', { cost: 90 });
      await change(limiter);
      expect(await late).toMatchObject({ source: 'store' });
      expect(await limiter.consume('k')).toMatchObject({ allowed: false });
    },
  );

  test('a reset and a refund give the whole record back, and what was held with it', async () => {
    const { limiter, exact } = await world();
    for (let i = 0; i < 50; i++) await limiter.consume('k');
    await limiter.reset('k');
    expect(await limiter.consume('k')).toMatchObject({ source: 'store', remaining: 1e6 - 1 });
    expect(await charged(exact)).toBe(1);
  });

  test('options that make no sense are refused', async () => {
    const { other } = await world();
    for (const most of [0, -1, 1.5, 1e6 + 1, Number.NaN]) {
      expect(() => other({ ahead: { most } })).toThrow('ahead.most is a whole number from 1 to 1000000.');
    }
    expect(() => other({ ahead: { most: 1, for: 'soon' as '1s' } })).toThrow('ahead.for');
  });
});

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 2000, embedded: 200, norikv: 200 }
  : { memory: 20, embedded: 2, norikv: 1 };
const PER = 10_000;
const QUOTA = 40;
const FOR = 1000;

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  test('no stretch of time sees more than the limit, plus what was taken ahead just before it; all that is let through is charged', async () => {
    const trueClock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock: trueClock, random: seededRandom(1) });
    let runs = 0;
    let ahead = 0;
    let denied = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const random = seededRandom(seed);
        const key = `key ${runs++}`;
        const whole = fixedWindow({ limit: 1e6, per: '520w', name: 'whole' });
        const [limit, most] = (
          [
            [gcra({ rate: 20, per: PER, burst: QUOTA }), (stretch: number) => QUOTA + Math.floor((20 * stretch) / PER)],
            [slidingWindow({ limit: QUOTA, per: PER }), (stretch: number) => QUOTA * Math.ceil((stretch + 1) / PER)],
          ] as const
        )[seed % 2] as readonly [ReturnType<typeof gcra>, (stretch: number) => number];
        const limits = [limit, whole] as const;
        const processes = await Promise.all(
          [0, 1, 2].map((i) =>
            startLimiter(store, {
              trueClock,
              seed: seed * 31 + i * 7,
              faults: anyFaults(seed + i),
              name: `${seed}`,
              limits,
              ahead: { most: 10, for: FOR },
            }),
          ),
        );
        const admissions: Admission[] = [];
        const step = async (): Promise<void> => {
          const { limiter } = processes[pickInt(random, processes.length)] as LimiterProcess;
          const cost = 1 + pickInt(random, 2);
          const from = trueClock.now();
          const fate = await limiter.consume(key, { cost }).catch(fateOfCall);
          if (typeof fate === 'string') return;
          if (fate.source === 'ahead') ahead++;
          if (fate.allowed) admissions.push({ from, to: trueClock.now(), cost });
          else denied++;
        };
        for (let round = 0; round < 20; round++) {
          await Promise.all([step(), step(), step(), step()]);
          if (random.float() < 0.5) await trueClock.advance(pickInt(random, 1500));
        }
        expect(
          excesses(admissions, (from, to) => most(to - from + FOR)),
          `seed ${seed}`,
        ).toEqual([]);
        for (const { faulty } of processes) await faulty.heal();
        const { limiter } = await startLimiter(store, { trueClock, seed: 1, name: `${seed}`, limits });
        const { limits: statuses } = await limiter.peek(key);
        const counted = 1e6 - (statuses.find(({ name }) => name === 'whole')?.remaining ?? 0);
        expect(counted, `seed ${seed}`).toBeGreaterThanOrEqual(admissions.reduce((sum, { cost }) => sum + cost, 0));
      }),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );
    expectOnAverage(ahead, RUNS[kind], 5);
    expectOnAverage(denied, RUNS[kind], 2);
  });
});
