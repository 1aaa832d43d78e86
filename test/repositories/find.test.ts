import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Entity, Field, Id, Index, open, Ttl } from '../../src/index.ts';
import { limitCapabilities } from '../../src/testing/index.ts';
import { openMemory, START } from '../support/open.ts';

@Entity('film')
class Film {
  @Id() id!: Id<string>;
  @Field(z.string()) @Index('byGenre') genre!: string;
  @Field(z.number().nullable()) @Index() @Index('byGenre') year!: number | null;
  @Field(z.date().optional()) @Index() seen?: Date;
}

@Entity('visit')
@Ttl('1m')
class Visit {
  @Id() id!: Id<number>;
  @Field(z.string()) @Index() page!: string;
}

const ids = (page: { items: readonly { id: unknown }[] }) => page.items.map(({ id }) => id);

async function films() {
  const { db } = await openMemory();
  const repo = db.repo(Film);
  await repo.createMany([
    { id: 'a', genre: 'drama', year: 1990 },
    { id: 'b', genre: 'comedy', year: 2000, seen: new Date(START) },
    { id: 'c', genre: 'drama', year: 2010, seen: new Date(START + 1) },
    { id: 'd', genre: 'drama', year: null },
    { id: 'e', genre: 'drama', year: -5 },
  ]);
  return repo;
}

