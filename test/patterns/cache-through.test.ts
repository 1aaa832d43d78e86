import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { Key, Store } from '../../src/core/store.ts';
import {
  type Default,
  defineEntity,
  Entity,
  type Environment,
  Field,
  Id,
  Index,
  NorimakiError,
  open,
  Ttl,
  type Version,
  Versioned,
} from '../../src/index.ts';
import { Cache, type CacheOptions } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { type FaultOptions, faultStore, type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { gate } from './support/caches.ts';
import { anyFaults } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

@Entity('user')
class User {
  @Id() id!: Id<string>;
  @Field(z.string()) name!: string;
  @Field(z.int()) @Index() age: Default<number> = 0;
  @Field(z.date()) since: Default<Date> = new Date(START);
  @Versioned() version?: Version;

  isAdult() {
    return this.age >= 18;
  }
}

const Seat = defineEntity('seat', z.object({ row: z.int(), column: z.int(), taken: z.boolean() }), {
  id: ['row', 'column'],
});

const Note = defineEntity('note', z.object({ id: z.string(), text: z.string(), until: z.date().optional() }), {
  id: 'id',
  generate: ({ random }: Environment): string => `n${Math.floor(random.float() * 1e9)}`,
  deadline: 'until',
});

/** Whether it is the key of an entity, not of a copy in the cache. */
function isOf(entity: string, key: Key): boolean {
  const text = Buffer.from(key).toString('latin1');
  return text.includes(entity) && !text.includes('norimaki.cache');
}

/** What a process reads of the entities themselves. */
function countReads(entity: string): { script: FaultOptions['script']; reads: () => number } {
  let reads = 0;
  const script: FaultOptions['script'] = ({ verb, keys }) => {
    const isRead = verb === 'get' || verb === 'getMany';
    if (isRead && keys.some((key) => isOf(entity, key))) reads++;
    return 'none';
  };
  return { script, reads: () => reads };
}

async function startProcess(
  store: Store,
  clock: ManualClock,
  { seed = 1, name = 'c', ...options }: Partial<CacheOptions & FaultOptions> & { seed?: number } = {},
) {
  const { script, faults } = options;
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, script, faults, maxDelay: 20 });
  const db = await open(faulty, { clock, random: seededRandom(seed) });
  const cache = new Cache<unknown>(db, { name, early: 0, ...options });
  return { db, cache, faulty };
}

async function world() {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  let seed = 10;
  return {
    clock,
    store,
    start: (options: Partial<CacheOptions & FaultOptions> = {}) =>
      startProcess(store, clock, { seed: seed++, ...options }),
  };
}

describe('reading through a cache', () => {
  test('gives entities as the repository does, from memory and from the store, without asking the repository', async () => {
    const { start } = await world();
    const { script, reads } = countReads('user');
    const one = await start({ script });
    const two = await start({ script });
    const direct = one.db.repo(User);
    const [users, elsewhere] = [one.cache.through(direct), two.cache.through(two.db.repo(User))];
    expectTypeOf(users).toEqualTypeOf(direct);
    const created = await direct.create({ id: 'mia', name: 'Mia', age: 18 });
    const before = reads();
    const mia = await users.get('mia');
    expect(mia).toBeInstanceOf(User);
    expect(mia).toStrictEqual(created);
    expect(mia?.isAdult()).toBe(true);
    expect(reads()).toBe(before + 1);
    for (const repository of [users, elsewhere, elsewhere]) {
      expect(await repository.getOrThrow('mia')).toStrictEqual(created);
      expect(await repository.exists('mia')).toBe(true);
    }
    expect(await users.getMany(['mia', 'tom', 'mia'])).toStrictEqual([created, undefined, created]);
    expect(reads()).toBe(before + 2);
    expect(await elsewhere.get('tom')).toBeUndefined();
    expect(reads()).toBe(before + 2);
    await expect(elsewhere.getOrThrow('tom')).rejects.toMatchObject({ code: 'not.found', details: { entity: 'user' } });
  });

  test('what is changed in an entity is not changed in the cache', async () => {
    const { start } = await world();
    const { db, cache } = await start();
    const users = cache.through(db.repo(User));
    await users.create({ id: 'mia', name: 'Mia' });
    for (let i = 0; i < 3; i++) {
      const mia = await users.getOrThrow('mia');
      expect([mia.name, mia.since]).toEqual(['Mia', new Date(START)]);
      mia.name = 'changed';
      mia.since.setTime(0);
    }
  });

  test('an entity with a version can be put back, and an old one cannot', async () => {
    const { start } = await world();
    const [one, two] = [await start(), await start()];
    const [users, elsewhere] = [one.cache.through(one.db.repo(User)), two.cache.through(two.db.repo(User))];
    await users.create({ id: 'mia', name: 'Mia' });
    const [mia, same] = [await users.getOrThrow('mia'), await elsewhere.getOrThrow('mia')];
    mia.age = 19;
    await users.put(mia, { ifMatch: mia.version as Version });
    await expect(elsewhere.put(same, { ifMatch: same.version as Version })).rejects.toMatchObject({
      code: 'version.mismatch',
    });
    const again = await elsewhere.getOrThrow('mia');
    await elsewhere.put({ ...again, age: 20 }, { ifMatch: again.version as Version });
  });

  test('an entity is served no longer than to its deadline', async () => {
    const { start, clock } = await world();
    const { db, cache } = await start({ ttl: '1h', stale: '1h', l1: { ttl: '1h' } });
    const notes = cache.through(db.repo(Note));
    const { id } = await db.repo(Note).create({ text: 'soon gone', until: new Date(START + 60_000) });
    expect(await notes.get(id)).toMatchObject({ text: 'soon gone' });
    await clock.advance(59_999);
    expect(await notes.get(id)).toMatchObject({ text: 'soon gone' });
    await notes.touch(id, { ttl: '1h' });
    await clock.advance(1_000);
    expect(await notes.get(id)).toMatchObject({ text: 'soon gone' });
    await clock.advance(3_600_000);
    expect(await notes.get(id)).toBeUndefined();
  });

  test('refuses what it could not serve truly', async () => {
    const { start } = await world();
    const { db, cache } = await start();
    @Entity('visit')
    @Ttl('1m')
    class Visit {
      @Id() id!: Id<string>;
    }
    const refused = expect.objectContaining({ code: 'argument.invalid', details: { argument: 'repository' } });
    expect(() => cache.through(db.repo(Visit))).toThrow(refused);
    expect(() => cache.through(db.forTenant('acme').repo(User))).toThrow(refused);
    expect(() => cache.through({ get: async () => undefined })).toThrow(refused);
    expect(() => cache.through(cache.through(db.repo(User)))).toThrow(refused);
  });
});

