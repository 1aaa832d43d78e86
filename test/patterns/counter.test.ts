import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { encodeTuple } from '../../src/core/keys/index.ts';
import type { Key, Stored } from '../../src/core/store.ts';
import { NorimakiError, open } from '../../src/index.ts';
import { homeOf } from '../../src/patterns/counter/key-ring.ts';
import { Counter, type CounterOptions } from '../../src/patterns/index.ts';
import { keyHash } from '../../src/patterns/shared/key-ring.ts';
import type { MemoryStore } from '../../src/stores/memory/index.ts';
import {
  type FaultCall,
  limitCapabilities,
  manualClock,
  SimulatedCrash,
  seededRandom,
} from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { openMemory, START } from '../support/open.ts';
import { startProcess } from './support/counters.ts';

async function world() {
  const { db, clock, store } = await openMemory();
  let seed = 100;
  return {
    db,
    clock,
    store,
    /** Another process on the same store. */
    start: (
      options: Omit<CounterOptions, 'clock'>,
      script?: (call: FaultCall) => 'none' | 'crashBefore' | 'crashAfter' | 'errorAfter',
    ) => startProcess(store, { ...options, clock, seed: seed++, script }),
  };
}

const refusal = (argument: string) => ({ code: 'argument.invalid', details: { argument } });

/** Writes bytes over a record of the counter 'c'. */
async function damage(
  store: MemoryStore,
  entity: string,
  id: readonly (string | number)[],
  text: string,
): Promise<void> {
  const key = encodeTuple(['norimaki', null, 0n, entity, 'r', 'c', ...id]);
  await store.put(key, new TextEncoder().encode(text));
}

describe('counting', () => {
  test('adds, takes off, and counts past what a number holds', async () => {
    const { db } = await openMemory();
    const counter = new Counter(db, { name: 'c' });
    expect(await counter.value()).toBe(0n);
    await counter.add();
    await counter.add(5n);
    await counter.add(-2n);
    expect(await counter.value()).toBe(4n);
    await counter.add(2n ** 64n);
    expect(await counter.value({ read: 'snapshot' })).toBe(2n ** 64n + 4n);
    await counter.add(-(2n ** 65n));
    expect(await counter.value({ read: 'eventual' })).toBe(4n - 2n ** 64n);
  });

  test('reading a counter that nobody has added to stores nothing', async () => {
    const { db, store } = await openMemory();
    const counter = new Counter(db, { name: 'c' });
    expect(await counter.value({ read: 'snapshot' })).toBe(0n);
    expect(await counter.bounds()).toEqual({ low: 0n, high: 0n });
    expect(await counter.epoch()).toBe(0);
    expect((await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) })).entries).toEqual([]);
  });

  test('counters of other names and of other tenants are others', async () => {
    const { db } = await openMemory();
    await new Counter(db, { name: 'c' }).add(1n);
    await new Counter(db, { name: 'd' }).add(2n);
    await new Counter(db.forTenant('acme'), { name: 'c' }).add(4n);
    expect(await new Counter(db, { name: 'c' }).value()).toBe(1n);
    expect(await new Counter(db.forTenant('acme'), { name: 'c' }).value()).toBe(4n);
  });

  test('adds that wait together share a write', async () => {
    const { start } = await world();
    let puts = 0;
    const { counter } = await start({ name: 'c' }, ({ verb }) => {
      if (verb === 'put') puts++;
      return 'none';
    });
    await counter.add(1n);
    puts = 0;
    await Promise.all(Array.from({ length: 500 }, () => counter.add(1n)));
    expect(puts).toBeLessThanOrEqual(2);
    expect(counter.stats()).toMatchObject({ adds: 501, writes: 1 + puts, conflicts: 0 });
    expect(await counter.value()).toBe(501n);
  });

  test('a process stays at one shard until it meets another there', async () => {
    const { start } = await world();
    const one = await start({ name: 'c', shards: 256 });
    const shards = new Set<number>();
    for (let i = 0; i < 20; i++) shards.add((await one.counter.add()).shard);
    expect(shards.size).toBe(1);

    let isMet = false;
    const { counter: other } = await start({ name: 'c' });
    const two = await start({ name: 'd', shards: 256 });
    const meeting = await startProcess(two.faulty, {
      clock: manualClock(START, { autoAdvance: true }),
      seed: 9,
      name: 'd',
      script: ({ verb }) => {
        if (verb !== 'put' || isMet) return 'none';
        isMet = true;
        return 'conflict';
      },
    });
    await two.counter.add();
    const before = (await meeting.counter.add()).shard;
    expect((await meeting.counter.add()).shard).not.toBe(before);
    expect(meeting.counter.stats().conflicts).toBe(1);
    expect(await other.value()).toBe(20n);
  });

  test('an add tries as often as its retry says', async () => {
    const { store, clock } = await world();
    const { counter: healthy } = await startProcess(store, { clock, seed: 3, name: 'c' });
    await healthy.add(1n);
    const { counter } = await startProcess(store, {
      clock,
      seed: 4,
      name: 'c',
      script: ({ verb }) => (verb === 'put' ? 'conflict' : 'none'),
    });
    const call = counter.add(1n, { retry: { maxAttempts: 3 } });
    await expect(call).rejects.toMatchObject({ code: 'conflict.exhausted', details: { attempts: 3 } });
    expect(await counter.value()).toBe(1n);
  });

  test('a shard that would count past 38 digits refuses', async () => {
    const { db } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 1 });
    await counter.add(10n ** 38n - 1n);
    await expect(counter.add(1n)).rejects.toMatchObject({ code: 'counter.overflow', details: { counter: 'c' } });
    await expect(counter.add(-(10n ** 38n))).rejects.toMatchObject({ code: 'counter.overflow' });
    expect(await counter.value()).toBe(10n ** 38n - 1n);
  });

  test('a lost reply counts once, and whoever asks again with the key learns that it did', async () => {
    const { start } = await world();
    let isLost = false;
    const losing = await start({ name: 'c' }, ({ verb, number }) => {
      if (verb !== 'put' || number < 3 || isLost) return 'none';
      isLost = true;
      return 'errorAfter';
    });
    await losing.counter.add(1n, { idempotencyKey: 'k' });
    expect(isLost).toBe(true);
    const { counter } = await start({ name: 'c' });
    expect(await counter.add(1n, { idempotencyKey: 'k' })).toMatchObject({ replayed: true });
    expect(await counter.value()).toBe(1n);
    expect(counter.stats()).toMatchObject({ adds: 0, replays: 1 });
  });
});

