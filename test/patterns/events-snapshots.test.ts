import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/core/store.ts';
import { type Database, open } from '../../src/index.ts';
import { eventRecords } from '../../src/patterns/events/records.ts';
import { defineAggregate, EventStore } from '../../src/patterns/index.ts';
import { type FaultKind, faultStore, seededRandom } from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { openMemory } from '../support/open.ts';
import { Account } from './support/event-stores.ts';

/** Counts the keys that are read. */
class ReadStore extends StoreWrapper {
  keys = 0;

  override getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    this.keys += call[0].length;
    return super.getMany(...call);
  }
}

let db: Database;
let reads: ReadStore;
let warnings: unknown[];

const openStore = (options: object = {}): EventStore =>
  new EventStore(db, {
    name: 'bank',
    aggregates: [Account],
    snapshotEvery: 50,
    onSnapshotError: (error) => warnings.push(error),
    ...options,
  });

const ID = { store: 'bank', category: 'account', stream: 'a' };

beforeEach(async () => {
  const bench = await openMemory();
  reads = new ReadStore(bench.store);
  db = await open(reads as Store, { clock: bench.clock, random: bench.db.environment.random });
  warnings = [];
});

async function deposit(store: EventStore, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await store.append(Account.stream('a'), [Account.event('Deposited', { amount: 1 })], { expected: 'any' });
  }
}

const balanceOf = async (store: EventStore): Promise<number> => (await store.load(Account, 'a')).state.balance;

test('loading goes on from the last one, and reads what came after', async () => {
  const store = openStore();
  await deposit(store, 200);
  expect(await balanceOf(store)).toBe(200);
  await deposit(store, 3);
  reads.keys = 0;
  expect(await balanceOf(openStore())).toBe(203);
  expect(reads.keys).toBeLessThan(10);
  // Without them all is read.
  reads.keys = 0;
  expect(await balanceOf(openStore({ snapshotEvery: 0 }))).toBe(203);
  expect(reads.keys).toBeLessThan(10);
  await eventRecords(db).snapshots.delete(ID);
  reads.keys = 0;
  expect(await balanceOf(openStore({ snapshotEvery: 0 }))).toBe(203);
  expect(reads.keys).toBeGreaterThan(200);
  expect(await eventRecords(db).snapshots.get(ID)).toBeUndefined();
});

test('is kept after so many events, not sooner, and never goes back', async () => {
  const store = openStore();
  const kept = async (): Promise<number | undefined> => (await eventRecords(db).snapshots.get(ID))?.version;
  await deposit(store, 49);
  await balanceOf(store);
  expect(await kept()).toBeUndefined();
  await deposit(store, 1);
  await balanceOf(store);
  expect(await kept()).toBe(50);
  await deposit(store, 60);
  await balanceOf(store);
  expect(await kept()).toBe(110);
  // A state of the past is none to be kept.
  await store.load(Account, 'a', { at: 60n });
  expect(await kept()).toBe(110);
});

test('a process that keeps its state too late does not put it in the place of a later one', async () => {
  await deposit(openStore(), 50);
  const { snapshots } = eventRecords(db);
  let late = 0;
  const faulty = faultStore(reads as Store, {
    random: seededRandom(1),
    async script({ verb, keys }): Promise<FaultKind | 'none'> {
      const isKept = verb !== 'get' && keys.some((key) => Buffer.from(key).includes('events.snapshot'));
      if (!isKept || late++ > 0) return 'none';
      // Just before its write others append, and keep what that makes.
      await deposit(openStore(), 60);
      await balanceOf(openStore());
      expect((await snapshots.get(ID))?.version).toBe(110);
      return 'none';
    },
  });
  const slow = new EventStore(await open(faulty), { name: 'bank', aggregates: [Account], snapshotEvery: 50 });
  expect(await balanceOf(slow)).toBe(50);
  expect(late).toBeGreaterThan(0);
  expect(await snapshots.get(ID)).toMatchObject({ version: 110, state: { balance: 110 } });
  expect(await balanceOf(openStore())).toBe(110);
});

test('a state before it is made from the beginning', async () => {
  const store = openStore();
  await deposit(store, 100);
  await balanceOf(store);
  expect(await store.load(Account, 'a', { at: 99n })).toMatchObject({ state: { balance: 99 }, version: 99n });
  expect(await store.load(Account, 'a', { at: 100n })).toMatchObject({ state: { balance: 100 }, version: 100n });
});

test('one of another version of the aggregate is not used, and one of a later version is left alone', async () => {
  await deposit(openStore(), 60);
  await balanceOf(openStore());
  const Doubling = defineAggregate({
    name: 'account',
    version: 2,
    events: { Opened: z.object({ owner: z.string() }), Deposited: z.object({ amount: z.number() }) },
    initial: () => ({ doubled: 0 }),
    evolve: (state, event) => (event.type === 'Deposited' ? { doubled: state.doubled + 2 * event.data.amount } : state),
  });
  const doubling = openStore({ aggregates: [Doubling] });
  expect((await doubling.load(Doubling, 'a')).state).toEqual({ doubled: 120 });
  expect(await eventRecords(db).snapshots.get(ID)).toMatchObject({ schema: 2, state: { doubled: 120 } });
  expect(await balanceOf(openStore())).toBe(60);
  expect(await eventRecords(db).snapshots.get(ID)).toMatchObject({ schema: 2 });
});

test('a damaged one, and one that does not fit its stream, are made anew', async () => {
  const store = openStore();
  await deposit(store, 60);
  await balanceOf(store);
  const { snapshots } = eventRecords(db);
  await snapshots.mutate(ID, (draft) => {
    draft.version = 20;
    draft.slot = 10;
    draft.state = { owner: '', balance: 1_000_000, events: 20 };
  });
  expect(await balanceOf(store)).toBe(60);
  const key = [
    ...(await (reads.inner as unknown as AllKeys).scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) })).entries,
  ]
    .map(({ key }) => key)
    .find((key) => Buffer.from(key).includes('events.snapshot'));
  await reads.put(key as Uint8Array, Buffer.from('no record'));
  expect(await balanceOf(store)).toBe(60);
  expect(await snapshots.get(ID)).toMatchObject({ version: 60 });
  expect(warnings).toEqual([]);
});

interface AllKeys {
  scan(range: object): Promise<{ entries: readonly { readonly key: Uint8Array }[] }>;
}

test('a state that cannot be stored is told, and nothing else suffers', async () => {
  const Awkward = defineAggregate({
    name: 'account',
    events: { Deposited: z.object({ amount: z.number() }) },
    initial: () => ({ balance: 0, tell: () => {} }),
    evolve: (state, { data }) => ({ ...state, balance: state.balance + data.amount }),
  });
  const store = openStore({ aggregates: [Awkward], snapshotEvery: 2 });
  for (let i = 0; i < 5; i++) {
    await store.append(Awkward.stream('a'), [Awkward.event('Deposited', { amount: 1 })], { expected: 'any' });
  }
  expect((await store.load(Awkward, 'a')).state.balance).toBe(5);
  expect(warnings).toMatchObject([{ code: 'validation.failed' }]);
});
