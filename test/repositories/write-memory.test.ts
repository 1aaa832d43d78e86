import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NorimakiError } from '../../src/core/errors.ts';
import { decodeTuple } from '../../src/core/keys/index.ts';
import type { Store } from '../../src/core/store.ts';
import {
  type Database,
  type Default,
  defineEntity,
  Embedding,
  Entity,
  Field,
  Id,
  open,
  Ttl,
  Unique,
  type Version,
  Versioned,
} from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { idle } from '../../src/testing/idle.ts';
import {
  type Ability,
  type FaultKind,
  fakeEmbedder,
  faultStore,
  limitCapabilities,
  manualClock,
  seededRandom,
} from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { openMemory, START } from '../support/open.ts';

@Entity('stock')
class Stock {
  @Id() sku!: Id<string>;
  @Field(z.int()) left: Default<number> = 0;
  @Versioned() version?: Version;
}

@Entity('badge')
class Badge {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() owner!: string;
}

@Entity('ticket')
@Ttl('1m')
class Ticket {
  @Id() id!: Id<string>;
  @Field(z.string()) seat!: string;
}

@Entity('note')
class Note {
  @Id() id!: Id<string>;
  @Field(z.boolean()) isDraft!: boolean;
  @Field(z.string()) text!: string;
  @Embedding({ from: (note: Note) => note.text }) textVector?: Float32Array;
}

/** Tells what goes to the store, and breaks it at will. */
class Spy extends StoreWrapper {
  readonly calls: string[] = [];
  failWith: NorimakiError | undefined;

  /** Called when a put was applied, before it is answered. */
  onPut: (() => Promise<unknown>) | undefined;

  override get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    // (root, tenant, generation, entity, kind, …); 'u' is a claim.
    this.calls.push(decodeTuple(call[0])[4] === 'u' ? 'get claim' : 'get');
    return super.get(...call);
  }

  override async put(...[key, value, options]: Parameters<Store['put']>): Promise<Version> {
    this.calls.push('put');
    const { failWith } = this;
    this.failWith = undefined;
    if (failWith !== undefined) throw failWith;
    const version = await super.put(key, value, options);
    await this.onPut?.();
    return version;
  }

  /** What went to the store since the last question. */
  take(): string[] {
    return this.calls.splice(0);
  }
}

interface World {
  readonly db: Database;
  /** Another process. */
  readonly other: Database;
  readonly spy: Spy;
}

async function openWorld({
  writeMemory,
  without = [],
}: {
  writeMemory?: number;
  without?: Ability[];
} = {}): Promise<World> {
  const { store, clock } = await openMemory();
  const spy = new Spy(limitCapabilities(store, without));
  const db = await open(spy, { clock, random: seededRandom(2), ...(writeMemory === undefined ? {} : { writeMemory }) });
  return { db, other: await open(store, { clock, random: seededRandom(3) }), spy };
}

const less = (stock: { left: number }): void => {
  if (stock.left === 0) throw new Error('Sold out');
  stock.left -= 1;
};

const leaving =
  (left: number) =>
  (stock: { left: number }): void => {
    stock.left = left;
  };

const sitAt =
  (seat: string) =>
  (ticket: { seat: string }): void => {
    ticket.seat = seat;
  };

