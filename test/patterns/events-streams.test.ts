import { beforeEach, describe, expect, test } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { eventRecords } from '../../src/patterns/events/records.ts';
import { EventStore, stream } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { limitCapabilities } from '../../src/testing/index.ts';
import { type Bench, openMemory } from '../support/open.ts';
import { Account, all } from './support/event-stores.ts';

const S = stream('log', 'one');
const event = (data: unknown) => ({ type: 'Noted', data });

let bench: Bench;
let db: Database;
let store: EventStore;

beforeEach(async () => {
  bench = await openMemory();
  db = bench.db;
  store = new EventStore(db, { name: 'bank', aggregates: [Account] });
});

const dataOf = async (from = 1n): Promise<unknown[]> => (await all(store.read(S, { from }))).map(({ data }) => data);

describe('append', () => {
  test('several events are one step; versions are dense from 1', async () => {
    const first = await store.append(S, [event('a'), event('b')], { expected: 'new' });
    expect(first).toEqual({ version: 2n, outcome: 'appended' });
    expect(await store.append(S, [event('c')], { expected: 2n })).toEqual({ version: 3n, outcome: 'appended' });
    const events = await all(store.read(S));
    expect(events.map(({ version }) => version)).toEqual([1n, 2n, 3n]);
    expect(events[0]).toEqual({
      stream: { category: 'log', id: 'one' },
      version: 1n,
      id: expect.any(String),
      type: 'Noted',
      data: 'a',
      recordedAt: new Date(bench.clock.now()),
    });
    expect(new Set(events.map(({ id }) => id)).size).toBe(3);
    expect(await store.version(S)).toBe(3n);
    expect(await store.version(stream('log', 'other'))).toBe(0n);
  });

  test('what superjson carries comes back as it was, with its metadata', async () => {
    const data = {
      at: new Date(5),
      big: 5n,
      set: new Set([1]),
      nothing: undefined,
      nested: [{ url: new URL('https://example.org') }],
    };
    await store.append(S, [{ type: 'Noted', data, metadata: { by: 'kim', at: new Date(6) } }], { expected: 'any' });
    const [read] = await all(store.read(S));
    expect(read).toMatchObject({ data, metadata: { by: 'kim', at: new Date(6) } });
  });

  test.each([
    ['new', 1n],
    [0n, 1n],
    [2n, 1n],
  ] as const)('expecting %s of a stream at version 1 is refused, and nothing is appended', async (expected, actual) => {
    await store.append(S, [event('a')], { expected: 'new' });
    await expect(store.append(S, [event('b')], { expected })).rejects.toMatchObject({
      code: 'events.versionConflict',
      details: { stream: { category: 'log', id: 'one' }, expected, actual },
    });
    expect(await dataOf()).toEqual(['a']);
  });

  test('expecting that a stream exists, or a version of one that does not', async () => {
    const refused = { code: 'events.versionConflict', details: { actual: 0n } };
    await expect(store.append(S, [event('a')], { expected: 'exists' })).rejects.toMatchObject(refused);
    await expect(store.append(S, [event('a')], { expected: 1n })).rejects.toMatchObject(refused);
    await store.append(S, [event('a')], { expected: 0n });
    await store.append(S, [event('b')], { expected: 'exists' });
    expect(await dataOf()).toEqual(['a', 'b']);
  });

  test('a process whose view is old refuses nobody by it, and appends behind what others did', async () => {
    const other = new EventStore(db, { name: 'bank' });
    await store.append(S, [event(0)], { expected: 'new' });
    await other.append(S, [event(1), event(2)], { expected: 1n });
    // It last saw version 1.
    expect(await store.append(S, [event(3)], { expected: 3n })).toMatchObject({ version: 4n });
    await other.append(S, [event(4)], { expected: 'any' });
    await expect(store.append(S, [event(5)], { expected: 4n })).rejects.toMatchObject({ details: { actual: 5n } });
    expect(await dataOf()).toEqual([0, 1, 2, 3, 4]);
  });

  test('who waits at the same time shares a slot, and each is decided by itself, in order', async () => {
    const results = await Promise.allSettled([
      store.append(S, [event('a')], { expected: 'new' }),
      store.append(S, [event('b')], { expected: 'new' }),
      store.append(S, [event('c'), event('d')], { expected: 1n }),
      store.append(S, [event('e')], { expected: 'any' }),
      store.append(S, [event('f')], { expected: 3n }),
    ]);
    expect(results.map((one) => (one.status === 'fulfilled' ? one.value.version : one.reason.code))).toEqual([
      1n,
      'events.versionConflict',
      3n,
      4n,
      'events.versionConflict',
    ]);
    expect(await dataOf()).toEqual(['a', 'c', 'd', 'e']);
  });

  test.each([
    ['an empty commit', [], {}, 'events'],
    ['no expectation', [event(1)], { expected: undefined }, 'expected'],
    ['a number for a version', [event(1)], { expected: 3 }, 'expected'],
    ['a type that is no text', [{ type: 5, data: 1 }], {}, 'type'],
  ])('%s is refused', async (_, events, options, argument) => {
    await expect(store.append(S, events as never, { expected: 'any', ...options } as never)).rejects.toMatchObject({
      code: 'argument.invalid',
      details: { argument },
    });
    expect(await store.version(S)).toBe(0n);
  });

  test.each(['', '\ud800', 'x'.repeat(257), 5])('a stream named %j is refused', (name) => {
    expect(() => stream(name as string, 'id')).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
    expect(() => stream('log', name as string)).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
  });

  test('names are told apart whatever is in them', async () => {
    await store.append(stream('a', 'b:c'), [event(1)], { expected: 'new' });
    await store.append(stream('a:b', 'c'), [event(2)], { expected: 'new' });
    expect((await all(store.read(stream('a', 'b:c')))).map(({ data }) => data)).toEqual([1]);
  });

  test('a commit that no record can hold is refused whole; those that came with it are appended', async () => {
    const [small, large, other] = await Promise.allSettled([
      store.append(S, [event('small')], { expected: 'any' }),
      store.append(S, [event('x'.repeat(600_000)), event('y'.repeat(600_000))], { expected: 'any' }),
      store.append(S, [event('other')], { expected: 'any' }),
    ]);
    expect(small).toMatchObject({ status: 'fulfilled' });
    expect(large).toMatchObject({ reason: { code: 'events.commitTooLarge', details: { events: 2 } } });
    expect(other).toMatchObject({ status: 'fulfilled' });
    expect(await dataOf()).toEqual(['small', 'other']);
  });
});

