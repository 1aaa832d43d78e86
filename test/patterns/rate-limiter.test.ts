import { parseList } from 'structured-headers';
import { describe, expect, test } from 'vitest';
import { encodeTuple } from '../../src/core/keys/index.ts';
import { NorimakiError, open } from '../../src/index.ts';
import {
  type Decision,
  fixedWindow,
  gcra,
  type Limit,
  RateLimiter,
  type RateLimiterOptions,
  slidingWindow,
} from '../../src/patterns/index.ts';
import { type FaultCall, faultStore, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { openMemory, START } from '../support/open.ts';

type Script = (call: FaultCall) => 'none' | 'errorBefore' | 'errorAfter' | 'conflict' | 'lostRequest' | 'crashAfter';

async function world(limits: RateLimiterOptions['limits'], options: Partial<RateLimiterOptions> = {}) {
  const { db, clock, store } = await openMemory();
  let seed = 10;
  return {
    db,
    clock,
    store,
    limiter: new RateLimiter(db, { name: 'l', limits, ...options }),
    /** Another process on the same store, whose calls can be made to fail. */
    start: async (script: Script = () => 'none', more: Partial<RateLimiterOptions> = {}) => {
      const faulty = faultStore(store, { random: seededRandom(seed++), clock, script });
      const other = await open(faulty, { clock, random: seededRandom(seed++) });
      return { faulty, limiter: new RateLimiter(other, { name: 'l', limits, ...options, ...more }) };
    },
  };
}

function denied(decision: Decision): Extract<Decision, { allowed: false }> {
  if (decision.allowed) throw new Error('It was let through.');
  return decision;
}

const refusal = (argument: string) => ({ code: 'argument.invalid', details: { argument } });

const EVERY_LIMIT: readonly (readonly [string, Limit])[] = [
  ['gcra', gcra({ rate: 10, per: '10s' })],
  ['an exact sliding window', slidingWindow({ limit: 10, per: '10s' })],
  ['a sliding window in stretches', slidingWindow({ limit: 10, per: '10s', precision: 4 })],
  ['a fixed window', fixedWindow({ limit: 10, per: '10s' })],
];

describe.each(EVERY_LIMIT)('%s', (_, limit) => {
  test('lets through what it says, then refuses until exactly retryAfter, and not a millisecond less', async () => {
    const { limiter, clock } = await world([limit], { blockTtl: 0 });
    for (let left = 9; left >= 0; left--) {
      expect(await limiter.consume('k')).toMatchObject({ allowed: true, remaining: left, source: 'store' });
      await clock.advance(7);
    }
    for (const cost of [1, 3, 10]) {
      const no = denied(await limiter.consume('k', { cost }));
      expect(no.by).toBe('10-per-10s');
      await clock.advance(no.retryAfter - 1);
      expect(await limiter.consume('k', { cost })).toMatchObject({ allowed: false, retryAfter: 1 });
      await clock.advance(1);
      expect(await limiter.consume('k', { cost })).toMatchObject({ allowed: true });
      for (let isFull = false; !isFull; ) isFull = !(await limiter.consume('k')).allowed;
    }
  });

  test('nextAfter and resetAfter say when more, and when all, is free again', async () => {
    const { limiter, clock } = await world([limit]);
    expect((await limiter.peek('k')).limits).toEqual([
      { name: '10-per-10s', quota: 10, window: 10_000, remaining: 10, nextAfter: 0, resetAfter: 0, retryAfter: 0 },
    ]);
    await limiter.consume('k', { cost: 4 });
    await clock.advance(1500);
    await limiter.consume('k', { cost: 5 });
    for (;;) {
      const { remaining, limits } = await limiter.peek('k');
      const [status] = limits;
      if (status === undefined || status.resetAfter === 0) break;
      expect(status.nextAfter).toBeLessThanOrEqual(status.resetAfter);
      await clock.advance(status.nextAfter - 1);
      expect((await limiter.peek('k')).remaining).toBe(remaining);
      await clock.advance(1);
      expect((await limiter.peek('k')).remaining).toBeGreaterThan(remaining);
    }
    expect((await limiter.peek('k')).remaining).toBe(10);
  });

  test('weights, refund, penalty, block, peek and reset', async () => {
    const { limiter, clock } = await world([limit]);
    expect(await limiter.consume('k', { cost: 8 })).toMatchObject({ allowed: true, remaining: 2 });
    expect(await limiter.consume('k', { cost: 3 })).toMatchObject({ allowed: false, remaining: 2 });
    expect(await limiter.refund('k', 3)).toMatchObject({ remaining: 5 });
    expect(await limiter.peek('k', { cost: 6 })).toMatchObject({ allowed: false });
    expect(await limiter.peek('k', { cost: 5 })).toMatchObject({ allowed: true, remaining: 5 });
    expect(await limiter.consume('k', { cost: 0 })).toMatchObject({ allowed: true, remaining: 5 });
    expect(await limiter.penalty('k', 5)).toMatchObject({ allowed: false, remaining: 0 });
    expect(await limiter.refund('k', 1000)).toMatchObject({ allowed: true, remaining: 10 });

    expect(await limiter.block('k', '1h')).toMatchObject({ allowed: false, by: 'block', retryAfter: 3_600_000 });
    await clock.advance(3_599_999);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, by: 'block', retryAfter: 1 });
    await clock.advance(1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: true });
    await limiter.block('k', '1h');
    expect(await limiter.block('k', 0)).toMatchObject({ allowed: true });

    await limiter.consume('k', { cost: 9 });
    await limiter.block('k', '1h');
    expect(await limiter.reset('k')).toMatchObject({ allowed: true, remaining: 10 });
    expect(await limiter.consume('other')).toMatchObject({ remaining: 9 });
  });

  test('what is taken too much by a penalty has to come back first, and retryAfter says when', async () => {
    const { limiter, clock } = await world([limit], { blockTtl: 0 });
    await limiter.penalty('k', 25);
    const { retryAfter } = denied(await limiter.consume('k'));
    await clock.advance(retryAfter - 1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfter: 1 });
    await clock.advance(1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: true });
  });

  test('a clock that jumps back lets nothing through again, and retryAfter is by that clock', async () => {
    const { limiter, clock } = await world([limit], { blockTtl: 0 });
    await clock.advance(2500);
    await limiter.consume('k', { cost: 10 });
    clock.set(clock.now() - 3_600_000);
    const { retryAfter } = denied(await limiter.consume('k'));
    expect(retryAfter).toBeGreaterThan(3_600_000);
    await clock.advance(retryAfter - 1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfter: 1 });
    await clock.advance(1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: true });
  });

  test('a reset also ends the time of a clock that was ahead', async () => {
    const { limiter, clock, start } = await world([limit]);
    const { limiter: other } = await start();
    const right = clock.now();
    clock.set(right + 3_600_000);
    await limiter.consume('k', { cost: 10 });
    clock.set(right);
    expect(await other.consume('k')).toMatchObject({ allowed: false });
    await other.reset('k');
    expect(await other.consume('k', { cost: 10 })).toMatchObject({ allowed: true });
    expect(denied(await other.consume('k')).retryAfter).toBeLessThanOrEqual(10_000);
  });
});

