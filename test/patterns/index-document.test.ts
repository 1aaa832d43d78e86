import { describe, expect, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { IndexDocument } from '../../src/patterns/shared/index-document/index-document.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { START } from '../support/open.ts';
import { idsOf, startIndex } from './support/index-documents.ts';

const clock = manualClock(START, { autoAdvance: true });
const openStore = () => memory().openStore({ clock, random: seededRandom(1) });
const names = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `id ${String(from + i).padStart(5, '0')}`);

class CountingStore extends StoreWrapper {
  reads = 0;
  puts = 0;
  largest = 0;

  override get(...call: Parameters<StoreWrapper['get']>): ReturnType<StoreWrapper['get']> {
    this.reads++;
    return super.get(...call);
  }

  override put(...call: Parameters<StoreWrapper['put']>): ReturnType<StoreWrapper['put']> {
    this.puts++;
    this.largest = Math.max(this.largest, call[1].length);
    return super.put(...call);
  }
}

describe('a set of ids', () => {
  test.each([
    ['ascending', (ids: string[]) => ids],
    ['descending', (ids: string[]) => ids.toReversed()],
    [
      'shuffled',
      (ids: string[]) => ids.toSorted((a, b) => Math.sin(Number(a.slice(3))) - Math.sin(Number(b.slice(3)))),
    ],
  ])('keeps what was added in %s order, over many pages and several levels', async (_order, arranged) => {
    const { index } = await startIndex(await openStore(), { name: 'ids', clock, seed: 1 });
    const ids = names(300);
    for (const id of arranged(ids)) expect(await index.add(id)).toBe(true);
    expect(await idsOf(index)).toEqual(ids);
    for (const id of ids) expect(await index.has(id), id).toBe(true);
    expect(await index.has('id 00300')).toBe(false);
    expect(await index.has('a')).toBe(false);
  });

  test('says whether an add or a remove changed anything, however often it is repeated', async () => {
    const { index } = await startIndex(await openStore(), { name: 'ids', clock, seed: 1 });
    expect(await index.remove('a')).toBe(false);
    for (const id of names(20)) await index.add(id);
    expect([await index.add('a'), await index.add('a')]).toEqual([true, false]);
    expect([await index.remove('a'), await index.remove('a'), await index.has('a')]).toEqual([true, false, false]);
    for (const id of names(20)) expect(await index.remove(id)).toBe(true);
    expect(await idsOf(index)).toEqual([]);
    await index.add('id 00007');
    expect(await idsOf(index)).toEqual(['id 00007']);
  });

  test('is listed from behind an id, a page at a time', async () => {
    const { index } = await startIndex(await openStore(), { name: 'ids', clock, seed: 1 });
    const ids = names(50);
    for (const id of ids) await index.add(id);
    for (const after of ['a', 'id 00000', 'id 00017', 'id 00017+', 'id 00048', 'id 00049', 'z']) {
      expect(await idsOf(index, after), after).toEqual(ids.filter((id) => id > after));
    }
    for await (const page of index.pages()) expect(page.length).toBeLessThanOrEqual(4);
  });

  test('has nothing of a set with another name, nor of a tenant', async () => {
    const db = await open(await openStore(), { clock, random: seededRandom(1) });
    const sets = [
      new IndexDocument(db, { name: 'one' }),
      new IndexDocument(db, { name: 'two' }),
      new IndexDocument(db.forTenant('acme'), { name: 'one' }),
    ];
    for (const [i, set] of sets.entries()) await set.add(`of ${i}`);
    expect(await Promise.all(sets.map((set) => idsOf(set)))).toEqual([['of 0'], ['of 1'], ['of 2']]);
  });

  test('refuses what is no id', async () => {
    const { index } = await startIndex(await openStore(), { name: 'ids', clock, seed: 1 });
    for (const id of ['', '\ud800', 'x'.repeat(513)]) {
      await expect(index.add(id)).rejects.toSatisfy((error) => NorimakiError.is(error, 'argument.invalid'));
    }
  });

  test('heeds a signal', async () => {
    const { index } = await startIndex(await openStore(), { name: 'ids', clock, seed: 1 });
    await index.add('a');
    const signal = AbortSignal.abort();
    const isAborted = (error: unknown): boolean => NorimakiError.is(error, 'aborted');
    await expect(index.add('b', { signal })).rejects.toSatisfy(isAborted);
    await expect(index.remove('a', { signal })).rejects.toSatisfy(isAborted);
    await expect(index.has('a', { signal })).rejects.toSatisfy(isAborted);
    await expect(index.pages({ signal }).next()).rejects.toSatisfy(isAborted);
    expect(await idsOf(index)).toEqual(['a']);
  });
});