describe('a record that this process wrote', () => {
  test('is written again without a read', async () => {
    const { db, spy } = await openWorld();
    const stocks = db.repo(Stock);
    await stocks.create({ sku: 'a', left: 5 });
    await stocks.mutate('a', less);
    const { version } = await stocks.put({ sku: 'a', left: 9 });
    if (version === undefined) expect.fail('There is no version.');
    expect((await stocks.put({ sku: 'a', left: 7 }, { ifMatch: version })).left).toBe(7);
    expect(spy.take()).toEqual(['put', 'put', 'put', 'put']);
    expect(await stocks.delete('a')).toBe(true);
    expect(spy.take()).toEqual([]);
    await stocks.put({ sku: 'a', left: 1 });
    expect(spy.take()).toEqual(['get', 'put']);
  });

  test('is still read by reads', async () => {
    const { db, other, spy } = await openWorld();
    await db.repo(Stock).create({ sku: 'a', left: 5 });
    await other.repo(Stock).mutate('a', less);
    expect(await db.repo(Stock).get('a')).toMatchObject({ left: 4 });
    expect(await db.repo(Stock).exists('a')).toBe(true);
    expect(spy.take()).toEqual(['put', 'get', 'get']);
  });

  test('that another changed meanwhile is read, and the change made anew, in one try', async () => {
    const { db, other, spy } = await openWorld();
    await db.repo(Stock).create({ sku: 'a', left: 5 });
    await other.repo(Stock).put({ sku: 'a', left: 50 });
    spy.take();
    const seen: number[] = [];
    const fn = (stock: { left: number }): void => {
      seen.push(stock.left);
      stock.left -= 1;
    };
    expect((await db.repo(Stock).mutate('a', fn, { retry: { maxAttempts: 1 } })).left).toBe(49);
    expect(seen).toEqual([5, 50]);
    expect(spy.take()).toEqual(['put', 'get', 'put']);
  });

  test('and others write too is read first, until it is found as it was left', async () => {
    const { db, other, spy } = await openWorld();
    const stocks = db.repo(Stock);
    await stocks.create({ sku: 'a', left: 50 });
    for (let i = 0; i < 3; i++) {
      await other.repo(Stock).mutate('a', less);
      spy.take();
      await stocks.mutate('a', less);
      expect(spy.take()).toEqual(i === 0 ? ['put', 'get', 'put'] : ['get', 'put']);
    }
    await stocks.mutate('a', less);
    expect(spy.take()).toEqual(['get', 'put']);
    await stocks.mutate('a', less);
    expect(spy.take()).toEqual(['put']);
    expect((await stocks.getOrThrow('a')).left).toBe(42);
  });
});

describe('no decision of the past reaches the caller', () => {
  const decisions: readonly (readonly [
    name: string,
    before: number,
    elsewhere: (other: Database) => Promise<unknown>,
    call: (db: Database, there: Version) => Promise<unknown>,
    result: object,
  ])[] = [
    [
      'what fn throws',
      0,
      (o) => o.repo(Stock).put({ sku: 'a', left: 3 }),
      (db) => db.repo(Stock).mutate('a', less),
      { left: 2 },
    ],
    [
      'that nothing changes',
      7,
      (o) => o.repo(Stock).put({ sku: 'a', left: 3 }),
      (db) => db.repo(Stock).mutate('a', leaving(7)),
      { left: 7 },
    ],
    [
      'a mismatch',
      7,
      (o) => o.repo(Stock).put({ sku: 'a', left: 3 }),
      (db, ifMatch) => db.repo(Stock).put({ sku: 'a', left: 4 }, { ifMatch }),
      { left: 4 },
    ],
    [
      'that it is there',
      7,
      (o) => o.repo(Stock).delete('a'),
      (db) => db.repo(Stock).create({ sku: 'a', left: 1 }),
      { left: 1 },
    ],
    [
      'that it is the same',
      7,
      (o) => o.repo(Stock).put({ sku: 'a', left: 3 }),
      (db) => db.repo(Stock).put({ sku: 'a', left: 7 }),
      { left: 7 },
    ],
  ];

  test.each(decisions)('%s', async (_name, before, elsewhere, call, result) => {
    const { db, other } = await openWorld();
    await db.repo(Stock).create({ sku: 'a', left: before });
    await elsewhere(other);
    const there = (await other.repo(Stock).get('a'))?.version ?? ('none' as Version);
    expect(await call(db, there)).toMatchObject(result);
    expect(await other.repo(Stock).get('a')).toMatchObject(result);
  });

  test('a version that was replaced is refused, and the refusal tells the one that is there', async () => {
    const { db, other } = await openWorld();
    const { version } = await db.repo(Stock).create({ sku: 'a', left: 1 });
    if (version === undefined) expect.fail('There is no version.');
    const { version: actual } = await other.repo(Stock).put({ sku: 'a', left: 2 });
    const refusal = { code: 'version.mismatch', details: { expected: version, actual } };
    await expect(db.repo(Stock).put({ sku: 'a', left: 3 }, { ifMatch: version })).rejects.toMatchObject(refusal);
    await expect(db.repo(Stock).delete('a', { ifMatch: version })).rejects.toMatchObject(refusal);
  });

  test('what is proved by a read is not asked of fn again', async () => {
    const { db, spy } = await openWorld();
    await db.repo(Stock).create({ sku: 'a', left: 0 });
    spy.take();
    let calls = 0;
    const fn = (stock: { left: number }): void => {
      calls++;
      less(stock);
    };
    await expect(db.repo(Stock).mutate('a', fn)).rejects.toThrow('Sold out');
    expect(calls).toBe(1);
    expect(spy.take()).toEqual(['get']);
  });

  test('a failure of one in a batch that was not written is not told as its own', async () => {
    const { db, other, spy } = await openWorld();
    const stocks = db.repo(Stock);
    await stocks.create({ sku: 'a', left: 1 });
    spy.onPut = async () => {
      spy.onPut = undefined;
      spy.failWith = new NorimakiError('store.full', 'No space.', { store: 'spy' });
      await other.repo(Stock).put({ sku: 'a', left: 3 });
    };
    // Alone in its write, while the others wait.
    await idle();
    const first = stocks.mutate('a', less);
    const batch = Promise.allSettled([stocks.mutate('a', less), stocks.mutate('a', leaving(13))]);
    expect((await first).left).toBe(0);
    // The first of the two would be told 'Sold out' of a state that was gone before it was looked at.
    expect(await batch).toMatchObject([{ reason: { code: 'store.full' } }, { reason: { code: 'store.full' } }]);
  });

  test('what the embedder says of a text that would not be written', async () => {
    const { store, clock } = await openMemory();
    const embedder = fakeEmbedder();
    embedder.poison.add('bad');
    const [one, other] = [await open(store, { clock, embedder }), await open(store, { clock, embedder })];
    await one.repo(Note).create({ id: 'n', isDraft: true, text: 'new' });
    await other.repo(Note).put({ id: 'n', isDraft: false, text: 'new' });
    const said = await one.repo(Note).mutate('n', (note) => {
      note.text = note.isDraft ? 'bad' : 'good';
    });
    expect(said.text).toBe('good');
  });

  test('an eventual read is no proof either', async () => {
    const { store, clock } = await openMemory();
    const faulty = faultStore(store, { random: seededRandom(1), clock, script: (): FaultKind => 'staleRead' });
    const stocks = (await open(faulty, { clock, writeMemory: 0 })).repo(Stock);
    await stocks.create({ sku: 'a', left: 0 });
    await stocks.put({ sku: 'a', left: 3 });
    expect(await stocks.get('a', { consistency: 'eventual' })).toMatchObject({ left: 0 });
    expect((await stocks.mutate('a', less, { consistency: 'eventual' })).left).toBe(2);
  });
});

