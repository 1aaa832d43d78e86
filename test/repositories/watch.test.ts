import { expect, test } from 'vitest';
import { z } from 'zod';
import { canWatch, type Key } from '../../src/core/store.ts';
import {
  type Database,
  defineEntity,
  type EntityChange,
  type EntityChanges,
  NorimakiError,
  open,
} from '../../src/index.ts';
import { type MemoryStore, memory } from '../../src/stores/memory/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { faultStore, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { openFaulty, openMemory } from '../support/open.ts';

const Product = defineEntity('product', z.object({ sku: z.string(), name: z.string(), stock: z.number().default(0) }), {
  id: 'sku',
  unique: ['name'],
  index: ['stock'],
});
const Stop = defineEntity('stop', z.object({ line: z.string(), signal: z.number(), name: z.string().default('?') }), {
  id: ['line', 'signal'],
});
const Note = defineEntity('note', z.object({ id: z.number(), text: z.string() }), { id: 'id' });

const next = async (watch: EntityChanges): Promise<EntityChange | undefined> => (await watch.next()).value;

async function untilLost(watch: EntityChanges): Promise<void> {
  for (let change = await next(watch); change?.type !== 'lost'; change = await next(watch)) {
    if (change === undefined) throw new Error('The watch ended.');
  }
}

const START = { type: 'start' };
const LOST = { type: 'lost' };

test('the first change is the start; then every write is told by its id, each once, and nothing of claims and indexes', async () => {
  const { db } = await openMemory();
  const products = db.repo(Product);
  const watch = products.watch();
  expect(await next(watch)).toEqual(START);
  const { version } = await products.create({ sku: 'a', name: 'A' }).then(() => versionOf(db, 'a'));
  await products.create({ sku: 'b', name: 'B' });
  await products.delete('b');
  expect(await next(watch)).toEqual({ type: 'put', id: 'a', version });
  expect(await next(watch)).toEqual({ type: 'delete', id: 'b' });
  await products.mutate('a', (product) => {
    product.stock = 7;
  });
  expect(await next(watch)).toMatchObject({ type: 'put', id: 'a' });
  const waiting = watch.next();
  await idle();
  await watch.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
});

/** Of the record that holds a product. */
async function versionOf(db: Database<MemoryStore, undefined>, sku: string): Promise<{ version: unknown }> {
  const { entries } = await db.store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
  const record = entries.find(({ key }) => Buffer.from(key).includes(`r\0\0\x07${sku}`));
  if (record === undefined) throw new Error('There is no such record.');
  return record;
}

test('one entity can be watched by its id, of one part or several', async () => {
  const { db } = await openMemory();
  const stops = db.repo(Stop);
  await using one = stops.watch({ line: 'u1', signal: 2 });
  await using all = stops.watch();
  const notes = db.repo(Note);
  await using note = notes.watch(4);
  for (const watch of [one, all, note]) expect(await next(watch)).toEqual(START);
  await stops.put({ line: 'u1', signal: 1 });
  await stops.put({ line: 'u1', signal: 2 });
  await notes.put({ id: 40, text: 'other' });
  await notes.put({ id: 4, text: 'this' });
  expect(await next(one)).toMatchObject({ type: 'put', id: { line: 'u1', signal: 2 } });
  expect(await next(all)).toMatchObject({ id: { line: 'u1', signal: 1 } });
  expect(await next(all)).toMatchObject({ id: { line: 'u1', signal: 2 } });
  expect(await next(note)).toMatchObject({ id: 4 });
});

test('a single argument is the options where it can be no id', async () => {
  const { db } = await openMemory();
  const stops = db.repo(Stop);
  const control = new AbortController();
  const all = stops.watch({ signal: control.signal });
  expect(await next(all)).toEqual(START);
  await stops.put({ line: 'u1', signal: 1 });
  expect(await next(all)).toMatchObject({ type: 'put' });
  expect(() => stops.watch({ line: 'u1' } as never)).toThrow('{ line, signal }');
  const one = stops.watch({ line: 'u1', signal: 1 }, { signal: control.signal });
  expect(await next(one)).toEqual(START);
  for (const watch of [all, one]) {
    const step = watch.next().catch((error: unknown) => error);
    control.abort();
    expect(await step).toMatchObject({ code: 'aborted' });
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  }
});