describe('find', () => {
  test('by equality and by range, in the order of the index', async () => {
    const repo = await films();
    expect(ids(await repo.find({ year: 2000 }))).toEqual(['b']);
    expect(ids(await repo.find({ year: { gte: 1990 } }))).toEqual(['a', 'b', 'c']);
    expect(ids(await repo.find({ year: { gt: 1990, lte: 2010 } }))).toEqual(['b', 'c']);
    expect(ids(await repo.find({ year: { lt: 1990 } }))).toEqual(['e']);
    expect(ids(await repo.find({ year: null }))).toEqual(['d']);
    expect(ids(await repo.find({ year: { gt: 5, lt: 3 } }))).toEqual([]);
    expect(ids(await repo.find({ seen: { lte: new Date(START) } }))).toEqual(['b']);
    expect(ids(await repo.find({ year: { gte: 0 } }, { reverse: true }))).toEqual(['c', 'b', 'a']);
  });

  test('over several fields: equality on the leading ones, a range on the last', async () => {
    const repo = await films();
    expect(ids(await repo.find({ genre: 'drama', year: { gte: 0 } }))).toEqual(['a', 'c']);
    expect(ids(await repo.find({ genre: 'drama' }))).toEqual(['d', 'e', 'a', 'c']);
    expect(ids(await repo.find({ genre: { gte: 'd' } }))).toEqual(['d', 'e', 'a', 'c']);
    expect(await repo.count({ where: { genre: 'drama' } })).toBe(4);
  });

  test('says what is missing where no index serves the conditions', async () => {
    const repo = await films();
    const cure = 'Put @Index() on the field';
    await expect(repo.find({ id: 'a' })).rejects.toThrow(`No index of film serves conditions on id. ${cure}`);
    await expect(repo.find({})).rejects.toThrow('No index of film serves conditions on nothing.');
    await expect(repo.find({ genre: { gt: 'a' }, year: 3 })).rejects.toThrow(cure);
    await expect(repo.find({ genre: { gt: 'a' }, year: { lt: 3 } })).rejects.toThrow(cure);
    await expect(repo.find({ year: undefined })).rejects.toThrow('The condition on film.year is undefined');
    await expect(repo.find({ year: { gt: 1, gte: 2 } })).rejects.toThrow('two bounds on one side');
    await expect(repo.find({ year: {} })).rejects.toThrow('takes gt or gte, lt or lte');
    // @ts-expect-error between is no bound.
    await expect(repo.find({ year: { between: 3 } })).rejects.toThrow('takes gt or gte, lt or lte');
  });

  test('follows every change of a record', async () => {
    const repo = await films();
    await repo.mutate('a', (film) => {
      film.year = 2020;
    });
    await repo.put({ id: 'b', genre: 'drama', year: 2021 });
    await repo.delete('c');
    expect(ids(await repo.find({ year: { gte: 0 } }))).toEqual(['a', 'b']);
    expect(ids(await repo.find({ seen: { gte: new Date(0) } }))).toEqual([]);
  });

  test('does not show what has expired, and does once the deadline moved', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Visit);
    await repo.createMany([
      { id: 1, page: 'x' },
      { id: 2, page: 'x' },
    ]);
    await repo.touch(2, { ttl: '1h' });
    clock.set(START + 60_000);
    expect(ids(await repo.find({ page: 'x' }))).toEqual([2]);
    expect(await repo.count({ where: { page: 'x' } })).toBe(1);
    expect(await repo.count()).toBe(1);
  });

  test('shows records from before the index was declared once they are written back', async () => {
    const { store, clock, db } = await openMemory();
    await db.repo(Plain).createMany([{ id: 'a' }, { id: 'b' }]);
    const indexed = (await open(store, { clock })).repo(IndexedPlain);
    expect(ids(await indexed.find({ id: { gte: 'a' } }))).toEqual([]);
    for await (const { id } of indexed.scan()) await indexed.mutate(id, () => {});
    expect(ids(await indexed.find({ id: { gte: 'a' } }))).toEqual(['a', 'b']);
    expect((await indexed.plan().mutate('a', () => {})).steps).toEqual([]);
  });

  test('never shows a record under a value that it no longer has, whatever races', async () => {
    const { store, clock } = await openMemory();
    const [writer, reader] = [await open(store, { clock }), await open(store, { clock })];
    await writer.repo(Film).create({ id: 'a', genre: 'g', year: 1 });
    await Promise.all([
      (async () => {
        for (let i = 2; i < 200; i++)
          await writer.repo(Film).mutate('a', (film) => void Object.assign(film, { year: i }));
      })(),
      (async () => {
        for (let i = 0; i < 300; i++) {
          const { items } = await reader.repo(Film).find({ year: { gte: 0, lte: 50 } });
          for (const { year } of items) expect(year).toBeLessThanOrEqual(50);
        }
      })(),
    ]);
  });

  test('finds just what a filter over all entities would, for all values and ranges', async () => {
    const year = fc.option(
      fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
      { nil: null },
    );
    const bound = fc.integer({ min: -3, max: 3 });
    const range = fc.record({
      lower: fc.constantFrom('gt', 'gte', undefined),
      low: bound,
      upper: fc.constantFrom('lt', 'lte', undefined),
      high: bound,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(year, { maxLength: 12 }),
        range,
        fc.boolean(),
        async (years, { lower, low, upper, high }, reverse) => {
          fc.pre(lower !== undefined || upper !== undefined);
          const { db } = await openMemory();
          const repo = db.repo(Film);
          await repo.createMany(years.map((y, i) => ({ id: `f${i}`, genre: 'g', year: y })));
          const where = { ...(lower && { [lower]: low }), ...(upper && { [upper]: high }) };
          const matches = (y: number | null): boolean =>
            y !== null &&
            (lower === undefined || (lower === 'gt' ? y > low : y >= low)) &&
            (upper === undefined || (upper === 'lt' ? y < high : y <= high));
          const found: unknown[] = [];
          let cursor: string | undefined;
          do {
            const page = await repo.find({ year: where }, { limit: 2, cursor, reverse });
            expect(page.items.length).toBeLessThanOrEqual(2);
            found.push(...ids(page));
            cursor = page.cursor;
          } while (cursor !== undefined);
          const expected = years.flatMap((y, i) => (matches(y) ? [`f${i}`] : []));
          expect([...found].sort()).toEqual(expected.sort());
          const order = found.map((id) => years[Number(String(id).slice(1))] as number);
          expect(order).toEqual([...order].sort((a, b) => (reverse ? b - a : a - b)));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('list and scan', () => {
  test('give every entity once, in order, page by page and backwards', async () => {
    const { db } = await openMemory();
    const repo = db.repo(Visit);
    await repo.createMany(Array.from({ length: 250 }, (_, i) => ({ id: i, page: 'x' })));
    const forward: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await repo.list({ limit: 7, cursor });
      forward.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(forward).toEqual(Array.from({ length: 250 }, (_, i) => i));
    const backward: number[] = [];
    for await (const { id } of repo.scan({ reverse: true, limit: 33 })) backward.push(id);
    expect(backward).toEqual([...forward].reverse());
    expect(await repo.count()).toBe(250);
  });

  test('refuse a cursor of another query, and a limit that is none', async () => {
    const repo = await films();
    const { cursor } = await repo.list({ limit: 1 });
    await expect(repo.find({ year: { gte: 0 } }, { cursor })).rejects.toThrow('This cursor is of another query.');
    await expect(repo.list({ cursor: 'rubbish' })).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(repo.list({ limit: 0 })).rejects.toThrow('limit is a whole number from 1.');
    expect(ids(await repo.list({ limit: 5000 }))).toHaveLength(5);
  });

  test('can be left early and aborted', async () => {
    const repo = await films();
    for await (const { id } of repo.scan({ limit: 1 })) if (id === 'b') break;
    const controller = new AbortController();
    const seen: string[] = [];
    const walk = async (): Promise<void> => {
      for await (const { id } of repo.scan({ limit: 1, signal: controller.signal })) {
        seen.push(id);
        if (seen.length === 2) controller.abort();
      }
    };
    await expect(walk()).rejects.toMatchObject({ code: 'aborted' });
    expect(seen).toEqual(['a', 'b']);
  });

  test('are not there on a store that does not scan, in types and at run time', async () => {
    const { store, clock } = await openMemory();
    const db = await open(limitCapabilities(store, ['scan']), { clock });
    const repo = db.repo(Plain);
    // @ts-expect-error the store has no scan.
    expect(() => repo.scan()).toThrow('need a store that can scan; this one cannot.');
    // @ts-expect-error the store has no scan.
    await expect(repo.list()).rejects.toMatchObject({ code: 'capability.missing' });
    expect(() => db.repo(Film)).toThrow('film needs a store with scan and commit for its @Index.');
  });
});

@Entity('plain')
class Plain {
  @Id() id!: Id<string>;
}

@Entity('plain')
class IndexedPlain {
  @Id() @Index() id!: Id<string>;
}