describe('idempotency keys', () => {
  test('a key has the same shard in every process, and keys are spread', async () => {
    const { start } = await world();
    const [one, two] = [await start({ name: 'c' }), await start({ name: 'c' })];
    const shards = new Set<number>();
    for (let i = 0; i < 100; i++) {
      const first = await one.counter.add(1n, { idempotencyKey: `key ${i}` });
      expect(await two.counter.add(1n, { idempotencyKey: `key ${i}` })).toEqual({ shard: first.shard, replayed: true });
      shards.add(first.shard);
    }
    expect(shards.size).toBe(16);
    expect(await one.counter.value()).toBe(100n);
  });

  test('a shard remembers 256 keys, however many adds without a key come after', async () => {
    const { db } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 1 });
    const add = (key: string) => counter.add(1n, { idempotencyKey: key });
    await add('first');
    for (let i = 0; i < 300; i++) await counter.add(1n);
    await Promise.all(Array.from({ length: 255 }, (_, i) => add(`key ${i}`)));
    expect(await add('first')).toMatchObject({ replayed: true });
    await add('one too many');
    expect(await add('first')).toMatchObject({ replayed: false });
  });

  test.each([
    ['more shards', (counter: Counter) => counter.resize(32)],
    ['fewer shards', (counter: Counter) => counter.resize(3)],
    ['a reset', (counter: Counter) => counter.reset()],
  ])('they survive %s', async (_, change) => {
    const { start } = await world();
    const [one, two] = [await start({ name: 'c' }), await start({ name: 'c' })];
    const keys = Array.from({ length: 200 }, (_, i) => ({ idempotencyKey: `key ${i}` }));
    for (const key of keys) await one.counter.add(1n, key);
    await two.counter.value();
    await change(one.counter);
    const value = await one.counter.value();
    for (const key of keys) expect(await two.counter.add(1n, key)).toMatchObject({ replayed: true });
    expect(await two.counter.value()).toBe(value);
  });
});

