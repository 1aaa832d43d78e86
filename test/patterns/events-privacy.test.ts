import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/core/store.ts';
import { type Database, open } from '../../src/index.ts';
import { eventRecords } from '../../src/patterns/events/records.ts';
import { defineAggregate, EventStore } from '../../src/patterns/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { openMemory } from '../support/open.ts';
import { all } from './support/event-stores.ts';

const Patient = defineAggregate({
  name: 'patient',
  events: {
    Admitted: z.object({ person: z.string(), name: z.string(), born: z.date(), note: z.string().optional() }),
    Moved: z.object({ room: z.number() }),
  },
  personal: {
    Admitted: { subject: 'person', fields: { name: '(forgotten)', born: new Date(0), note: undefined } },
  },
  initial: () => ({ names: [] as string[], room: 0 }),
  evolve: (state, event) =>
    event.type === 'Admitted'
      ? { ...state, names: [...state.names, event.data.name] }
      : { ...state, room: event.data.room },
  decide: (command: { type: 'Admit'; person: string; name: string }) => [
    { type: 'Admitted' as const, data: { person: command.person, name: command.name, born: new Date(86_400_000) } },
  ],
});

/** Keeps every byte that was ever written. */
class AllBytes extends StoreWrapper {
  readonly written: Buffer[] = [];

  override put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    this.written.push(Buffer.from(call[1]));
    return super.put(...call);
  }
}

let db: Database;
let bytes: AllBytes;
let store: EventStore;

const openStore = (): EventStore => new EventStore(db, { name: 'clinic', aggregates: [Patient], snapshotEvery: 2 });
const admitted = (person: string, name: string) =>
  Patient.event('Admitted', { person, name, born: new Date(86_400_000), note: `note on ${name}` });

beforeEach(async () => {
  const bench = await openMemory();
  bytes = new AllBytes(bench.store);
  db = await open(bytes as Store, { clock: bench.clock, random: bench.db.environment.random });
  store = openStore();
});

test('they come back as they were, and stand nowhere in the clear: not in events, not in snapshots', async () => {
  await store.append(Patient.stream('a'), [admitted('p1', 'Kim Canary')], { expected: 'new' });
  await store.handle(Patient, 'a', { type: 'Admit', person: 'p2', name: 'Lee Canary' }, { idempotencyKey: 'k' });
  await store.append(Patient.stream('a'), [Patient.event('Moved', { room: 3 })], {
    expected: 'any',
    idempotencyKey: 'l',
  });
  expect((await store.load(Patient, 'a')).state).toEqual({ names: ['Kim Canary', 'Lee Canary'], room: 3 });
  expect(await eventRecords(db).snapshots.get({ store: 'clinic', category: 'patient', stream: 'a' })).toMatchObject({
    subjects: ['p1', 'p2'],
  });
  const [first] = await all(store.read(Patient.stream('a')));
  expect(first?.data).toEqual({
    person: 'p1',
    name: 'Kim Canary',
    born: new Date(86_400_000),
    note: 'note on Kim Canary',
  });
  expect(bytes.written.length).toBeGreaterThan(5);
  expect(bytes.written.some((value) => value.includes('Canary'))).toBe(false);
});

test('once the subject is forgotten nobody reads them, whoever has the bytes; others stay', async () => {
  await store.append(Patient.stream('a'), [admitted('p1', 'Kim'), admitted('p2', 'Lee')], { expected: 'new' });
  await store.load(Patient, 'a');
  const other = openStore();
  expect(await other.forget('p1')).toBe(true);
  expect(await other.forget('p1')).toBe(false);
  for (const one of [store, other, openStore()]) {
    const read = await all(one.read(Patient.stream('a')));
    expect(read.map(({ data }) => data)).toEqual([
      { person: 'p1', name: '(forgotten)', born: new Date(0) },
      { person: 'p2', name: 'Lee', born: new Date(86_400_000), note: 'note on Lee' },
    ]);
    // Also where a snapshot was made before.
    expect((await one.load(Patient, 'a')).state.names).toEqual(['(forgotten)', 'Lee']);
  }
});

test('one who was forgotten gets no other key', async () => {
  await store.append(Patient.stream('a'), [admitted('p1', 'Kim')], { expected: 'new' });
  await store.forget('p1');
  await expect(store.append(Patient.stream('a'), [admitted('p1', 'Kim')], { expected: 'any' })).rejects.toMatchObject({
    code: 'events.subjectForgotten',
  });
  // Also one of whom nothing was known.
  expect(await store.forget('p9')).toBe(false);
  await expect(store.append(Patient.stream('b'), [admitted('p9', 'Kim')], { expected: 'any' })).rejects.toMatchObject({
    code: 'events.subjectForgotten',
  });
});

test('a closed field that was moved to another event does not open', async () => {
  await store.append(Patient.stream('a'), [admitted('p1', 'Kim')], { expected: 'new' });
  await store.append(Patient.stream('b'), [admitted('p1', 'Lee')], { expected: 'new' });
  const { slots } = eventRecords(db);
  const id = (stream: string) => ({ store: 'clinic', category: 'patient', stream, slot: 1 });
  const kim = await slots.getOrThrow(id('a'));
  await slots.mutate(id('b'), (draft) => {
    const [event] = draft.events;
    if (event !== undefined) event.personal = kim.events[0]?.personal;
  });
  await expect(all(store.read(Patient.stream('b')))).rejects.toMatchObject({ code: 'record.corrupt' });
});

test.each([{ person: '' }, { person: 'x'.repeat(257) }])(
  'a subject that no key can be stored for is refused',
  async ({ person }) => {
    await expect(
      store.append(Patient.stream('a'), [admitted(person, 'Kim')], { expected: 'any' }),
    ).rejects.toMatchObject({
      code: 'argument.invalid',
      details: { argument: 'subject' },
    });
  },
);