test('a tenant is told of its own entities only', async () => {
  const { db } = await openMemory();
  const watch = db.forTenant('acme').repo(Note).watch();
  const outside = db.repo(Note).watch();
  for (const one of [watch, outside]) expect(await next(one)).toEqual(START);
  await db.forTenant('other').repo(Note).put({ id: 1, text: 'not mine' });
  await db.repo(Note).put({ id: 2, text: "nobody's" });
  await db.forTenant('acme').repo(Note).put({ id: 3, text: 'mine' });
  expect(await next(watch)).toMatchObject({ id: 3 });
  expect(await next(outside)).toMatchObject({ id: 2 });
});

test('leaving the loop, and closing the store, let everything go', async () => {
  const { db, store } = await openMemory();
  const notes = db.repo(Note);
  for await (const change of notes.watch()) {
    expect(change).toEqual(START);
    break;
  }
  const watch = notes.watch();
  await next(watch);
  const step = watch.next();
  await store.close();
  await expect(step).rejects.toMatchObject({ code: 'store.closed' });
});

test('what is lost is told at once, and the watch starts again', async () => {
  const { db, direct } = await openFaulty((_, verb) => (verb === 'watch' ? 'lostWatch' : 'none'));
  const watch = db.repo(Note).watch();
  const told: unknown[] = [];
  for (let i = 0; told.filter((type) => type === 'lost').length < 3; i++) {
    if (told.at(-1) === 'start' || told.at(-1) === 'put') await direct.repo(Note).put({ id: i, text: 'note' });
    const change = await next(watch);
    if (change === undefined) throw new Error('The watch ended.');
    told.push(change.type);
  }
  expect(told[0]).toBe('start');
  for (const [i, type] of told.entries()) if (type === 'lost' && i + 1 < told.length) expect(told[i + 1]).toBe('start');
  expect(told.filter((type) => type === 'start').length).toBe(3);
  await watch.return();
});

test('a reader that is slower than its buffer is told so, and goes on', async () => {
  const { db } = await openMemory();
  const notes = db.repo(Note);
  const watch = notes.watch({ buffer: 2 });
  expect(await next(watch)).toEqual(START);
  for (let id = 0; id < 5; id++) await notes.put({ id, text: 'note' });
  expect(await next(watch)).toEqual(LOST);
  expect(await next(watch)).toEqual(START);
  await notes.put({ id: 9, text: 'note' });
  expect(await next(watch)).toMatchObject({ id: 9 });
  await watch.return();
});

test('a store that is out fails the first start as a read, and delays a later one for as long as it takes', async () => {
  let isOut = true;
  let tries = 0;
  const { db, direct } = await openFaulty((_, verb) => {
    if (verb !== 'watch') return 'none';
    tries += 1;
    if (isOut) return 'errorBefore';
    return tries < 40 ? 'lostWatch' : 'none';
  });
  const notes = db.repo(Note);
  await expect(notes.watch().next()).rejects.toMatchObject({ code: 'store.unavailable' });
  isOut = false;
  const watch = notes.watch();
  expect(await next(watch)).toEqual(START);
  for (let id = 0; id < 5; id++) await direct.repo(Note).put({ id, text: 'note' });
  await untilLost(watch);
  isOut = true;
  const again = next(watch);
  for (let i = 0; i < 400; i++) await idle();
  expect(tries).toBeGreaterThan(30);
  isOut = false;
  expect(await again).toEqual(START);
  await watch.return();
});

test('a watch that waits for its store to come back ends when it is told to', async () => {
  let isOut = false;
  const { db, direct } = await openFaulty((_, verb) => {
    if (verb !== 'watch') return 'none';
    return isOut ? 'errorBefore' : 'lostWatch';
  });
  const notes = db.repo(Note);
  const control = new AbortController();
  const watches = [notes.watch(), notes.watch({ signal: control.signal })];
  for (const [i, watch] of watches.entries()) {
    expect(await next(watch)).toEqual(START);
    isOut = true;
    for (let id = 0; id < 6; id++) {
      await direct.repo(Note).put({ id, text: `note ${i}` });
      await idle();
    }
    await untilLost(watch);
    isOut = false;
  }
  isOut = true;
  const [first, second] = watches.map((watch) => watch.next().catch((error: unknown) => error));
  for (let i = 0; i < 50; i++) await idle();
  control.abort();
  expect(await second).toMatchObject({ code: 'aborted' });
  await watches[0]?.return();
  expect(await first).toEqual({ done: true, value: undefined });
});