describe('bounds', () => {
  test('many processes sell exactly what there is, though it is split among shards', async () => {
    const { start } = await world();
    const processes = await Promise.all(Array.from({ length: 8 }, () => start({ name: 'c', min: 0n, max: 100n })));
    const results = await Promise.all(
      processes.flatMap(({ counter }) => Array.from({ length: 20 }, () => counter.tryAdd(1n))),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(100);
    const no = results.find(({ ok }) => !ok);
    expect(no).toEqual({ ok: false, remaining: 0n });
    expect(await processes[0]?.counter.value()).toBe(100n);
    expect(processes.reduce((sum, { counter }) => sum + counter.stats().refusals, 0)).toBe(60);
  });

  test('an amount that fits nowhere by itself is gathered, and what does not fit is told what remains', async () => {
    const { db } = await openMemory();
    const seats = new Counter(db, { name: 'c', shards: 16, min: 0n, max: 32n });
    expect(await seats.tryAdd(30n)).toMatchObject({ ok: true });
    expect(await seats.tryAdd(3n)).toEqual({ ok: false, remaining: 2n });
    await expect(seats.add(3n)).rejects.toMatchObject({ code: 'counter.outOfRange', details: { remaining: 2n } });
    expect(await seats.tryAdd(-31n)).toEqual({ ok: false, remaining: 30n });
    expect(await seats.tryAdd(-30n)).toMatchObject({ ok: true });
    expect(await seats.value()).toBe(0n);
    expect(seats.stats().loans).toBeGreaterThan(0);
  });

  test('one side may be open', async () => {
    const { db } = await openMemory();
    const stock = new Counter(db, { name: 'c', min: 0n });
    expect(await stock.tryAdd(1000n)).toMatchObject({ ok: true });
    expect(await stock.tryAdd(-1001n)).toEqual({ ok: false, remaining: 1000n });
    expect(await stock.tryAdd(-1000n)).toMatchObject({ ok: true });
  });

  test('room that was lost in a crash between two shards is not sold, and comes back when it is needed', async () => {
    const { start } = await world();
    const options = { name: 'c', shards: 2, min: 0n, max: 10n };
    const healthy = await start(options);
    await healthy.counter.tryAdd(1n);
    let hasLooked = false;
    const crashing = await start(options, ({ verb }) => {
      // What it writes once it has looked at the other shard is the loan.
      if (verb === 'put' && hasLooked) return 'crashAfter';
      hasLooked ||= verb === 'getMany';
      return 'none';
    });
    await expect(crashing.counter.tryAdd(9n)).rejects.toBeInstanceOf(SimulatedCrash);
    expect(await healthy.counter.tryAdd(10n)).toEqual({ ok: false, remaining: 9n });
    expect(await healthy.counter.tryAdd(9n)).toMatchObject({ ok: true });
    expect(await healthy.counter.tryAdd(1n)).toEqual({ ok: false, remaining: 0n });
  });

  test('a refusal rests on one instant, not on shards that were read while an amount moved from one to another', async () => {
    const { start, store, clock } = await world();
    const options = { name: 'c', shards: 2, min: 0n, max: 10n };
    const other = await start(options);
    let keys = 0;
    /** Adds at one of the two shards. */
    const addAt = async (shard: number, amount: bigint): Promise<void> => {
      let idempotencyKey = '';
      do idempotencyKey = `key ${keys++}`;
      while (homeOf(keyHash(idempotencyKey), 2) !== shard);
      await other.counter.add(amount, { idempotencyKey });
    };
    await addAt(0, 5n);
    await addAt(1, 3n);
    let reads = 0;
    // Never more than 8 in all; but what was in shard 0 before is in shard 1 after.
    class Torn extends StoreWrapper {
      override async getMany(keys: readonly Key[]): Promise<(Stored | undefined)[]> {
        const isTorn = ++reads <= 2;
        if (isTorn && reads === 2) await addAt(1, -2n).then(() => addAt(0, 2n));
        const [first] = await super.getMany(keys.slice(0, 1));
        if (isTorn) await addAt(0, -2n).then(() => addAt(1, 2n));
        return [first, ...(await super.getMany(keys.slice(1)))];
      }
    }
    const { counter } = await startProcess(new Torn(store), { ...options, clock, seed: 8 });
    let idempotencyKey = 'mine';
    while (homeOf(keyHash(idempotencyKey), 2) !== 0) idempotencyKey += '!';
    expect(await counter.tryAdd(2n, { idempotencyKey })).toMatchObject({ ok: true });
    expect(reads).toBeGreaterThan(2);
  });

  test('a loan that was not surely given does not count', async () => {
    const { start, clock, store } = await world();
    const options = { name: 'c', shards: 2, min: 0n, max: 10n };
    let failures = -1;
    const { counter } = await startProcess(store, {
      ...options,
      clock,
      seed: 8,
      script: ({ verb }) => {
        // All tries of the first loan, which is what it writes after it has looked at the shards.
        if (verb === 'getMany' && failures === -1) failures = 4;
        return verb === 'put' && failures-- > 0 ? 'errorBefore' : 'none';
      },
    });
    await counter.tryAdd(1n);
    expect(await counter.tryAdd(8n)).toMatchObject({ ok: true });
    const { counter: other } = await start(options);
    const results = [];
    for (let i = 0; i < 10; i++) results.push(await counter.tryAdd(1n), await other.tryAdd(1n));
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await other.value()).toBe(10n);
  });

  test('a repeated key takes no room, and a refused one may be tried again', async () => {
    const { db } = await openMemory();
    const seats = new Counter(db, { name: 'c', shards: 4, min: 0n, max: 4n });
    const key = { idempotencyKey: 'order 1' };
    expect(await seats.tryAdd(4n, key)).toMatchObject({ ok: true, replayed: false });
    expect(await seats.tryAdd(4n, key)).toMatchObject({ ok: true, replayed: true });
    expect(await seats.tryAdd(1n, { idempotencyKey: 'order 2' })).toMatchObject({ ok: false });
    await seats.add(-1n);
    expect(await seats.tryAdd(1n, { idempotencyKey: 'order 2' })).toMatchObject({ ok: true, replayed: false });
    expect(await seats.value()).toBe(4n);
  });
});