describe('a key', () => {
  test.each(['new', 0n, 'any'] as const)(
    'repeated with the same events appends once, expecting %s',
    async (expected) => {
      const again = () => store.append(S, [event('a')], { expected, idempotencyKey: 'k' });
      expect(await again()).toEqual({ version: 1n, outcome: 'appended' });
      await store.append(S, [event('b')], { expected: 'any' });
      expect(await again()).toEqual({ version: 1n, outcome: 'replayed' });
      const elsewhere = new EventStore(db, { name: 'bank' });
      expect(await elsewhere.append(S, [event('a')], { expected, idempotencyKey: 'k' })).toMatchObject({
        outcome: 'replayed',
      });
      expect(await dataOf()).toEqual(['a', 'b']);
    },
  );

  test('repeated with other events is refused', async () => {
    await store.append(S, [event('a')], { expected: 'new', idempotencyKey: 'k' });
    for (const expected of ['new', 'any'] as const) {
      await expect(store.append(S, [event('b')], { expected, idempotencyKey: 'k' })).rejects.toMatchObject({
        code: 'events.idempotencyMismatch',
      });
    }
    expect(await dataOf()).toEqual(['a']);
  });

  test('of an append that expected a version is recognised however long ago', async () => {
    await store.append(S, [event(0), event(1)], { expected: 'new' });
    await store.append(S, [event(2)], { expected: 2n, idempotencyKey: 'k' });
    for (let i = 3; i < 200; i++) await store.append(S, [event(i)], { expected: 'any' });
    expect(await store.append(S, [event(2)], { expected: 2n, idempotencyKey: 'k' })).toEqual({
      version: 3n,
      outcome: 'replayed',
    });
    // Also by a process that last saw the stream when it was at that version.
    const old = new EventStore(db, { name: 'bank' });
    const T = stream('log', 'two');
    await store.append(T, [event(0)], { expected: 'new' });
    expect(await old.version(T)).toBe(1n);
    await store.append(T, [event('k')], { expected: 1n, idempotencyKey: 'k' });
    for (let i = 2; i < 200; i++) await store.append(T, [event(i)], { expected: 'any' });
    expect(await old.append(T, [event('k')], { expected: 1n, idempotencyKey: 'k' })).toMatchObject({
      version: 2n,
      outcome: 'replayed',
    });
    // One that expected nothing: for the last 64 slots.
    await store.append(S, [event('x')], { expected: 'any', idempotencyKey: 'any' });
    for (let i = 0; i < 63; i++) await store.append(S, [event(i)], { expected: 'any' });
    expect(await store.append(S, [event('x')], { expected: 'any', idempotencyKey: 'any' })).toMatchObject({
      outcome: 'replayed',
    });
  });

  test('given twice at once appends once', async () => {
    const both = [1, 2].map(() => store.append(S, [event('a')], { expected: 'any', idempotencyKey: 'k' }));
    expect((await Promise.all(both)).map(({ outcome }) => outcome)).toEqual(['appended', 'replayed']);
    expect(await dataOf()).toEqual(['a']);
  });
});