describe('writing through a cache', () => {
  test('every write is seen by who reads after it, in every process without memory', async () => {
    const { start } = await world();
    const one = await start();
    const two = await start({ l1: false });
    const [seats, elsewhere] = [one.cache.through(one.db.repo(Seat)), two.cache.through(two.db.repo(Seat))];
    const id = { row: 1, column: 2 };
    const seen = async () => {
      const both = [await seats.get(id), await elsewhere.get(id)];
      expect(both[0]).toStrictEqual(both[1]);
      return both[0]?.taken;
    };
    expect(await seen()).toBeUndefined();
    await seats.create({ ...id, taken: false });
    expect(await seen()).toBe(false);
    await seats.mutate(id, (seat) => {
      seat.taken = true;
    });
    expect(await seen()).toBe(true);
    await seats.put({ ...id, taken: false });
    expect(await seen()).toBe(false);
    await seats.delete(id);
    expect(await seen()).toBeUndefined();
    const results = await seats.createMany([
      { ...id, taken: true },
      { row: 1, column: 3, taken: true },
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await seen()).toBe(true);
    await seats.putMany([{ ...id, taken: false }]);
    expect(await seen()).toBe(false);
    await seats.deleteMany([id, { row: 1, column: 3 }]);
    expect(await seen()).toBeUndefined();
    const missing = seats.mutate(id, () => {});
    await expect(missing).rejects.toMatchObject({ code: 'not.found' });
  });

  test('a write leaves its entity in the cache; a generated id is that of the entity', async () => {
    const { start } = await world();
    const { script, reads } = countReads('note');
    const one = await start({ script });
    const two = await start({ script });
    const notes = one.cache.through(one.db.repo(Note));
    const { id } = await notes.create({ text: 'hello' });
    const before = reads();
    expect(await two.cache.through(two.db.repo(Note)).get(id)).toMatchObject({ id, text: 'hello' });
    expect(reads()).toBe(before);
  });

  test('the other verbs are the repository’s own', async () => {
    const db = await open(memory());
    const all = new Cache(db, { name: 'c' }).through(db.repo(User));
    await all.create({ id: 'a', name: 'A', age: 30 });
    expect((await all.list()).items).toHaveLength(1);
    expect((await all.find({ age: { gte: 18 } })).items).toHaveLength(1);
    expect(await all.count()).toBe(1);
    for await (const user of all.scan()) expect(user.name).toBe('A');
    expect((await all.plan().delete('a')).steps).not.toEqual([]);
  });

  test('a process that dies between the write and the cache leaves nothing stale', async () => {
    const { start, clock } = await world();
    let isDoomed = false;
    const dead = await start({
      script: ({ verb, keys }) => {
        const isWrite = verb === 'put' || verb === 'commit';
        return isDoomed && isWrite && keys.some((key) => isOf('user', key)) ? 'crashAfter' : 'none';
      },
    });
    const alive = await start({ l1: false });
    const [users, others] = [dead.cache.through(dead.db.repo(User)), alive.cache.through(alive.db.repo(User))];
    await users.create({ id: 'mia', name: 'Mia', age: 1 });
    expect((await others.get('mia'))?.age).toBe(1);
    isDoomed = true;
    await expect(users.mutate('mia', (mia) => Object.assign(mia, { age: 2 }))).rejects.toThrow();
    expect((await others.get('mia'))?.age).toBe(2);
    // Not cached until the write that was not heard of must be over; then it is.
    expect(alive.cache.stats().refusedFills).toBe(1);
    await clock.advance(120_000);
    await others.get('mia');
    expect(alive.cache.stats().refusedFills).toBe(1);
    const { l2Hits } = alive.cache.stats();
    await others.get('mia');
    expect(alive.cache.stats().l2Hits).toBe(l2Hits + 1);
  });

  test('of two writes at once neither is stored, as nobody knows which was the last', async () => {
    const { start } = await world();
    const [one, two, reader] = [await start(), await start(), await start({ l1: false })];
    const [slow, quick] = [one.cache.through(one.db.repo(User)), two.cache.through(two.db.repo(User))];
    const users = reader.cache.through(reader.db.repo(User));
    await slow.create({ id: 'mia', name: 'Mia' });
    const held = gate<void>();
    const slowly = slow.mutate('mia', async (mia) => {
      await held.promise;
      return { ...mia, age: mia.age + 1 };
    });
    await idle();
    await quick.mutate('mia', (mia) => ({ ...mia, age: mia.age + 10 }));
    for (let i = 1; i <= 2; i++) {
      expect((await users.get('mia'))?.age).toBe(10);
      // Neither what was written nor what is read is stored while the other write is under way.
      expect(reader.cache.stats()).toMatchObject({ l2Hits: 0, refusedFills: i });
    }
    held.open();
    await slowly;
    expect((await users.get('mia'))?.age).toBe(11);
    expect((await users.get('mia'))?.age).toBe(11);
    expect(reader.cache.stats()).toMatchObject({ l2Hits: 1, refusedFills: 2 });
  });

  test('a write that failed stops nobody from caching', async () => {
    const { start } = await world();
    const { db, cache } = await start({ l1: false });
    const users = cache.through(db.repo(User));
    await users.create({ id: 'mia', name: 'Mia' });
    await expect(
      users.mutate('mia', () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await users.get('mia');
    await users.get('mia');
    expect(cache.stats()).toMatchObject({ refusedFills: 0, l2Hits: 1 });
  });

  test('tags of entities', async () => {
    const { start } = await world();
    const { db, cache } = await start();
    const users = cache.through(db.repo(User), { tags: (user) => [`age ${user.age}`] });
    await users.create({ id: 'mia', name: 'Mia', age: 3 });
    await users.get('mia');
    await db.repo(User).mutate('mia', (mia) => Object.assign(mia, { name: 'Maria' }));
    expect((await users.get('mia'))?.name).toBe('Mia');
    await cache.invalidateTags(['age 3']);
    expect((await users.get('mia'))?.name).toBe('Maria');
  });
});

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1000, embedded: 100, norikv: 50 }
  : { memory: 12, embedded: 2, norikv: 1 };

test.each(STORE_KINDS)(
  'on the %s store, under every fault, no read is behind a write that was acknowledged',
  async (kind) => {
    const clock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock, random: seededRandom(1) });
    let runs = 0;
    let strict = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const random = seededRandom(seed);
        const id = `user ${runs++}`;
        const processes = await Promise.all(
          [0, 1, 2].map(async (i) => {
            const faults = anyFaults(seed + i);
            const options: Partial<CacheOptions> = i === 0 ? { l1: false } : { coherence: 'validate' };
            const { db, cache, faulty } = await startProcess(store, clock, {
              seed: seed * 31 + i * 7,
              faults,
              ...options,
            });
            return { users: cache.through(db.repo(User)), direct: db.repo(User), cache, faulty };
          }),
        );
        type Process = (typeof processes)[number];
        // Each write that was acknowledged sets a flag of its own: an age is a set of them.
        let acked = 0;
        let bit = 1;
        const problems: string[] = [];
        const write = async ({ users }: Process): Promise<void> => {
          const mine = bit;
          bit *= 2;
          await users.mutate(id, (user) => ({ ...user, age: user.age | mine }), { ifAbsent: { name: 'x' } });
          acked |= mine;
        };
        const read = async ({ users, cache }: Process): Promise<void> => {
          const floor = acked;
          const age = (await users.get(id))?.age ?? 0;
          if (cache.stats().failures > 0) return;
          strict++;
          if ((age & floor) !== floor) problems.push(`saw ${age.toString(2)}, and ${floor.toString(2)} was there`);
        };
        const step = async (): Promise<void> => {
          const one = processes[pickInt(random, 3)] as Process;
          await (random.float() < 0.6 ? read(one) : write(one)).catch((error) => {
            if (!(error instanceof NorimakiError)) throw error;
          });
        };
        for (let round = 0; round < 8; round++) await Promise.all([step(), step(), step()]);
        for (const { faulty } of processes) await faulty.heal();
        for (const one of processes) await read(one);
        expect(problems, `seed ${seed}`).toEqual([]);
      }),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );
    expectOnAverage(strict, RUNS[kind], 5);
  },
);