describe('shards', () => {
  test('what is stored decides how many there are, not the program', async () => {
    const { start } = await world();
    const [few, many] = [await start({ name: 'c', shards: 2 }), await start({ name: 'c', shards: 64 })];
    await few.counter.add(1n);
    for (let i = 0; i < 20; i++) {
      expect((await many.counter.add(1n, { idempotencyKey: `${i}` })).shard).toBeLessThan(2);
    }
    expect(await few.counter.value()).toBe(21n);
  });

  test('a process that knows the former shards counts in the new ones', async () => {
    const { start } = await world();
    const [one, two] = [await start({ name: 'c', shards: 1 }), await start({ name: 'c' })];
    await one.counter.add(1n);
    await two.counter.add(2n);
    await one.counter.resize(8);
    await two.counter.add(4n);
    expect(await one.counter.value()).toBe(7n);
    await one.counter.resize(8);
    await one.counter.resize(1);
    expect(await two.counter.value({ read: 'snapshot' })).toBe(7n);
  });

  test.each(['crashBefore', 'crashAfter'] as const)(
    'a resize that ends with %s at any write is completed by the next add',
    async (fault) => {
      let crashes = 0;
      for (let at = 1; at < 20; at++) {
        const { start } = await world();
        const healthy = await start({ name: 'c', shards: 3 });
        for (let i = 0; i < 12; i++) await healthy.counter.add(1n, { idempotencyKey: `${i}` });
        let puts = 0;
        const crashing = await start({ name: 'c' }, ({ verb }) => (verb === 'put' && ++puts === at ? fault : 'none'));
        const end = await crashing.counter.resize(5).catch((error: unknown) => error);
        if (end instanceof Error) crashes++;
        await healthy.counter.add(100n);
        for (let i = 0; i < 12; i++) {
          expect(await healthy.counter.add(1n, { idempotencyKey: `${i}` })).toMatchObject({ replayed: true });
        }
        expect(await healthy.counter.value()).toBe(112n);
        const third = await start({ name: 'c' });
        await third.counter.resize(2);
        expect(await third.counter.value()).toBe(112n);
      }
      // The plan, three seals, the new shards with keys, the head.
      expect(crashes).toBeGreaterThanOrEqual(6);
    },
  );
});