describe('defects of others that ours does not have', () => {
  test('upstash #161: of 10, calls that cost 8, 5 and 1: the refused 5 costs nothing', async () => {
    for (const [, limit] of EVERY_LIMIT) {
      const { limiter } = await world([limit]);
      expect(await limiter.consume('k', { cost: 8 })).toMatchObject({ allowed: true, remaining: 2 });
      expect(await limiter.consume('k', { cost: 5 })).toMatchObject({ allowed: false, remaining: 2 });
      expect(await limiter.consume('k', { cost: 1 })).toMatchObject({ allowed: true, remaining: 1 });
    }
  });

  test('upstash #156: refused calls, however many and however dear, do not make a key wait longer', async () => {
    for (const [, limit] of EVERY_LIMIT) {
      const { limiter, clock } = await world([limit], { blockTtl: 0 });
      await limiter.consume('k', { cost: 10 });
      const { retryAfter } = denied(await limiter.consume('k'));
      for (let i = 0; i < 150; i++) await limiter.consume('k', { cost: 10 });
      expect(denied(await limiter.consume('k')).retryAfter).toBe(retryAfter);
      await clock.advance(retryAfter);
      expect(await limiter.consume('k')).toMatchObject({ allowed: true });
    }
  });

  test('rate-limiter-flexible, Union: a call that one limit refuses is not charged by the others', async () => {
    const minute = slidingWindow({ limit: 3, per: '1m' });
    const hour = slidingWindow({ limit: 5, per: '1h' });
    const { limiter } = await world([hour, minute]);
    for (let i = 0; i < 3; i++) await limiter.consume('k');
    const no = denied(await limiter.consume('k'));
    expect(no.by).toBe('3-per-1m');
    for (let i = 0; i < 10; i++) await limiter.consume('k');
    const { limits } = await limiter.peek('k');
    expect(limits.map(({ name, remaining }) => [name, remaining])).toEqual([
      ['5-per-1h', 2],
      ['3-per-1m', 0],
    ]);
  });

  test('rate-limiter-flexible, rejections: a refusal is a result, and what is thrown is an Error', async () => {
    const { limiter, start } = await world([gcra({ rate: 1, per: '1m' })]);
    await limiter.consume('k');
    await expect(limiter.consume('k')).resolves.toMatchObject({ allowed: false });
    const { limiter: failing } = await start(() => 'errorBefore');
    await expect(failing.consume('x')).rejects.toBeInstanceOf(Error);
    await expect(limiter.consume('k', { cost: 2 })).rejects.toBeInstanceOf(NorimakiError);
  });

  test('the seed: a window of ten seconds or an hour is not one of a minute, and its edge is not twice as wide', async () => {
    const { limiter, clock } = await world([slidingWindow({ limit: 10, per: '1h' })]);
    await limiter.consume('k', { cost: 9 });
    await clock.advance(3_599_000);
    expect(await limiter.consume('k', { cost: 1 })).toMatchObject({ allowed: true });
    expect(await limiter.consume('k', { cost: 1 })).toMatchObject({ allowed: false, retryAfter: 1000 });
  });
});