describe('what it costs', () => {
  test('adds of one process that wait at the same time share writes', async () => {
    const store = new CountingStore(await openStore());
    const index = new IndexDocument(await open(store, { clock, random: seededRandom(1) }), { name: 'ids' });
    await Promise.all(names(100).map((id) => index.add(id)));
    expect(await idsOf(index)).toHaveLength(100);
    expect(store.puts).toBeLessThanOrEqual(2);
  });

  test('a process that knows the pages above writes with one read at most, and a page stays small', async () => {
    const store = new CountingStore(await openStore());
    const random = seededRandom(1);
    const fill = new IndexDocument(await open(store, { clock, random }), { name: 'ids', pageSize: 16 });
    for (const id of names(2000)) await fill.add(id);
    expect(store.largest).toBeLessThan(2000);
    const other = new IndexDocument(await open(store, { clock, random, writeMemory: 0 }), {
      name: 'ids',
      pageSize: 16,
    });
    await other.add('id 01000+');
    store.reads = 0;
    await other.add('id 01000++');
    expect(store.reads).toBeLessThanOrEqual(1);
    store.reads = 0;
    await fill.has('id 01999');
    expect(store.reads).toBeLessThanOrEqual(4);
  });

  test('whoever finds pages that the level above does not know makes them known', async () => {
    const store = new CountingStore(await openStore());
    const direct = await startIndex(store, { name: 'ids', clock, seed: 1, pageSize: 8 });
    for (const id of names(9)) await direct.index.add(id);
    // Every split of this one dies before the level above is told.
    for (let round = 0; round < 30; round++) {
      let puts = 0;
      const { index } = await startIndex(store, {
        name: 'ids',
        clock,
        seed: 10 + round,
        pageSize: 8,
        script: ({ verb }) => (verb === 'put' && ++puts === 3 ? 'crashBefore' : 'none'),
      });
      for (const id of names(20, 1000 + 20 * round)) await index.add(id).catch(() => {});
    }
    const reads = async (): Promise<number> => {
      const { index } = await startIndex(store, { name: 'ids', clock, seed: 5, pageSize: 8 });
      store.reads = 0;
      await index.has('id 99999');
      return store.reads;
    };
    const before = await reads();
    const { index } = await startIndex(store, { name: 'ids', clock, seed: 3, pageSize: 8 });
    const all = await idsOf(index);
    for (const id of all) await index.add(id);
    await index.add('id 99999');
    expect(await reads()).toBeLessThanOrEqual(Math.min(before, 4));
    expect(await idsOf(index)).toEqual([...all, 'id 99999']);
  });
});

test('no id is lost, whatever call of the store a process dies at', async () => {
  const ids = names(18).toSorted((a, b) => Math.sin(Number(a.slice(3))) - Math.sin(Number(b.slice(3))));
  let died = 0;
  for (const when of ['crashBefore', 'crashAfter'] as const) {
    for (let at = 1; ; at++) {
      const store = await openStore();
      const { index } = await startIndex(store, {
        name: 'ids',
        clock,
        seed: at,
        script: ({ number }) => (number === at ? when : 'none'),
      });
      const added: string[] = [];
      const isDead = await (async () => {
        for (const id of ids) {
          await index.add(id);
          added.push(id);
        }
      })().then(
        () => false,
        (error: unknown) => {
          if (error instanceof SimulatedCrash || (error as Error).cause instanceof SimulatedCrash) return true;
          throw error;
        },
      );
      if (!isDead) break;
      died++;
      const { index: other } = await startIndex(store, { name: 'ids', clock, seed: 7 });
      const found = await idsOf(other);
      expect(found, `${when} ${at}`).toEqual(expect.arrayContaining(added));
      expect(found.length, `${when} ${at}`).toBeLessThanOrEqual(added.length + 1);
      for (const id of ids) await other.add(id);
      expect(await idsOf(other), `${when} ${at}`).toEqual(names(18));
    }
  }
  expect(died).toBeGreaterThan(80);
});