describe('epochs', () => {
  test('a reset begins again at 0, once for each epoch', async () => {
    const { start } = await world();
    const [one, two] = [await start({ name: 'c' }), await start({ name: 'c' })];
    await one.counter.add(5n);
    await two.counter.add(5n);
    expect(await one.counter.reset({ ifEpoch: 0 })).toBe(1);
    const late = two.counter.reset({ ifEpoch: 0 });
    await expect(late).rejects.toMatchObject({
      code: 'counter.epochChanged',
      details: { counter: 'c', expected: 0, actual: 1 },
    });
    expect(await two.counter.value()).toBe(0n);
    await two.counter.add(3n);
    expect(await one.counter.value()).toBe(3n);
    expect(await two.counter.reset()).toBe(2);
    expect(await two.counter.epoch()).toBe(2);
  });

  test('of many resets of one epoch one succeeds', async () => {
    const { start } = await world();
    const processes = await Promise.all(Array.from({ length: 5 }, () => start({ name: 'c' })));
    const ends = await Promise.allSettled(processes.map(({ counter }) => counter.reset({ ifEpoch: 0 })));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a reset gives the room of a bounded counter back', async () => {
    const { db } = await openMemory();
    const seats = new Counter(db, { name: 'c', min: 0n, max: 5n });
    await seats.add(5n);
    await seats.reset();
    expect(await seats.tryAdd(5n)).toMatchObject({ ok: true });
  });
});

describe('windows', () => {
  const HOUR = 3_600_000;

  test('counts what came in the last window, to the nearest bucket', async () => {
    const { db, clock } = await openMemory();
    const counter = new Counter(db, { name: 'c', window: '1h', buckets: 60 });
    await counter.add(1n);
    await clock.advance(HOUR / 2);
    await counter.add(2n);
    await clock.advance(HOUR / 2);
    expect(await counter.value()).toBe(3n);
    await clock.advance(60_000);
    expect(await counter.value()).toBe(2n);
    expect(await counter.bounds()).toEqual({ low: 2n, high: 2n });
    await clock.advance(HOUR);
    expect(await counter.value({ read: 'snapshot' })).toBe(0n);
  });

  test('a shard keeps no more buckets than the window has', async () => {
    const { db, clock, store } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 1, window: '10s', buckets: 10 });
    for (let i = 0; i < 50; i++) {
      await counter.add(1n);
      await clock.advance(1000);
    }
    const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
    const counts = entries.map(({ value }) => JSON.parse(new TextDecoder().decode(value)).json.counts?.length ?? 0);
    expect(Math.max(...counts)).toBe(11);
    expect(await counter.value()).toBe(10n);
  });

  test('a clock that jumps back loses no count', async () => {
    const { db, clock } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 1, window: '1m' });
    await counter.add(1n);
    clock.set(START - HOUR);
    await counter.add(2n);
    expect(await counter.value()).toBe(3n);
    clock.set(START);
    expect(await counter.value()).toBe(3n);
  });

  test('a resize keeps when each was counted', async () => {
    const { db, clock } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 4, window: '1h' });
    await counter.add(1n);
    await clock.advance(HOUR / 2);
    await counter.add(2n);
    await counter.resize(2);
    expect(await counter.value()).toBe(3n);
    await clock.advance(HOUR / 2 + 60_000);
    expect(await counter.value()).toBe(2n);
  });
});

describe('reads', () => {
  test('bounds hold while others write, and a snapshot gives up when they never stop', async () => {
    const { start, clock } = await world();
    const writer = await start({ name: 'c', shards: 2 });
    await writer.counter.add(1n);
    let reads = 0;
    const busy = await startProcess(writer.faulty, {
      clock,
      seed: 3,
      name: 'c',
      script: async ({ verb }) => {
        if (verb === 'getMany') await writer.counter.add(++reads % 3 === 0 ? -1n : 1n);
        return 'none' as const;
      },
    });
    const { low, high } = await busy.counter.bounds();
    expect(low < high).toBe(true);
    const call = busy.counter.value({ read: 'snapshot', retry: { maxAttempts: 5 } });
    await expect(call).rejects.toMatchObject({ code: 'conflict.exhausted', details: { attempts: 5 } });
  });

  test('of a quiet counter both bounds are the value', async () => {
    const { db } = await openMemory();
    const counter = new Counter(db, { name: 'c' });
    await Promise.all([counter.add(7n), counter.add(-3n, { idempotencyKey: 'k' })]);
    expect(await counter.bounds()).toEqual({ low: 4n, high: 4n });
  });
});