test('a refund gives back the newest charge: the oldest comes back by itself soonest', async () => {
  const { limiter, clock } = await world([slidingWindow({ limit: 10, per: '10s' })]);
  await limiter.consume('k', { cost: 5 });
  await clock.advance(4000);
  await limiter.consume('k', { cost: 5 });
  expect(await limiter.refund('k', 5)).toMatchObject({ remaining: 5 });
  await clock.advance(5999);
  expect(await limiter.peek('k')).toMatchObject({ remaining: 5 });
  await clock.advance(1);
  expect(await limiter.peek('k')).toMatchObject({ remaining: 10 });
});

describe('several limits', () => {
  test('the one that refuses longest is named, and its retryAfter satisfies all', async () => {
    const { limiter, clock } = await world(
      [gcra({ rate: 2, per: '1s', name: 'burst' }), fixedWindow({ limit: 4, per: '1h', name: 'hourly' })],
      { blockTtl: 0 },
    );
    await limiter.consume('k', { cost: 2 });
    expect(denied(await limiter.consume('k', { cost: 2 }))).toMatchObject({ by: 'burst', retryAfter: 1000 });
    await clock.advance(1000);
    await limiter.consume('k', { cost: 2 });
    const no = denied(await limiter.consume('k'));
    expect(no).toMatchObject({ by: 'hourly', remaining: 0 });
    await clock.advance(no.retryAfter - 1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfter: 1 });
    await clock.advance(1);
    expect(await limiter.consume('k', { cost: 2 })).toMatchObject({ allowed: true });
  });

  test('a program with other limits on the same name keeps its own, and does not disturb these', async () => {
    const { limiter, start } = await world([gcra({ rate: 10, per: '1h', name: 'a' })]);
    const { limiter: newer } = await start(() => 'none', {
      limits: [gcra({ rate: 10, per: '1h', name: 'a' }), fixedWindow({ limit: 5, per: '1d', name: 'b' })],
    });
    await limiter.consume('k', { cost: 2 });
    expect((await newer.consume('k', { cost: 3 })).limits).toMatchObject([{ remaining: 5 }, { remaining: 2 }]);
    expect((await limiter.consume('k', { cost: 1 })).limits).toMatchObject([{ remaining: 4 }]);
    expect((await newer.peek('k')).limits).toMatchObject([{ remaining: 4 }, { remaining: 2 }]);
  });

  test('a limit that changed under its name keeps what was used, as far as it can', async () => {
    const { limiter, start } = await world([gcra({ rate: 10, per: '1h', name: 'a' })]);
    await limiter.consume('k', { cost: 6 });
    const { limiter: twice } = await start(() => 'none', { limits: [gcra({ rate: 20, per: '1h', name: 'a' })] });
    expect(await twice.peek('k')).toMatchObject({ remaining: 14 });
    const { limiter: other } = await start(() => 'none', {
      limits: [fixedWindow({ limit: 20, per: '1h', name: 'a' })],
    });
    expect(await other.peek('k')).toMatchObject({ remaining: 20 });
  });
});

