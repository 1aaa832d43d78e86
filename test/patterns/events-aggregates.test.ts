import { AssertionError } from 'node:assert';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Database } from '../../src/index.ts';
import { defineAggregate, EventStore, given, stream } from '../../src/patterns/index.ts';
import { openMemory } from '../support/open.ts';
import { Account, all, Overdrawn } from './support/event-stores.ts';

let db: Database;
let store: EventStore;

beforeEach(async () => {
  ({ db } = await openMemory());
  store = new EventStore(db, { name: 'bank', aggregates: [Account] });
});

describe('handle', () => {
  test('loads, decides and appends', async () => {
    expect(await store.handle(Account, 'a', { type: 'Deposit', amount: 5 })).toEqual({
      state: { owner: '', balance: 5, events: 1 },
      version: 1n,
      events: [{ type: 'Deposited', data: { amount: 5 } }],
      outcome: 'appended',
    });
    await expect(store.handle(Account, 'a', { type: 'Withdraw', amount: 6 })).rejects.toThrow(Overdrawn);
    expect(await store.load(Account, 'a')).toEqual({ state: { owner: '', balance: 5, events: 1 }, version: 1n });
  });

  test('decides anew on what others made of it, and never repeats what it decided before', async () => {
    await store.handle(Account, 'a', { type: 'Deposit', amount: 5 });
    const other = new EventStore(db, { name: 'bank', aggregates: [Account] });
    // Both see 5 at first; only one withdrawal is covered.
    const results = await Promise.allSettled(
      [store, other].map((one) => one.handle(Account, 'a', { type: 'Withdraw', amount: 4 })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((one) => one.status === 'rejected')).toMatchObject({ reason: expect.any(Overdrawn) });
    expect((await store.load(Account, 'a')).state.balance).toBe(1);
  });

  test('many at once in one process all have their effect', async () => {
    await Promise.all(Array.from({ length: 40 }, () => store.handle(Account, 'a', { type: 'Deposit', amount: 1 })));
    expect(await store.load(Account, 'a')).toMatchObject({ state: { balance: 40 }, version: 40n });
  });

  test('a command repeated under its key has its effect once; another under that key is refused', async () => {
    const deposit = (one: EventStore, amount = 5) =>
      one.handle(Account, 'a', { type: 'Deposit', amount }, { idempotencyKey: 'k' });
    await deposit(store);
    await store.handle(Account, 'a', { type: 'Deposit', amount: 1 });
    const other = new EventStore(db, { name: 'bank', aggregates: [Account] });
    for (const one of [store, other]) {
      expect(await deposit(one)).toEqual({
        // As it was left by the first.
        state: { owner: '', balance: 5, events: 1 },
        version: 1n,
        events: [],
        outcome: 'replayed',
      });
      await expect(deposit(one, 6)).rejects.toMatchObject({ code: 'events.idempotencyMismatch' });
    }
    expect((await store.load(Account, 'a')).state.balance).toBe(6);
  });

  test('a command that leads to nothing appends nothing', async () => {
    const Quiet = defineAggregate({
      name: 'quiet',
      events: { Noted: z.object({}) },
      initial: () => 0,
      evolve: (n) => n + 1,
      decide: (_command: 'nothing', _state) => [],
    });
    const quiet = new EventStore(db, { name: 'quiet', aggregates: [Quiet] });
    expect(await quiet.handle(Quiet, 'a', 'nothing')).toEqual({
      state: 0,
      version: 0n,
      events: [],
      outcome: 'unchanged',
    });
  });

  test('the state that it resolves to is the one that is loaded, defaults and codecs included', async () => {
    const Dated = defineAggregate({
      name: 'dated',
      events: {
        Set: z.object({
          on: z.codec(z.string(), z.date(), { decode: (t) => new Date(t), encode: (d) => d.toISOString() }),
        }),
      },
      initial: () => [] as Date[],
      evolve: (dates, { data }) => [...dates, data.on],
      decide: (on: Date) => ({ type: 'Set' as const, data: { on } }),
    });
    const dated = new EventStore(db, { name: 'dated', aggregates: [Dated] });
    const { state } = await dated.handle(Dated, 'a', new Date(7));
    expect(state).toEqual([new Date(7)]);
    expect(await dated.load(Dated, 'a')).toEqual({ state, version: 1n });
  });
});

test('a state of the past, at any version', async () => {
  for (let i = 0; i < 25; i++) await store.handle(Account, 'a', { type: 'Deposit', amount: 1 });
  for (const at of [0n, 1n, 7n, 24n, 25n, 99n]) {
    const version = at > 25n ? 25n : at;
    expect(await store.load(Account, 'a', { at })).toEqual({
      state: { owner: '', balance: Number(version), events: Number(version) },
      version,
    });
  }
});

describe('events are checked', () => {
  test('data that does not fit, and a type that the aggregate does not have', async () => {
    const append = (type: string, data: unknown) =>
      store.append(stream('account', 'a'), [{ type, data }], { expected: 'any' });
    await expect(append('Deposited', { amount: -5 })).rejects.toMatchObject({
      code: 'validation.failed',
      details: { entity: 'account.Deposited', issues: [{ path: ['amount'] }] },
    });
    await expect(append('Stolen', {})).rejects.toMatchObject({
      code: 'events.unknownType',
      details: { type: 'Stolen' },
    });
    expect(await store.version(stream('account', 'a'))).toBe(0n);
  });

  test('an aggregate that the store was not told of is refused', async () => {
    const other = new EventStore(db, { name: 'other' });
    await expect(other.load(Account, 'a')).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(other.handle(Account, 'a', { type: 'Deposit', amount: 1 })).rejects.toMatchObject({
      code: 'argument.invalid',
    });
  });

  test.each([
    ['no events', { events: {} }, /has no events/],
    ['a one-way transform', { events: { A: z.string().transform(Number) } }, /Of the event A: .*one way only/],
    ['an upcast from its own version', { version: 2, upcast: { 2: (e: never) => e } }, /no event needs it/],
    [
      'a personal field that is not there',
      { personal: { A: { subject: 'id', fields: { name: '' } } } },
      /no field name/,
    ],
    ['a replacement that does not fit', { personal: { A: { subject: 'id', fields: { id: 5 } } } }, /does not fit it/],
    [
      'a subject that is personal itself',
      { personal: { A: { subject: 'id', fields: { id: '' } } } },
      /cannot name the subject/,
    ],
  ])('an aggregate with %s is refused', (_, options, message) => {
    const rest = { events: { A: z.object({ id: z.string() }) }, initial: () => 0, evolve: () => 0 };
    expect(() => defineAggregate({ name: 'x', ...rest, ...options } as never)).toThrow(message);
  });
});

describe('an event of an earlier version', () => {
  const V1 = defineAggregate({
    name: 'order',
    events: { Placed: z.object({ total: z.number() }), Gone: z.object({}) },
    initial: () => 0,
    evolve: (sum, event) => (event.type === 'Placed' ? sum + event.data.total : sum),
  });
  const V3 = defineAggregate({
    name: 'order',
    version: 3,
    events: { Placed: z.object({ cents: z.int(), currency: z.string() }), Cancelled: z.object({}) },
    upcast: {
      1: ({ type, data }) =>
        type === 'Placed'
          ? { type, data: { cents: (data as { total: number }).total * 100 } }
          : { type: 'Cancelled', data },
      2: ({ type, data }) =>
        type === 'Placed' ? { type, data: { ...(data as object), currency: 'EUR' } } : { type, data },
    },
    initial: () => ({ cents: 0, cancelled: false }),
    evolve: (state, event) =>
      event.type === 'Placed' ? { ...state, cents: state.cents + event.data.cents } : { ...state, cancelled: true },
  });

  test('is brought up to date where it is read, and stays as it was written', async () => {
    const old = new EventStore(db, { name: 's', aggregates: [V1] });
    await old.append(V1.stream('a'), [V1.event('Placed', { total: 5 }), V1.event('Gone', {})], { expected: 'new' });
    const now = new EventStore(db, { name: 's', aggregates: [V3] });
    expect((await all(now.read(V3.stream('a')))).map(({ type, data }) => [type, data])).toEqual([
      ['Placed', { cents: 500, currency: 'EUR' }],
      ['Cancelled', {}],
    ]);
    expect(await now.load(V3, 'a')).toEqual({ state: { cents: 500, cancelled: true }, version: 2n });
    expect(await old.load(V1, 'a')).toEqual({ state: 5, version: 2n });
  });

  test('that no upcast brings up to date is an error, and nothing is skipped', async () => {
    const old = new EventStore(db, { name: 's', aggregates: [V1] });
    await old.append(V1.stream('a'), [V1.event('Placed', { total: 5 }), V1.event('Gone', {})], { expected: 'new' });
    const Careless = defineAggregate({ ...options, events: { Placed: z.object({ total: z.number() }) } });
    const careless = new EventStore(db, { name: 's', aggregates: [Careless] });
    await expect(careless.load(Careless, 'a')).rejects.toMatchObject({
      code: 'events.unknownType',
      details: { type: 'Gone' },
    });
    const Wrong = defineAggregate({
      ...options,
      events: { Placed: z.object({ sum: z.number() }), Gone: z.object({}) },
    });
    const wrong = new EventStore(db, { name: 's', aggregates: [Wrong] });
    await expect(wrong.load(Wrong, 'a')).rejects.toMatchObject({ code: 'record.corrupt' });
  });

  test('of a later version than the program knows is an error', async () => {
    const later = new EventStore(db, { name: 's', aggregates: [V3] });
    await later.append(V3.stream('a'), [V3.event('Cancelled', {})], { expected: 'new' });
    const earlier = new EventStore(db, { name: 's', aggregates: [V1] });
    await expect(earlier.load(V1, 'a')).rejects.toMatchObject({
      code: 'record.newer',
      details: { found: 3, known: 1 },
    });
  });

  const options = { name: 'order', initial: () => 0, evolve: (n: number) => n };
});

describe('given, when, then', () => {
  const deposited = Account.event('Deposited', { amount: 5 });

  test('asserts events, no events, states and refusals', () => {
    given(Account, [deposited])
      .when({ type: 'Withdraw', amount: 5 })
      .then([Account.event('Withdrawn', { amount: 5 })]);
    given(Account, [deposited]).when({ type: 'Withdraw', amount: 6 }).thenThrows(Overdrawn);
    given(Account).when({ type: 'Deposit', amount: 5 }).thenState({ owner: '', balance: 5, events: 1 });
    given(Account, [deposited, deposited]).thenState({ owner: '', balance: 10, events: 2 });
  });

  test('what is not so fails, and says how it is', () => {
    const when = given(Account, [deposited]).when({ type: 'Withdraw', amount: 5 });
    expect(() => when.then([])).toThrow(AssertionError);
    expect(() => when.then([Account.event('Withdrawn', { amount: 4 })])).toThrow(/-\s+amount: 4|amount: 5/);
    expect(() => when.thenNothing()).toThrow(AssertionError);
    expect(() => when.thenState({ owner: '', balance: 5, events: 2 })).toThrow(AssertionError);
    expect(() => when.thenThrows()).toThrow(AssertionError);
    expect(() => given(Account).thenState({ owner: 'x', balance: 0, events: 0 })).toThrow(AssertionError);
    const refused = given(Account).when({ type: 'Withdraw', amount: 5 });
    expect(() => refused.then([])).toThrow(Overdrawn);
    expect(() => refused.thenThrows(TypeError)).toThrow(/instance of "TypeError". Received "Overdrawn"/);
  });

  test('events that no store would take fail, and so does await', async () => {
    expect(() => given(Account, [Account.event('Deposited', { amount: -1 })]).thenState(Account.initial())).toThrow(
      expect.objectContaining({ code: 'validation.failed' }),
    );
    const when = given(Account).when({ type: 'Deposit', amount: 1 });
    await expect(Promise.resolve(when)).rejects.toMatchObject({ code: 'argument.invalid' });
  });
});