describe('refusals', () => {
  test('a corrupt shard is an error for reads and adds, never a 0', async () => {
    for (const text of ['17', '{"json":{"name":"c"}}', '']) {
      const { db, store } = await openMemory();
      const counter = new Counter(db, { name: 'c', shards: 1 });
      await counter.add(5n);
      await damage(store, 'norimaki.counter.shard', [0, 0], text);
      for (const call of [
        () => counter.value(),
        () => counter.value({ read: 'snapshot' }),
        () => counter.bounds(),
        () => counter.add(1n),
        () => counter.resize(2),
      ]) {
        const error = await call().catch((error: unknown) => error);
        const cause = NorimakiError.is(error, 'outcome.unknown') ? error.cause : error;
        expect(cause).toMatchObject({ code: 'record.corrupt' });
      }
    }
  });

  test('a head that was lost is an error, not a new counter at 0', async () => {
    const { db, store } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 1 });
    await counter.add(5n);
    await counter.resize(2);
    await store.delete(encodeTuple(['norimaki', null, 0n, 'norimaki.counter', 'r', 'c']));
    const restarted = new Counter(db, { name: 'c', shards: 1 });
    await expect(restarted.add(1n)).rejects.toMatchObject({ code: 'record.corrupt' });
    await expect(restarted.value()).rejects.toMatchObject({ code: 'record.corrupt' });
  });

  test('a store that cannot carry the promise, unless that is accepted', async () => {
    const { store, clock } = await openMemory();
    for (const [ability, words] of [
      ['cas', 'atomic compare-and-swap'],
      ['ifAbsent', 'an atomic ifAbsent'],
    ] as const) {
      const db = await open(limitCapabilities(store, [ability]), { clock, random: seededRandom(1) });
      expect(() => new Counter(db, { name: 'c' })).toThrow(
        expect.objectContaining({
          code: 'capability.missing',
          message: expect.stringContaining(`Counter needs a store with ${words}`),
          details: { capability: ability, neededBy: 'Counter' },
        }),
      );
      const accepted = new Counter(db, { name: ability, unsafe: true });
      await accepted.add(2n);
      expect(await accepted.value()).toBe(2n);
    }
  });

  test.each([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(257) }],
    ['shards', { shards: 0 }],
    ['shards', { shards: 257 }],
    ['min', { min: 1n }],
    ['max', { max: -1n }],
    ['max', { max: 5 as unknown as bigint }],
    ['window', { window: '1h', max: 5n }],
    ['window', { window: 0 }],
    ['buckets', { window: '1h', buckets: 1001 }],
  ] satisfies [string, Partial<CounterOptions>][])(
    'an option that makes no sense: %s of %o',
    async (argument, options) => {
      const { db } = await openMemory();
      expect(() => new Counter(db, { name: 'c', ...options })).toThrow(expect.objectContaining(refusal(argument)));
    },
  );

  test('an amount that is no bigint, and a number of shards that cannot be', async () => {
    const { db } = await openMemory();
    const counter = new Counter(db, { name: 'c' });
    await expect(counter.add(1 as unknown as bigint)).rejects.toMatchObject(refusal('amount'));
    await expect(counter.tryAdd('1' as unknown as bigint)).rejects.toMatchObject(refusal('amount'));
    await expect(counter.resize(0)).rejects.toMatchObject(refusal('shards'));
  });

  test.each([
    ['min', { max: 5n }],
    ['max', { min: 0n, max: 6n }],
    ['window', { min: 0n, max: 5n, window: '1h' }],
  ] satisfies [string, Partial<CounterOptions>][])(
    'a program that takes the counter for another one: %s',
    async (argument, options) => {
      const { db } = await openMemory();
      const isWindow = argument === 'window';
      await new Counter(db, { name: 'c', ...(isWindow ? { window: '2h' } : { min: 0n, max: 5n }) }).add(1n);
      const other = new Counter(db, { name: 'c', ...(isWindow ? { window: '1h' } : options) });
      await expect(other.add(1n)).rejects.toMatchObject(refusal(argument));
      await expect(other.value()).rejects.toMatchObject(refusal(argument));
    },
  );
});