describe('idempotency keys', () => {
  test('a repeated call is let through again and not charged, in every process, however full the key is', async () => {
    const { limiter, start } = await world([gcra({ rate: 3, per: '1h' })]);
    const { limiter: other } = await start();
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ allowed: true, replayed: false });
    await limiter.consume('k', { cost: 2 });
    expect(await limiter.consume('k')).toMatchObject({ allowed: false });
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ allowed: true, replayed: true });
    expect(await other.consume('k', { idempotencyKey: 'a' })).toMatchObject({ allowed: true, remaining: 0 });
    expect(await other.consume('k', { idempotencyKey: 'b' })).toMatchObject({ allowed: false });
  });

  test('a refused key may be tried again; refunds and penalties have keys of their own', async () => {
    const { limiter } = await world([gcra({ rate: 10, per: '1h' })]);
    await limiter.consume('k', { cost: 10 });
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ allowed: false });
    for (let i = 0; i < 3; i++) await limiter.refund('k', 2, { idempotencyKey: 'a' });
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ allowed: true, remaining: 1 });
    for (let i = 0; i < 3; i++) await limiter.penalty('k', 1, { idempotencyKey: 'a' });
    expect(await limiter.peek('k')).toMatchObject({ remaining: 0 });
  });

  test('a crash after the commit: charged, and whoever asks again with the key learns that it was let through', async () => {
    const { limiter, start } = await world([gcra({ rate: 3, per: '1h' })]);
    const { limiter: crashing } = await start(({ verb }) => (verb === 'put' ? 'crashAfter' : 'none'));
    await expect(crashing.consume('k', { idempotencyKey: 'a' })).rejects.toThrow();
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ replayed: true, remaining: 2 });
  });

  test('a lost reply is charged once', async () => {
    let isLost = false;
    const { limiter, start } = await world([gcra({ rate: 9, per: '1h' })]);
    await limiter.consume('k');
    const { limiter: losing } = await start(({ verb }) => {
      if (verb !== 'put' || isLost) return 'none';
      isLost = true;
      return 'errorAfter';
    });
    expect(await losing.consume('k')).toMatchObject({ allowed: true, source: 'store', remaining: 7 });
    expect(isLost).toBe(true);
  });

  test('64 keys are remembered', async () => {
    const { limiter } = await world([gcra({ rate: 1000, per: '1h' })]);
    const consume = (key: string) => limiter.consume('k', { idempotencyKey: key });
    await consume('first');
    await Promise.all(Array.from({ length: 63 }, (_, i) => consume(`key ${i}`)));
    for (let i = 0; i < 100; i++) await limiter.consume('k');
    expect(await consume('first')).toMatchObject({ replayed: true });
    await consume('one too many');
    expect(await consume('first')).toMatchObject({ replayed: false });
  });
});

describe('calls to the store', () => {
  async function counted(options: Partial<RateLimiterOptions> = {}) {
    const calls = { get: 0, put: 0 };
    const all = await world([gcra({ rate: 10, per: '10s' })], options);
    const { limiter } = await all.start(({ verb }) => {
      if (verb === 'get' || verb === 'put') calls[verb]++;
      return 'none';
    });
    return { ...all, limiter, calls };
  }

  test('calls that wait together are decided in order of arrival by one write', async () => {
    const { limiter, calls } = await counted();
    const decisions = await Promise.all([3, 4, 5, 2, 1, 1, 0].map((cost) => limiter.consume('k', { cost })));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false, true, true, false, true]);
    expect(decisions.map(({ remaining }) => remaining)).toEqual([7, 3, 3, 1, 0, 0, 0]);
    expect(calls.put).toBe(1);
    expect(limiter.stats()).toMatchObject({ decisions: 7, denials: 2, rounds: 1, localBlocks: 0, fallbacks: 0 });
  });

  test('a refusal writes nothing, and is repeated here without a call until the same cost is let through', async () => {
    const { limiter, calls, clock } = await counted({ blockTtl: '1h' });
    await limiter.consume('k', { cost: 10 });
    const puts = calls.put;
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, source: 'store', retryAfter: 1000 });
    expect(calls.put).toBe(puts);
    const gets = calls.get;
    await clock.advance(400);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, source: 'local-block', retryAfter: 600 });
    expect(await limiter.consume('k', { cost: 4 })).toMatchObject({ source: 'local-block', retryAfter: 3600 });
    await clock.advance(599);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, source: 'local-block', retryAfter: 1 });
    expect(calls).toEqual({ get: gets, put: puts });
    await clock.advance(1);
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, source: 'store' });
    expect(limiter.stats()).toMatchObject({ localBlocks: 3 });
  });

  test('a refund, a reset and the end of a block show at once here, and after blockTtl in other processes', async () => {
    for (const change of ['refund', 'reset', 'unblock'] as const) {
      const { limiter, start, clock } = await counted({ blockTtl: '2s' });
      const { limiter: other } = await start();
      await limiter.consume('k', { cost: 10 });
      if (change === 'unblock') {
        await limiter.reset('k');
        await limiter.block('k', '1h');
      }
      expect(await limiter.consume('k')).toMatchObject({ allowed: false });
      expect(await other.consume('k')).toMatchObject({ allowed: false });
      if (change === 'refund') await limiter.refund('k', 10);
      else if (change === 'reset') await limiter.reset('k');
      else await limiter.block('k', 0);
      expect(await limiter.consume('k')).toMatchObject({ allowed: true, source: 'store' });
      expect(await other.peek('k')).toMatchObject({ allowed: true });
      if (change === 'unblock') {
        await clock.advance(1999);
        expect(await other.consume('k')).toMatchObject({ allowed: false, source: 'local-block' });
        await clock.advance(1);
      } else {
        await clock.advance(2000);
      }
      expect(await other.consume('k')).toMatchObject({ allowed: true, source: 'store' });
    }
  });

  test('a record that has nothing to say any more is gone', async () => {
    const { limiter, clock, store } = await counted();
    await limiter.consume('k', { cost: 10, idempotencyKey: 'a' });
    await clock.advance(10_000);
    expect(await limiter.consume('k', { cost: 10, idempotencyKey: 'b' })).toMatchObject({ allowed: true });
    await clock.advance(10_000 + 59_999);
    expect(await limiter.consume('k', { idempotencyKey: 'b' })).toMatchObject({ replayed: true });
    await clock.advance(1);
    const key = encodeTuple(['norimaki', null, 0n, 'norimaki.rate-limit', 'r', 'l', 'k']);
    expect(await store.get(key)).toBeUndefined();
  });

  test('a record that cannot be read is record.corrupt, whatever onStoreError says, and never a fresh start', async () => {
    const { limiter, start, store } = await counted();
    await limiter.consume('k');
    const key = encodeTuple(['norimaki', null, 0n, 'norimaki.rate-limit', 'r', 'l', 'k']);
    await store.put(key, new TextEncoder().encode('{"json":{"states":["gcra:10-per-10s=x"]}}'));
    for (const onStoreError of ['closed', 'open', 'local'] as const) {
      const { limiter: other } = await start(() => 'none', { onStoreError });
      await expect(other.consume('k')).rejects.toMatchObject({ code: 'record.corrupt' });
      await expect(other.peek('k')).rejects.toMatchObject({ code: 'record.corrupt' });
    }
  });

  test('limiters of other names and of other tenants are others', async () => {
    const { db } = await openMemory();
    const limits = [gcra({ rate: 1, per: '1h' })] as const;
    for (const [where, name] of [
      [db, 'a'],
      [db, 'b'],
      [db.forTenant('acme'), 'a'],
    ] as const) {
      expect(await new RateLimiter(where, { name, limits }).consume('k')).toMatchObject({ allowed: true });
    }
    expect(await new RateLimiter(db.forTenant('acme'), { name: 'a', limits }).consume('k')).toMatchObject({
      allowed: false,
    });
  });

  test('keys of any length, as strangers send them, are told apart', async () => {
    const { limiter } = await counted();
    const long = 'x'.repeat(100_000);
    expect(await limiter.consume(long, { cost: 10 })).toMatchObject({ allowed: true });
    expect(await limiter.consume(long)).toMatchObject({ allowed: false });
    expect(await limiter.consume(`${long}y`)).toMatchObject({ allowed: true });
    expect(await limiter.consume('ü'.repeat(200))).toMatchObject({ allowed: true });
  });
});