test('a store that cannot tell is refused when the watch is made', async () => {
  const store = limitCapabilities(await memory().openStore({ clock: manualClock(), random: seededRandom(1) }), [
    'watch',
  ]);
  await using db = await open(store);
  const notes = db.repo(Note);
  // @ts-expect-error there is no such verb on such a store.
  expect(() => notes.watch()).toThrow(NorimakiError);
  expect(canWatch(store)).toBe(false);
});

/** Follows a repository, whatever happens to the watch; `undefined` until it knows something. */
class Copy {
  readonly texts = new Map<number, string>();
  isWhole = false;
  readonly #notes: ReturnType<typeof notesOf>;

  constructor(notes: ReturnType<typeof notesOf>) {
    this.#notes = notes;
  }

  async follow(signal: AbortSignal): Promise<void> {
    for await (const change of this.#notes.watch({ signal, buffer: 4 })) {
      if (change.type === 'lost') this.isWhole = false;
      else if (change.type === 'start') {
        this.texts.clear();
        for await (const note of this.#notes.scan()) this.texts.set(note.id, note.text);
        this.isWhole = true;
      } else {
        const note = await this.#notes.get(change.id);
        if (note === undefined) this.texts.delete(change.id);
        else this.texts.set(change.id, note.text);
      }
    }
  }
}

const notesOf = (db: Database<MemoryStore, undefined>) => db.repo(Note);

test('a copy that follows a watch through every fault becomes the repository in the end', async () => {
  const losses: number[] = [];
  for (let seed = 1; seed <= (isLong ? 400 : 25); seed++) {
    const clock = manualClock(0, { autoAdvance: true });
    const random = seededRandom(seed);
    const inner = await memory().openStore({ clock, random });
    const faults = { lostWatch: 0.7, errorBefore: 0.1, delay: 0.3 };
    const faulty = faultStore(inner, { clock, random, faults, maxDelay: 20 });
    const direct = (await open(inner, { clock, random })).repo(Note);
    const copy = new Copy(notesOf(await open(faulty, { clock, random })));
    const control = new AbortController();
    const following = copy.follow(control.signal).catch((error: unknown) => error);
    for (let step = 0; step < 40; step++) {
      const id = pickInt(random, 8);
      if (pickInt(random, 3) === 0) await direct.delete(id);
      else await direct.put({ id, text: `text ${step}` });
      await clock.sleep(pickInt(random, 30));
    }
    await faulty.heal();
    await clock.sleep(60_000);
    losses.push(faulty.injected.filter(({ kind }) => kind === 'lostWatch').length);
    const texts = new Map<number, string>();
    for await (const note of direct.scan()) texts.set(note.id, note.text);
    expect(copy.isWhole, `seed ${seed}`).toBe(true);
    expect(copy.texts, `seed ${seed}\n${faulty.describeFaults()}`).toEqual(texts);
    control.abort();
    expect(await following).toMatchObject({ code: 'aborted' });
  }
  expect(losses.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(losses.length);
});

test('a crash of the process ends its watches', async () => {
  const { db, faulty } = await openFaulty(() => 'none');
  const watch = db.repo(Note).watch();
  await next(watch);
  const step = watch.next();
  faulty.crash();
  await expect(step).rejects.toThrow('crashed');
});

test('a watch of a store is delayed by its network, and loses nothing', async () => {
  const clock = manualClock(0, { autoAdvance: true });
  const random = seededRandom(3);
  const inner = await memory().openStore({ clock, random });
  const slow = faultStore(inner, { clock, random, faults: { delay: 1 }, maxDelay: 50 });
  const range = { start: Uint8Array.of(1), end: Uint8Array.of(255) };
  const watch = await slow.watch(range);
  const before = clock.now();
  const key: Key = Uint8Array.of(7);
  const version = await inner.put(key, key);
  expect((await watch.next()).value).toEqual([{ type: 'put', key, version }]);
  expect(clock.now()).toBeGreaterThan(before);
  await watch.return();
});