describe('giving up', () => {
  test('every call heeds its signal, whatever it waits for', async () => {
    const { store, clock } = await openMemory();
    const setup = await startProcess(store, { clock, seed: 1, name: 'c', min: 0n, max: 10n });
    await setup.counter.add(1n);
    const calls: readonly ((counter: Counter, options: { signal: AbortSignal }) => Promise<unknown>)[] = [
      (counter, options) => counter.add(1n, options),
      (counter, options) => counter.tryAdd(9n, options),
      (counter, options) => counter.value(options),
      (counter, options) => counter.value({ read: 'snapshot', ...options }),
      (counter, options) => counter.bounds(options),
      (counter, options) => counter.epoch(options),
      (counter, options) => counter.resize(4, options),
      (counter, options) => counter.reset(options),
    ];
    for (const call of calls) {
      // The store is out, and time stands still: what waits would wait for ever.
      const still = manualClock(START);
      const { counter } = await startProcess(store, {
        clock: still,
        seed: 2,
        name: 'c',
        min: 0n,
        max: 10n,
        script: () => 'errorBefore',
      });
      const stop = new AbortController();
      const waiting = call(counter, { signal: stop.signal });
      const end = expect(waiting).rejects.toMatchObject({ code: 'aborted' });
      while (still.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
      stop.abort();
      await end;
      expect(still.sleeping).toBe(0);
    }
  });

  test('an add that was given up says whether it may be counted', async () => {
    const { start } = await world();
    const stop = new AbortController();
    const ends: Promise<unknown>[] = [];
    let isArmed = false;
    const { counter } = await start({ name: 'c', shards: 1 }, ({ verb }) => {
      if (verb === 'put' && isArmed) {
        isArmed = false;
        // Behind the write that is under way; both are given up now.
        ends.push(counter.add(10n, stop).catch((error: unknown) => error));
        stop.abort();
      }
      return 'none';
    });
    await counter.add(0n);
    isArmed = true;
    ends.unshift(counter.add(1n, stop).catch((error: unknown) => error));
    await ends[0];
    expect(await Promise.all(ends)).toMatchObject([
      { code: 'aborted', details: { applied: 'unknown' } },
      { code: 'aborted', details: { applied: 'no' } },
    ]);
    await expect(counter.add(10n, stop)).rejects.toMatchObject({ code: 'aborted', details: { applied: 'no' } });
    await counter.add(100n);
    expect([100n, 101n]).toContain(await counter.value());
  });

  test('a signal is not listened to once for each shard, which Node would take for a leak', async () => {
    const { db } = await openMemory();
    const counter = new Counter(db, { name: 'c', shards: 64, max: 64n });
    const { signal } = new AbortController();
    let most = 0;
    const listen = signal.addEventListener.bind(signal);
    signal.addEventListener = (...listener: Parameters<typeof listen>) => {
      listen(...listener);
      most = Math.max(most, getEventListeners(signal, 'abort').length);
    };
    await counter.add(64n, { signal });
    await counter.resize(32, { signal });
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(4);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('a reset that was given up half-way is said to be perhaps done, and the next call completes it', async () => {
    const { start } = await world();
    const healthy = await start({ name: 'c' });
    await healthy.counter.add(5n);
    const stop = new AbortController();
    let puts = 0;
    const { counter } = await start({ name: 'c' }, ({ verb }) => {
      if (verb === 'put' && ++puts === 3) stop.abort();
      return 'none';
    });
    await expect(counter.reset({ signal: stop.signal })).rejects.toMatchObject({
      code: 'aborted',
      details: { applied: 'unknown' },
    });
    await healthy.counter.add(2n);
    expect([2n, 7n]).toContain(await healthy.counter.value());
    expect(await healthy.counter.reset()).toBeGreaterThan(0);
    expect(await healthy.counter.value()).toBe(0n);
  });
});