describe('while the store fails', () => {
  const down: Script = ({ verb }) => (verb === 'get' || verb === 'put' ? 'errorBefore' : 'none');

  test("'closed' throws what failed, and says what to do", async () => {
    const { start } = await world([gcra({ rate: 2, per: '1h' })]);
    const { limiter } = await start(down);
    const failure = expect.objectContaining({ code: 'store.unavailable' });
    await expect(limiter.consume('k')).rejects.toMatchObject({
      code: 'rateLimit.unavailable',
      details: { limiter: 'l' },
      cause: failure,
    });
    await expect(limiter.peek('k')).rejects.toMatchObject({ code: 'rateLimit.unavailable' });
    await expect(limiter.wait('k')).rejects.toMatchObject({ code: 'rateLimit.unavailable' });
    await expect(limiter.refund('k')).rejects.toMatchObject({ code: 'store.unavailable' });
  });

  test("'open' lets through and says that nobody counted", async () => {
    const { start } = await world([gcra({ rate: 1, per: '1h' })], { onStoreError: 'open' });
    const { limiter } = await start(down);
    for (let i = 0; i < 3; i++) {
      expect(await limiter.consume('k')).toMatchObject({ allowed: true, source: 'fallback', limits: [], remaining: 0 });
    }
    expect(await limiter.peek('k')).toMatchObject({ allowed: true, source: 'fallback' });
    expect([...(await limiter.consume('k')).headers().keys()]).toEqual(['ratelimit-policy']);
    expect(limiter.stats()).toMatchObject({ fallbacks: 4 });
  });

  test("'local' counts the same limits here alone, and the store decides again as soon as it answers", async () => {
    let isDown = true;
    const { start } = await world([gcra({ rate: 2, per: '1h' })], { onStoreError: 'local', blockTtl: 0 });
    const { limiter } = await start((call) => (isDown ? down(call) : 'none'));
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({
      allowed: true,
      source: 'fallback',
      remaining: 1,
    });
    expect(await limiter.consume('k', { idempotencyKey: 'a' })).toMatchObject({ replayed: true, remaining: 1 });
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, remaining: 0 });
    const no = denied(await limiter.consume('k'));
    expect(no).toMatchObject({ source: 'fallback' });
    expect(no.retryAfter).toBeGreaterThan(1_790_000);
    expect(await limiter.peek('k')).toMatchObject({ allowed: false, source: 'fallback' });
    expect(await limiter.consume('other')).toMatchObject({ allowed: true });
    isDown = false;
    expect(await limiter.consume('k')).toMatchObject({ allowed: true, source: 'store', remaining: 1 });
  });

  test.each([
    ['others that are always faster', 'conflict'],
    ['a store that never says what it did', 'lostRequest'],
  ] as const)('%s is a failure too, never a silent yes', async (_, fault) => {
    const { limiter: healthy, start } = await world([gcra({ rate: 9, per: '1h' })]);
    await healthy.consume('k');
    const script: Script = ({ verb }) => (verb === 'put' ? fault : 'none');
    const { limiter: closed } = await start(script, { timeout: '1h' });
    await expect(closed.consume('k')).rejects.toMatchObject({ code: 'rateLimit.unavailable' });
    const { limiter: local } = await start(script, { onStoreError: 'local', timeout: '1h' });
    expect(await local.consume('k')).toMatchObject({ source: 'fallback', remaining: 8 });
    expect(await healthy.peek('k')).toMatchObject({ remaining: 8 });
  });

  test('a store that does not answer at all is given up after the timeout', async () => {
    const { db, clock, store } = await openMemory();
    const hanging = Object.assign(Object.create(store) as typeof store, {
      get: () => new Promise<never>(() => {}),
      put: () => new Promise<never>(() => {}),
    });
    const limits = [gcra({ rate: 9, per: '1h' })] as const;
    const limiter = new RateLimiter(await open(hanging, { clock, random: seededRandom(1) }), {
      name: 'l',
      limits,
      timeout: '300ms',
    });
    const call = limiter.consume('k');
    const both = [call, limiter.peek('k')].map((promise) => promise.catch((error: unknown) => error));
    for (let i = 0; i < 5; i++) await new Promise((turn) => setImmediate(turn));
    await clock.advance(300);
    for (const error of await Promise.all(both)) {
      expect(error).toMatchObject({ code: 'rateLimit.unavailable', cause: { code: 'deadline.exceeded' } });
    }
    expect(clock.sleeping).toBe(0);
    expect(await new RateLimiter(db, { name: 'l', limits }).peek('k')).toMatchObject({ remaining: 9 });
  });

  test('a closed store is a mistake of the program, not an outage', async () => {
    const { start } = await world([gcra({ rate: 9, per: '1h' })], { onStoreError: 'open' });
    const { limiter, faulty } = await start();
    await faulty.close();
    await expect(limiter.consume('k')).rejects.toMatchObject({ code: 'store.closed' });
  });
});