describe('read', () => {
  test('from any version, with a limit, across slots of several events and many pages', async () => {
    let n = 0;
    while (n < 700) {
      const events = Array.from({ length: 1 + (n % 3) }, (_, i) => event(n + i));
      await store.append(S, events, { expected: BigInt(n) });
      n += events.length;
    }
    const cold = new EventStore(db, { name: 'bank' });
    for (const from of [1n, 2n, 3n, 17n, 350n, 699n, 700n, 702n, 5000n]) {
      const read = await all(cold.read(S, { from }));
      expect(read.map(({ version }) => version)).toEqual(
        Array.from({ length: Math.max(0, n - Number(from) + 1) }, (_, i) => from + BigInt(i)),
      );
      expect(read.every(({ version, data }) => version === BigInt(data as number) + 1n)).toBe(true);
    }
    expect(await all(cold.read(S, { from: 10n, limit: 3 }))).toHaveLength(3);
  });

  test('of a stream that was damaged it throws, and shows no hole', async () => {
    for (let i = 0; i < 30; i++) await store.append(S, [event(i)], { expected: 'any' });
    await eventRecords(db).slots.delete({ store: 'bank', category: 'log', stream: 'one', slot: 5 });
    const cold = new EventStore(db, { name: 'bank' });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { data } of cold.read(S)) seen.push(data);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'record.corrupt' });
    expect(seen).toEqual([0, 1, 2, 3].slice(0, seen.length));
  });

  test('is ended by its signal', async () => {
    for (let i = 0; i < 100; i++) await store.append(S, [event(i)], { expected: 'any' });
    const control = new AbortController();
    const reading = (async () => {
      for await (const _ of store.read(S, { signal: control.signal })) control.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
  });
});

test('a closed stream is read for ever and takes nothing, in any process; closing twice is harmless', async () => {
  await store.append(S, [event('a')], { expected: 'new' });
  await store.close(S, { expected: 1n });
  await store.close(S, { expected: 'any' });
  const other = new EventStore(db, { name: 'bank' });
  for (const one of [store, other]) {
    await expect(one.append(S, [event('b')], { expected: 'any' })).rejects.toMatchObject({
      code: 'events.streamClosed',
    });
    expect(await one.version(S)).toBe(1n);
  }
  expect(await dataOf()).toEqual(['a']);
});

test('castore `force`: an event that is there is never replaced, whatever is asked', async () => {
  await store.append(S, [event('a')], { expected: 'new' });
  const forced = { expected: 0n, force: true, prevVersion: 0n } as never;
  await expect(store.append(S, [event('b')], forced)).rejects.toMatchObject({ code: 'events.versionConflict' });
  expect(await dataOf()).toEqual(['a']);
});

test('a store that cannot refuse to overwrite is refused in a sentence', async () => {
  const limited = await open(limitCapabilities(await memory().openStore(db.environment), ['ifAbsent']));
  expect(() => new EventStore(limited, { name: 'bank' })).toThrow(
    /EventStore needs a store with an atomic ifAbsent, as without it of two events at one version one would be overwritten/,
  );
});

test('bad options are refused', () => {
  for (const [options, argument] of [
    [{ name: '' }, 'name'],
    [{ name: 'x', snapshotEvery: -1 }, 'snapshotEvery'],
    [{ name: 'x', aggregates: [Account, Account] }, 'aggregates'],
  ] as const) {
    expect(() => new EventStore(db, options)).toThrow(
      expect.objectContaining({ code: 'argument.invalid', details: { argument } }),
    );
  }
});

test('streams of tenants are told apart', async () => {
  const acme = new EventStore(bench.db.forTenant('acme'), { name: 'bank' });
  await acme.append(S, [event('of acme')], { expected: 'new' });
  expect(await store.version(S)).toBe(0n);
  await store.append(S, [event('of nobody')], { expected: 'new' });
  expect((await all(acme.read(S))).map(({ data }) => data)).toEqual(['of acme']);
});