describe('what is kept', () => {
  test('is what the store acknowledged, never what a doubt was settled with', async () => {
    const { store, clock } = await openMemory();
    const forgetful = limitCapabilities(store, ['idempotency']);
    let puts = 0;
    const script = ({ verb }: { verb: string }) => (verb === 'put' && ++puts === 2 ? 'errorAfter' : 'none');
    const faulty = faultStore(forgetful, { random: seededRandom(1), clock, script });
    const stocks = (await open(faulty, { clock, random: seededRandom(2) })).repo(Stock);
    await stocks.create({ sku: 'a', left: 5 });
    // A tool changes the record and records no operation, just before the lost answer is looked into.
    const get = faulty.get.bind(faulty);
    faulty.get = async (key, options) => {
      const found = await store.get(key);
      const text = Buffer.from(found?.value ?? []).toString();
      if (text.includes('"left":4}')) {
        await store.put(key, Buffer.from(text.replace('"left":4}', '"left":40}')), { ifMatch: found?.version });
      }
      return get(key, options);
    };
    await stocks.mutate('a', less);
    expect((await stocks.mutate('a', less)).left).toBe(39);
  });

  test('ends with the record, also while the clock of the store is behind', async () => {
    const { store } = await openMemory();
    const clock = manualClock(START, { autoAdvance: true });
    const tickets = (await open(store, { clock, random: seededRandom(2) })).repo(Ticket);
    await tickets.create({ id: 't', seat: '1A' });
    await clock.advance(60_000);
    await expect(tickets.mutate('t', sitAt('1B'))).rejects.toMatchObject({ code: 'not.found' });
    await tickets.put({ id: 't', seat: '1C' });
    await clock.advance(59_999);
    expect(await tickets.get('t')).toMatchObject({ seat: '1C' });
  });

  test('keeps its deadline, its fence and its operations', async () => {
    const { db, clock } = await openMemory();
    const tickets = db.repo(Ticket);
    await tickets.create({ id: 't', seat: '1A' }, { idempotencyKey: 'once' });
    await tickets.mutate('t', sitAt('1B'), { fence: 5n });
    await clock.advance(30_000);
    await tickets.put({ id: 't', seat: '1C' });
    expect(await tickets.create({ id: 't', seat: '9Z' }, { idempotencyKey: 'once' })).toMatchObject({ seat: '1C' });
    await expect(tickets.mutate('t', () => {}, { fence: 4n })).rejects.toMatchObject({ code: 'fence.stale' });
    await clock.advance(30_000);
    expect(await tickets.get('t')).toBeUndefined();
  });

  test('keeps fields that its writer does not know, at each write', async () => {
    const { store, clock, db } = await openMemory();
    const fields = z.object({ id: z.string(), title: z.string() });
    const wide = db.repo(defineEntity('page', fields.extend({ tags: z.set(z.bigint()) }), { id: 'id' }));
    const narrow = (await open(store, { clock })).repo(defineEntity('page', fields, { id: 'id' }));
    const tags = new Set([2n ** 70n]);
    await wide.create({ id: 'a', title: 'r', tags });
    for (const title of ['s', 't', 'u']) await narrow.put({ id: 'a', title });
    expect(await wide.get('a')).toMatchObject({ title: 'u', tags });
  });

  test('is of one tenant', async () => {
    const { db, spy } = await openWorld();
    for (const [tenant, left] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      await db.forTenant(tenant).repo(Stock).create({ sku: 'x', left });
    }
    spy.take();
    expect((await db.forTenant('a').repo(Stock).mutate('x', less)).left).toBe(0);
    expect((await db.forTenant('b').repo(Stock).mutate('x', less)).left).toBe(1);
    expect(spy.take()).toEqual(['put', 'put']);
  });

  test('fits in the memory that it is given', async () => {
    const { db, spy } = await openWorld({ writeMemory: 10_000 });
    const stocks = db.repo(Stock);
    for (let n = 0; n < 100; n++) await stocks.create({ sku: `${n}`, left: 5 });
    spy.take();
    for (let n = 99; n >= 0; n--) await stocks.mutate(`${n}`, less);
    const reads = spy.take().filter((verb) => verb === 'get').length;
    expect(reads).toBeGreaterThan(80);
    expect(reads).toBeLessThan(99);
  });

  test('is nothing with 0, and no other word is taken', async () => {
    const { db, spy } = await openWorld({ writeMemory: 0 });
    await db.repo(Stock).create({ sku: 'a', left: 5 });
    await db.repo(Stock).mutate('a', less);
    expect(spy.take()).toEqual(['put', 'get', 'put']);
    for (const writeMemory of [-1, 1.5, Number.NaN]) {
      await expect(open(memory(), { writeMemory })).rejects.toMatchObject({ details: { argument: 'writeMemory' } });
    }
  });
});

