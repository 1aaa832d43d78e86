import { describe, expect, test } from 'vitest';
import { type NorimakiError, open } from '../../src/index.ts';
import { ConcurrencyLimiter, type ConcurrencyLimiterOptions, type ConcurrencySlot } from '../../src/patterns/index.ts';
import {
  type FaultCall,
  type FaultKind,
  faultStore,
  limitCapabilities,
  seededRandom,
} from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { openMemory } from '../support/open.ts';
import { SkewedClock } from '../support/skewed-clock.ts';

async function world(options: Partial<ConcurrencyLimiterOptions> = {}) {
  const { db, clock, store } = await openMemory();
  let seed = 10;
  const all = { name: 'render', max: 2, ttl: '30s', ...options } as const;
  return {
    db,
    clock,
    store,
    limiter: new ConcurrencyLimiter(db, all),
    start: async (script: (call: FaultCall) => FaultKind | 'none' = () => 'none') => {
      const skewed = new SkewedClock(clock);
      const faulty = faultStore(store, { random: seededRandom(seed++), clock, script });
      const other = await open(faulty, { clock: skewed, random: seededRandom(seed++) });
      return { faulty, clock: skewed, limiter: new ConcurrencyLimiter(other, all) };
    },
  };
}

async function taken(limiter: ConcurrencyLimiter, key = 'k'): Promise<ConcurrencySlot> {
  const tried = await limiter.tryAcquire(key);
  if (!tried.acquired) throw new Error('There was no slot.');
  return tried.slot;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  test('as many as there are, over all processes, and again when they are released', async () => {
    const { limiter, start, clock } = await world();
    const { limiter: other } = await start();
    const one = await taken(limiter);
    const two = await taken(other);
    await clock.advance(10_000);
    expect(await limiter.tryAcquire('k')).toMatchObject({ acquired: false, held: 2 });
    expect(await other.peek('k')).toEqual({ held: 2, available: 0 });
    expect(await limiter.peek('other key')).toEqual({ held: 0, available: 2 });
    await two.release();
    await two.release();
    const three = await taken(limiter);
    expect(await other.tryAcquire('k')).toMatchObject({ acquired: false });
    await Promise.all([one.release(), three.release()]);
    expect(await other.peek('k')).toEqual({ held: 0, available: 2 });
    expect(clock.sleeping).toBe(0);
  });

  test('await using gives it back, whatever is thrown; run does both', async () => {
    const { limiter } = await world();
    const work = async (): Promise<void> => {
      await using slot = await limiter.acquire('k');
      expect(slot.signal.aborted).toBe(false);
      expect(await limiter.peek('k')).toMatchObject({ held: 1 });
      throw new Error('oops');
    };
    await expect(work()).rejects.toThrow('oops');
    expect(await limiter.peek('k')).toMatchObject({ held: 0 });
    expect(await limiter.run('k', async () => (await limiter.peek('k')).held)).toBe(1);
    await expect(limiter.run('k', () => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
    expect(await limiter.peek('k')).toMatchObject({ held: 0 });
  });

  test('a slot that is held is renewed for as long as it is held', async () => {
    const { limiter, clock } = await world({ max: 1 });
    const slot = await taken(limiter);
    for (let i = 0; i < 20; i++) {
      await clock.advance(10_000);
      await turn();
      expect(await limiter.tryAcquire('k')).toMatchObject({ acquired: false });
    }
    expect(slot.signal.aborted).toBe(false);
    await slot.release();
    await clock.advance(60_000);
    expect(await limiter.peek('k')).toMatchObject({ held: 0 });
    expect(clock.sleeping).toBe(0);
  });

  test('the slot of a crashed holder is free again after its ttl, to the millisecond, and who waits gets it', async () => {
    const { limiter, start, clock } = await world({ max: 1 });
    const { limiter: crashing, faulty } = await start();
    await taken(crashing);
    faulty.crash();
    await clock.advance(29_999);
    expect(await limiter.tryAcquire('k')).toMatchObject({ acquired: false, retryAfter: 1 });
    const began = clock.mono();
    await using slot = await limiter.acquire('k');
    expect(slot.signal.aborted).toBe(false);
    expect(clock.mono() - began).toBe(1);
  });

  test('a holder that cannot renew is told before anybody else can have its slot', async () => {
    const { limiter, start, clock } = await world({ max: 1 });
    let isDown = false;
    const { limiter: failing } = await start(() => (isDown ? 'errorBefore' : 'none'));
    const slot = await taken(failing);
    await clock.advance(10_000);
    for (let i = 0; i < 5; i++) await turn();
    isDown = true;
    let lostAt = Number.NaN;
    slot.signal.addEventListener('abort', () => {
      lostAt = clock.mono();
    });
    // Counted from the renewal that it has just sent.
    const began = clock.mono();
    const next = await limiter.acquire('k');
    expect(slot.signal.aborted).toBe(true);
    expect(lostAt).toBeLessThanOrEqual(clock.mono());
    expect(lostAt - began).toBe(30_000);
    expect(slot.signal.reason).toMatchObject({ code: 'concurrencyLimit.lost', details: { limiter: 'render' } });
    isDown = false;
    await slot.release();
    expect(await limiter.peek('k')).toMatchObject({ held: 1 });
    await next.release();
  });

  test('a holder whose renewal hangs is told, too', async () => {
    const { store, clock } = await world();
    let isHanging = false;
    const hanging = Object.assign(Object.create(store) as typeof store, {
      get: (...call: Parameters<typeof store.get>) => (isHanging ? new Promise<never>(() => {}) : store.get(...call)),
      put: (...call: Parameters<typeof store.put>) => (isHanging ? new Promise<never>(() => {}) : store.put(...call)),
    });
    const db = await open(hanging, { clock, random: seededRandom(1) });
    const slot = await taken(new ConcurrencyLimiter(db, { name: 'render', max: 1, ttl: '3s' }));
    isHanging = true;
    await clock.advance(2999);
    expect(slot.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(slot.signal.aborted).toBe(true);
  });

  test('a closed database loses its slots at once, and leaves no timer', async () => {
    const { clock, start } = await world();
    const { limiter, faulty } = await start();
    const slot = await taken(limiter);
    await faulty.close();
    await clock.advance(10_000);
    await turn();
    expect(slot.signal.reason).toMatchObject({ code: 'concurrencyLimit.lost', cause: { code: 'store.closed' } });
    expect(clock.sleeping).toBe(0);
  });

  test('a clock that is off by half a ttl, either way, or jumps by it, takes no slot from a living holder', async () => {
    const { start, clock } = await world({ max: 1 });
    const [one, two] = [await start(), await start()];
    const slot = await taken(one.limiter);
    for (let i = 0; i < 40; i++) {
      two.clock.offset = ((i % 3) - 1) * 15_000;
      await clock.advance(7_000);
      await turn();
      expect(await two.limiter.tryAcquire('k')).toMatchObject({ acquired: false });
    }
    expect(slot.signal.aborted).toBe(false);
    await slot.release();
    expect(clock.sleeping).toBe(0);
  });
});

test('the ttl of a holder whose clock is behind, or has jumped back, is as long as any other', async () => {
  const { start, limiter, clock } = await world({ max: 1 });
  await (await taken(limiter)).release();
  const { limiter: behind, clock: skewed, faulty } = await start();
  skewed.offset = -15_000;
  await taken(behind);
  faulty.crash();
  await clock.advance(29_999);
  expect(await limiter.tryAcquire('k')).toMatchObject({ acquired: false, retryAfter: 1 });
  await clock.advance(1);
  await (await taken(limiter)).release();
});

describe('waiting', () => {
  test('those of one process get slots in the order in which they came, as soon as one is released', async () => {
    const { limiter, clock } = await world({ max: 1, poll: '1h' });
    const order: number[] = [];
    const began = clock.mono();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        limiter.run('k', () => {
          order.push(i);
        }),
      ),
    );
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(clock.mono() - began).toBeLessThan(30_000);
  });

  test('another process sees a release after poll', async () => {
    const { limiter, start, clock } = await world({ max: 1, poll: '500ms' });
    const { limiter: other } = await start();
    const slot = await taken(other);
    const began = clock.mono();
    const waiting = limiter.acquire('k');
    const releasing = clock.sleep(3000).then(() => slot.release());
    await (await waiting).release();
    await releasing;
    expect(clock.mono() - began).toBeGreaterThanOrEqual(3000);
    expect(clock.mono() - began).toBeLessThanOrEqual(3510);
  });

  test('a deadline and a signal end the wait, of the first and of those behind, and take no slot', async () => {
    const { limiter, clock } = await world({ max: 1 });
    const slot = await taken(limiter);
    const stop = new AbortController();
    const code = (call: Promise<ConcurrencySlot>) =>
      call.then(
        () => 'slot',
        (error: NorimakiError) => error.code,
      );
    const codes = [
      code(limiter.acquire('k', { deadline: '5s' })),
      code(limiter.acquire('k', { signal: stop.signal })),
      code(limiter.acquire('k', { deadline: '1s' })),
      code(limiter.acquire('k', { deadline: '1h' })),
    ];
    void clock.sleep(7000).then(() => stop.abort());
    void clock.sleep(9000).then(() => slot.release());
    expect(await Promise.all(codes)).toEqual(['deadline.exceeded', 'aborted', 'deadline.exceeded', 'slot']);
    expect(await limiter.peek('k')).toMatchObject({ held: 1 });
    await expect(limiter.acquire('k', { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a call that is given up while it takes a slot gives it back', async () => {
    const { limiter, store, clock } = await world({ max: 1 });
    const stop = new AbortController();
    // The signal fires between the commit and its answer.
    class Late extends StoreWrapper {
      override async put(...[key, value, options]: Parameters<StoreWrapper['put']>): ReturnType<StoreWrapper['put']> {
        const version = await super.put(key, value, options);
        stop.abort();
        return version;
      }
    }
    const late = new Late(store);
    const giving = new ConcurrencyLimiter(await open(late, { clock, random: seededRandom(1) }), {
      name: 'render',
      max: 1,
    });
    await expect(giving.acquire('k', { signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect.poll(async () => (await limiter.peek('k')).held).toBe(0);
    expect(clock.sleeping).toBe(0);
  });
});

test('what makes no sense is refused', async () => {
  const { db, store } = await openMemory();
  const make = (options: Partial<ConcurrencyLimiterOptions>) => () =>
    new ConcurrencyLimiter(db, { name: 'n', max: 1, ...options });
  for (const [argument, options] of [
    ['max', { max: 0 }],
    ['max', { max: 1001 }],
    ['ttl', { ttl: '999ms' }],
    ['poll', { poll: 0 }],
    ['name', { name: '' }],
  ] as const) {
    expect(make(options)).toThrow(expect.objectContaining({ code: 'argument.invalid', details: { argument } }));
  }
  await expect(make({})().acquire('')).rejects.toMatchObject({
    code: 'argument.invalid',
    details: { argument: 'key' },
  });
  const weak = await open(limitCapabilities(store, ['cas']));
  expect(() => new ConcurrencyLimiter(weak, { name: 'n', max: 1 })).toThrow(
    expect.objectContaining({
      code: 'capability.missing',
      message: expect.stringMatching(/^ConcurrencyLimiter [^.]+\.$/),
    }),
  );
  expect(new ConcurrencyLimiter(weak, { name: 'n', max: 1, unsafe: true }).name).toBe('n');
});