describe('signals', () => {
  test('a call that is given up before it is sent charges nothing, and does not disturb the others', async () => {
    const { limiter } = await world([gcra({ rate: 9, per: '1h' })]);
    const stop = new AbortController();
    const calls = [
      limiter.consume('k', { cost: 1 }),
      limiter.consume('k', { cost: 2, signal: stop.signal }),
      limiter.consume('k', { cost: 4 }),
    ];
    stop.abort();
    const [one, two, three] = await Promise.allSettled(calls);
    expect(one).toMatchObject({ status: 'fulfilled', value: { remaining: 8 } });
    expect(two).toMatchObject({ status: 'rejected', reason: { code: 'aborted', details: { applied: 'no' } } });
    expect(three).toMatchObject({ status: 'fulfilled', value: { remaining: 4 } });
    await expect(limiter.consume('k', { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect(limiter.wait('k', { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a call that is given up under way takes nobody with it', async () => {
    const stop = new AbortController();
    const { start } = await world([gcra({ rate: 9, per: '1h' })]);
    const { limiter } = await start(({ verb }) => {
      if (verb === 'put') stop.abort();
      return 'none';
    });
    const calls = [limiter.consume('k', { signal: stop.signal }), limiter.consume('k'), limiter.consume('k')];
    const [one, two, three] = await Promise.allSettled(calls);
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'aborted', details: { applied: 'unknown' } } });
    expect(two).toMatchObject({ status: 'fulfilled', value: { remaining: 7 } });
    expect(three).toMatchObject({ status: 'fulfilled', value: { remaining: 6 } });
  });
});

describe('wait', () => {
  test('lets through at the instant at which there is room, in the order of arrival, dear calls too', async () => {
    const { limiter, clock } = await world([gcra({ rate: 1, per: '1s', burst: 3 })]);
    await limiter.consume('k', { cost: 3 });
    const start = clock.mono();
    const order: [string, number][] = [];
    const wait = (name: string, cost: number) =>
      limiter
        .wait('k', { cost })
        .then(({ allowed }) => order.push([name, allowed ? clock.mono() - start : Number.NaN]));
    await Promise.all([wait('a', 1), wait('b', 3), wait('c', 1), wait('d', 1)]);
    expect(order).toEqual([
      ['a', 1000],
      ['b', 4000],
      ['c', 5000],
      ['d', 6000],
    ]);
    expect(clock.sleeping).toBe(0);
  });

  test('gives up as soon as the deadline cannot be met, and frees its place in the line', async () => {
    const { limiter, clock } = await world([gcra({ rate: 1, per: '1s' })]);
    await limiter.consume('k');
    const start = clock.mono();
    const first = limiter.wait('k', { deadline: '900ms' });
    const second = limiter.wait('k');
    await expect(first).rejects.toMatchObject({ code: 'deadline.exceeded', details: { applied: 'no' } });
    expect(clock.mono() - start).toBe(0);
    await second;
    expect(clock.mono() - start).toBe(1000);
    const slow = limiter.wait('k');
    const behind = limiter.wait('k', { deadline: '1500ms' });
    await expect(behind).rejects.toMatchObject({ code: 'deadline.exceeded' });
    await slow;
    expect(clock.mono() - start).toBeLessThanOrEqual(2500);
  });

  test('who waits behind others is told at the deadline, not after', async () => {
    const { limiter, clock } = await world([gcra({ rate: 1, per: '1m' })]);
    await limiter.consume('k');
    const first = limiter.wait('k');
    const start = clock.mono();
    await expect(limiter.wait('k', { deadline: '20s' })).rejects.toMatchObject({
      code: 'deadline.exceeded',
      details: { waited: 20_000 },
    });
    expect(clock.mono() - start).toBe(20_000);
    await first;
  });

  test('a signal ends the wait of the first and of those behind; the others go on', async () => {
    const { limiter, clock } = await world([gcra({ rate: 1, per: '1s' })]);
    await limiter.consume('k');
    const [one, two] = [new AbortController(), new AbortController()];
    const calls = [
      limiter.wait('k', { signal: one.signal }),
      limiter.wait('k', { signal: two.signal }),
      limiter.wait('k'),
    ].map((call) =>
      call.then(
        ({ allowed }) => allowed,
        (error: NorimakiError) => error.code,
      ),
    );
    two.abort();
    one.abort();
    expect(await Promise.all(calls)).toEqual(['aborted', 'aborted', true]);
    expect(clock.sleeping).toBe(0);
  });

  test('a refund, a reset and the end of a block wake who waits', async () => {
    const { store } = await openMemory();
    // Stands still: nothing but the change can end the wait.
    const clock = manualClock(START);
    const db = await open(store, { clock, random: seededRandom(1) });
    const limiter = new RateLimiter(db, { name: 'l', limits: [gcra({ rate: 1, per: '1h' })] });
    const fill = () => limiter.consume('k');
    for (const [take, giveBack] of [
      [fill, () => limiter.refund('k')],
      [fill, () => limiter.reset('k')],
      [() => limiter.block('k', '1h'), () => limiter.block('k', 0)],
    ] as const) {
      await limiter.reset('k');
      await take();
      const wait = limiter.wait('k');
      while (clock.sleeping === 0) await new Promise((turn) => setImmediate(turn));
      await giveBack();
      expect(await wait).toMatchObject({ allowed: true });
      expect(clock.sleeping).toBe(0);
    }
  });
});

describe('headers', () => {
  test('follow draft-ietf-httpapi-ratelimit-headers-11', async () => {
    const { limiter, clock } = await world([
      gcra({ rate: 100, per: '1m', burst: 20, name: 'burst' }),
      slidingWindow({ limit: 1000, per: '1d', name: 'daily' }),
    ]);
    const headersOf = (decision: Decision): Record<string, string> => Object.fromEntries(decision.headers());
    expect(headersOf(await limiter.peek('k'))).toEqual({
      'ratelimit-policy': '"burst";q=20;w=12, "daily";q=1000;w=86400',
      ratelimit: '"burst";r=20, "daily";r=1000',
    });
    expect(headersOf(await limiter.consume('k', { cost: 20 }))).toEqual({
      'ratelimit-policy': '"burst";q=20;w=12, "daily";q=1000;w=86400',
      ratelimit: '"burst";r=0;t=1, "daily";r=980;t=86400',
    });
    await clock.advance(100);
    expect(headersOf(await limiter.consume('k', { cost: 3 }))).toEqual({
      'ratelimit-policy': '"burst";q=20;w=12, "daily";q=1000;w=86400',
      ratelimit: '"burst";r=0;t=1',
      'retry-after': '2',
    });
    await limiter.block('k', '90s');
    expect(headersOf(await limiter.peek('k'))).toMatchObject({ 'retry-after': '90' });
  });

  test('names with quotes and backslashes are structured strings that parse back', async () => {
    const { limiter } = await world([gcra({ rate: 1, per: '250ms', name: 'a "b" \\ c=1; d, e' })]);
    const headers = (await limiter.consume('k')).headers();
    expect(parseList(headers.get('RateLimit-Policy') ?? '')).toEqual([
      [
        'a "b" \\ c=1; d, e',
        new Map([
          ['q', 1],
          ['w', 1],
        ]),
      ],
    ]);
    expect(await limiter.consume('k')).toMatchObject({ allowed: false, retryAfter: 250 });
  });
});

describe('refusals of what makes no sense', () => {
  test.each<[string, () => unknown]>([
    ['rate', () => gcra({ rate: 0, per: '1m' })],
    ['rate', () => gcra({ rate: 1.5, per: '1m' })],
    ['burst', () => gcra({ rate: 1, per: '1m', burst: Number.NaN })],
    ['burst', () => gcra({ rate: 7, per: '52w', burst: 1e12 })],
    ['per', () => gcra({ rate: 1, per: 0 })],
    ['per', () => slidingWindow({ limit: 1, per: 0.5 })],
    ['limit', () => slidingWindow({ limit: -1, per: '1m' })],
    ['precision', () => slidingWindow({ limit: 1001, per: '1m', precision: 'exact' })],
    ['precision', () => slidingWindow({ limit: 1, per: '1m', precision: 0 })],
    ['limit', () => fixedWindow({ limit: 2 ** 60, per: '1m' })],
    ['offset', () => fixedWindow({ limit: 1, per: '1m', offset: 0.5 })],
    ['name', () => gcra({ rate: 1, per: '1m', name: 'größe' })],
    ['name', () => gcra({ rate: 1, per: '1m', name: '' })],
  ])('%s of a limit', (argument, make) => {
    expect(make).toThrow(expect.objectContaining(refusal(argument)));
  });

  test('of the limiter, and of its calls', async () => {
    const { db } = await openMemory();
    const limit = gcra({ rate: 5, per: '1m' });
    const make = (options: Partial<RateLimiterOptions>) => () =>
      new RateLimiter(db, { name: 'l', limits: [limit], ...options });
    // As a program without types could call it.
    expect(make({ limits: [] as never })).toThrow(expect.objectContaining(refusal('limits')));
    expect(make({ limits: [limit, slidingWindow({ limit: 5, per: '1m' })] })).toThrow(
      expect.objectContaining(refusal('limits')),
    );
    expect(make({ name: '' })).toThrow(expect.objectContaining(refusal('name')));
    expect(make({ onStoreError: 'ajar' as never })).toThrow(expect.objectContaining(refusal('onStoreError')));
    expect(make({ timeout: -1 })).toThrow(expect.objectContaining(refusal('timeout')));
    const limiter = make({})();
    await expect(limiter.consume('')).rejects.toMatchObject(refusal('key'));
    await expect(limiter.consume('\ud800')).rejects.toMatchObject(refusal('key'));
    await expect(limiter.consume('k', { cost: -1 })).rejects.toMatchObject(refusal('cost'));
    await expect(limiter.consume('k', { cost: 1.5 })).rejects.toMatchObject(refusal('cost'));
    await expect(limiter.refund('k', 0)).rejects.toMatchObject(refusal('cost'));
    for (const call of [
      limiter.consume('k', { cost: 6 }),
      limiter.wait('k', { cost: 6 }),
      limiter.peek('k', { cost: 6 }),
    ]) {
      await expect(call).rejects.toMatchObject({
        code: 'rateLimit.costAboveBurst',
        details: { limiter: 'l', limit: '5-per-1m', cost: 6, quota: 5 },
      });
    }
  });

  test('a store without atomic compare-and-swap is refused in one sentence, unless that is accepted', async () => {
    const { store } = await openMemory();
    const limits = [gcra({ rate: 1, per: '1m' })] as const;
    for (const capability of ['cas', 'ifAbsent'] as const) {
      const db = await open(limitCapabilities(store, [capability]));
      expect(() => new RateLimiter(db, { name: 'l', limits })).toThrow(
        expect.objectContaining({
          code: 'capability.missing',
          details: { capability, neededBy: 'RateLimiter' },
          message: expect.stringMatching(/^RateLimiter needs a store with [^.]+\.$/),
        }),
      );
      const accepted = new RateLimiter(db, { name: 'l', limits, unsafe: true });
      expect(await accepted.consume(capability)).toMatchObject({ allowed: true });
    }
  });
});