describe('every write reads first', () => {
  test('where a wrong guess would not be refused', async () => {
    const { db, spy } = await openWorld({ without: ['cas', 'commit', 'ifAbsent', 'deleteIfMatch', 'idempotency'] });
    await db.repo(Stock).put({ sku: 'a', left: 5 });
    await db.repo(Stock).put({ sku: 'a', left: 6 });
    expect(spy.take()).toEqual(['get', 'put', 'get', 'put']);
  });

  test('where claims are written before the record', async () => {
    const { db, spy } = await openWorld({ without: ['commit', 'scan'] });
    await db.repo(Badge).create({ id: 'a', owner: 'mia' });
    spy.take();
    await db.repo(Badge).put({ id: 'a', owner: 'tom' });
    expect(spy.take().filter((call) => call === 'get')).toHaveLength(1);
  });
});

describe('create', () => {
  test('of what is there is refused in one try', async () => {
    const { db, other } = await openWorld();
    await other.repo(Stock).create({ sku: 'a', left: 5 });
    const again = db.repo(Stock).create({ sku: 'a' }, { retry: { maxAttempts: 1 } });
    await expect(again).rejects.toMatchObject({ code: 'already.exists' });
  });

  test('overwrites nothing on a store without an atomic create', async () => {
    const { db } = await openWorld({ without: ['cas', 'commit', 'ifAbsent', 'deleteIfMatch', 'idempotency'] });
    await db.repo(Stock).create({ sku: 'a', left: 5 });
    await expect(db.repo(Stock).create({ sku: 'a', left: 9 })).rejects.toMatchObject({ code: 'already.exists' });
    expect(await db.repo(Stock).get('a')).toMatchObject({ left: 5 });
  });
});
