import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/core/store.ts';
import {
  type Database,
  type Default,
  Entity,
  Field,
  Id,
  open,
  type RepositoryOf,
  Ttl,
  Unique,
} from '../../src/index.ts';
import { faultStore, limitCapabilities, type ManualClock, seededRandom } from '../../src/testing/index.ts';
import { isLong } from '../support/campaign.ts';
import { openMemory, START } from '../support/open.ts';
import { SkewedClock } from '../support/skewed-clock.ts';

@Entity('user')
class User {
  @Id() id!: Id<string>;
  @Field(z.string().toLowerCase()) @Unique() email!: string;
  @Field(z.string().optional()) @Unique('handle') org?: string;
  @Field(z.string().optional()) @Unique('handle') nick?: string;
  @Field(z.number()) n: Default<number> = 0;
}

@Entity('lease')
@Ttl('1m', { onWrite: 'renew' })
class Lease {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() slot!: string;
  @Field(z.string().optional()) @Unique() tag?: string;
}

@Entity('seat')
@Ttl('100ms', { onWrite: 'renew' })
class Seat {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() row!: string;
}

type Leases = RepositoryOf<typeof Lease, Store>;

const stores = {
  'in one commit': (store: Store): Store => store,
  'through claim records': (store: Store): Store => limitCapabilities(store, ['commit', 'scan']),
  'through claim records, without idempotency': (store: Store): Store =>
    limitCapabilities(store, ['commit', 'scan', 'idempotency']),
};

describe.each(Object.entries(stores))('a unique field, %s', (_name, limit) => {
  const openLimited = async () => {
    const { store, clock } = await openMemory();
    const db: Database<Store> = await open(limit(store), { clock, random: seededRandom(2) });
    return { db, users: db.repo(User), store, clock };
  };

  test('is held by one entity at a time', async () => {
    const { users } = await openLimited();
    await users.create({ id: '1', email: 'a@x' });
    const taken = users.create({ id: '2', email: 'A@x' });
    await expect(taken).rejects.toMatchObject({
      code: 'already.exists',
      details: { entity: 'user', fields: ['email'] },
    });
    await expect(taken).rejects.toThrow('Another user has this email; it must be unique.');
    expect(await users.get('2')).toBeUndefined();
    expect((await users.findOne({ email: 'a@x' }))?.id).toBe('1');
    expect(await users.findOne({ email: 'b@x' })).toBeUndefined();
  });

  test('does not collide with itself, moves with its entity, and is free after a change or a delete', async () => {
    const { users } = await openLimited();
    await users.create({ id: '1', email: 'a@x' });
    await users.mutate('1', (user) => {
      user.n = 1;
    });
    await users.put({ id: '1', email: 'a@x', n: 2 });
    await users.mutate('1', (user) => {
      user.email = 'b@x';
    });
    await users.create({ id: '2', email: 'a@x' });
    await users.delete('1');
    await users.create({ id: '3', email: 'b@x' });
    expect((await users.findOne({ email: 'a@x' }))?.id).toBe('2');
    expect((await users.findOne({ email: 'b@x' }))?.id).toBe('3');
  });

  test('of several fields counts only together, and not while one is unset', async () => {
    const { users } = await openLimited();
    await users.create({ id: '1', email: '1', org: 'o', nick: 'n' });
    await users.create({ id: '2', email: '2', org: 'o', nick: 'm' });
    await users.create({ id: '3', email: '3', org: 'o' });
    await users.create({ id: '4', email: '4', org: 'o' });
    await expect(users.create({ id: '5', email: '5', org: 'o', nick: 'n' })).rejects.toMatchObject({
      details: { fields: ['org', 'nick'] },
    });
    expect((await users.findOne({ nick: 'm', org: 'o' }))?.id).toBe('2');
    await expect(users.findOne({ nick: 'm' })).rejects.toThrow('No unique constraint of user is on nick');
  });

  test('goes to one of 30 that want it at once; in one batch too', async () => {
    const { users } = await openLimited();
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) => users.create({ id: `u${i}`, email: 'a@x' })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    expect((await users.findOne({ email: 'a@x' }))?.id).toBe(`u${winner}`);
  });

  test('is free once its holder has expired', async () => {
    const { db, clock } = await openLimited();
    const leases = db.repo(Lease);
    await leases.create({ id: '1', slot: 's' });
    await expect(leases.create({ id: '2', slot: 's' })).rejects.toMatchObject({ code: 'already.exists' });
    clock.set(START + 60_000);
    await leases.create({ id: '2', slot: 's' });
    expect((await leases.findOne({ slot: 's' }))?.id).toBe('2');
  });

  test('stays held by a holder whose deadline moved', async () => {
    const { db, clock } = await openLimited();
    const leases = db.repo(Lease);
    await leases.create({ id: '1', slot: 's' });
    await leases.touch('1', { ttl: '1h' });
    clock.set(START + 120_000);
    await expect(leases.create({ id: '2', slot: 's' })).rejects.toMatchObject({ code: 'already.exists' });
  });

  test.each<[string, (leases: Leases) => Promise<unknown>]>([
    ['renews its time', (leases) => leases.touch('1')],
    ['gives it up', (leases) => leases.mutate('1', (lease) => void Object.assign(lease, { slot: 'other' }))],
    ['is deleted', (leases) => leases.delete('1')],
  ])('that a clock which is ahead took from its holder stays taken when that one %s', async (_verb, write) => {
    const { db, store, clock } = await openLimited();
    const leases = db.repo(Lease);
    await leases.create({ id: '1', slot: 's', tag: 't' });
    const ahead = await open(limit(store), { clock: new SkewedClock(clock, 60_000) });
    await ahead.repo(Lease).create({ id: '2', slot: 's', tag: 't' });
    await write(leases).catch((error) => expect(error).toMatchObject({ code: 'not.found' }));
    expect((await leases.findOne({ slot: 's' }))?.id).toBe('2');
    await expect(leases.create({ id: '3', slot: 's' })).rejects.toMatchObject({ code: 'already.exists' });
    expect(await leases.get('1')).toBeUndefined();
  });
});

test.each([
  ['is ahead', 60_000],
  ['runs ahead while it works', 0],
])('a doctor whose clock %s takes nothing from a record that goes on', async (_how, offset) => {
  const { db, store, clock } = await openMemory();
  const leases = db.repo(Lease);
  await leases.create({ id: '1', slot: 's' });
  const skewed = new SkewedClock(clock, offset);
  const doctor = await open(store, { clock: skewed });
  doctor.repo(Lease);
  const onProgress = (): void => {
    skewed.offset = 60_000;
  };
  expect(await doctor.doctor({ fix: true, onProgress })).toMatchObject({ isHealthy: true, findings: [] });
  expect(await leases.findOne({ slot: 's' })).toMatchObject({ id: '1' });
  await expect(leases.create({ id: '2', slot: 's' })).rejects.toMatchObject({ code: 'already.exists' });
});

@Entity('account')
class OldAccount {
  @Id() id!: Id<string>;
  @Field(z.string()) email!: string;
}

@Entity('account')
class Account {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() email!: string;
}

describe.each(Object.entries(stores))('a constraint that is added to data, %s', (_name, limit) => {
  test('never takes a claim away from who has it, and holds each record from its next write on', async () => {
    const { store, clock } = await openMemory();
    const before = (await open(store, { clock })).repo(OldAccount);
    for (const [id, email] of Object.entries({ a: 'x', b: 'y', c: 'y' })) await before.create({ id, email });
    const db: Database<Store> = await open(limit(store), { clock });
    const accounts = db.repo(Account);
    // No record of before is held yet, so the value is free.
    await accounts.create({ id: 'new', email: 'x' });
    await accounts.delete('a');
    expect((await accounts.findOne({ email: 'x' }))?.id).toBe('new');
    await expect(accounts.create({ id: 'd', email: 'x' })).rejects.toMatchObject({ code: 'already.exists' });

    // Writing a record back, unchanged, puts it under the constraint; of two with one value the second is told.
    await accounts.mutate('b', () => {});
    expect((await accounts.findOne({ email: 'y' }))?.id).toBe('b');
    await expect(accounts.mutate('c', () => {})).rejects.toMatchObject({ code: 'already.exists' });
    await accounts.mutate('c', (account) => {
      account.email = 'z';
    });
    expect((await accounts.findOne({ email: 'z' }))?.id).toBe('c');
  });
});

describe('a crash at any step', () => {
  const steps = Array.from({ length: 14 }, (_, i) => i + 1);
  const moments = ['crashBefore', 'crashAfter'] as const;
  const actions = {
    create: (db: Database<Store>) => db.repo(User).create({ id: 'new', email: 'free@x' }),
    change: (db: Database<Store>) =>
      db.repo(User).mutate('old', (user) => {
        user.email = 'free@x';
      }),
    delete: (db: Database<Store>) => db.repo(User).delete('old'),
  };
  const cases = Object.keys(actions).flatMap((action) =>
    Object.keys(stores).flatMap((store) => moments.map((moment) => [action, store, moment] as const)),
  );

  test.each(cases)('of %s, %s, %s, leaves every value held by one entity or free', async (action, kind, moment) => {
    let crashes = 0;
    for (const step of steps) {
      const { store, clock } = await openMemory();
      const limited = stores[kind as keyof typeof stores](store);
      const survivor = await open(limited, { clock, random: seededRandom(3) });
      const users = survivor.repo(User);
      await users.create({ id: 'old', email: 'old@x' });
      const script = ({ number }: { number: number }) => (number === step ? moment : 'none');
      const doomed = await open(faultStore(limited, { random: seededRandom(1), clock, script }), {
        clock,
        random: seededRandom(4),
      });
      await actions[action as keyof typeof actions](doomed).catch(() => crashes++);

      for (const email of ['free@x', 'old@x']) {
        const holders = (await users.getMany(['old', 'new'])).filter((user) => user?.email === email);
        const found = await users.findOne({ email });
        expect(found?.id).toBe(holders[0]?.id);
        const taking = users.create({ id: `taker of ${email}`, email });
        if (holders.length > 0) await expect(taking).rejects.toMatchObject({ code: 'already.exists' });
        else await expect(taking).resolves.toMatchObject({ email });
      }
    }
    expect(crashes).toBeGreaterThan(0);
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Holds a client's calls back: call `n` waits, once it is reached, until it is let through. */
function gates(...held: number[]) {
  const all = new Map(held.map((n) => [n, { reached: deferred(), open: deferred() }]));
  return {
    script: async ({ number }: { number: number }): Promise<'none'> => {
      const gate = all.get(number);
      gate?.reached.resolve();
      await gate?.open.promise;
      return 'none';
    },
    reached: (n: number) => all.get(n)?.reached.promise,
    open: (n: number) => all.get(n)?.open.resolve(),
  };
}

test('a record that is made and deleted behind a writer’s back does not take the writer’s claim with it', async () => {
  const { store, clock } = await openMemory();
  const limited = limitCapabilities(store, ['commit', 'scan']);
  const client = async (held: ReturnType<typeof gates>, seed: number) =>
    (await open(faultStore(limited, { random: seededRandom(seed), script: held.script }), { clock })).repo(User);
  const [putting, deleting] = [gates(2, 4), gates(2, 4)];
  const others = (await open(limited, { clock })).repo(User);

  const put = (await client(putting, 1)).put({ id: '1', email: 'a' });
  await putting.reached(2); // has seen that there is no record
  await others.create({ id: '1', email: 'a' });
  const deleted = (await client(deleting, 2)).delete('1');
  await deleting.reached(2); // is about to look up the claim that it will give back
  putting.open(2);
  await putting.reached(4); // has taken the claim, and is about to write over nothing
  deleting.open(2);
  await deleting.reached(4); // has deleted the record, and is about to give the claim back
  putting.open(4);
  await put;
  deleting.open(4);
  await deleted;

  expect((await others.findOne({ email: 'a' }))?.id).toBe('1');
  await expect(others.create({ id: '2', email: 'a' })).rejects.toMatchObject({ code: 'already.exists' });
});

/** Three clients, each with a clock that is so much ahead, write to records of three ids as chance has it. */
async function race(
  store: Store,
  clock: ManualClock,
  seed: number,
  ahead: readonly number[],
  write: (db: Database<Store>, pick: (n: number) => number) => Promise<unknown>,
): Promise<void> {
  const clients = await Promise.all(
    ahead.map((offset, i) => {
      const faults = { delay: 0.5, errorAfter: 0.05, lostRequest: 0.05 };
      const faulty = faultStore(store, { random: seededRandom(seed + i), clock, faults });
      return open(faulty, { clock: new SkewedClock(clock, offset), random: seededRandom(seed + 10 + i) });
    }),
  );
  const random = seededRandom(seed + 20);
  const pick = (n: number) => Math.floor(random.float() * n);
  await Promise.all(
    clients.map(async (db) => {
      for (let i = 0; i < 8; i++) await write(db, pick).catch(() => {});
    }),
  );
}

describe('racing writers', () => {
  const IDS = ['1', '2', '3'];
  const runs = { numRuns: isLong ? 2_000 : 60, seed: 20_260_101, endOnFailure: true };
  const seeds = fc.integer({ min: 0, max: 1e9 });

  test.each(Object.entries(stores))('never hold one value twice, %s', async (_name, limit) => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const { store, clock, db } = await openMemory({ seed });
        await race(limit(store), clock, seed, [0, 0, 0], (client, pick) => {
          const users = client.repo(User);
          const [id, email] = [`${1 + pick(3)}`, `e${pick(2)}`];
          const action = pick(3);
          if (action === 0) return users.put({ id, email });
          if (action === 1) return users.delete(id);
          return users.mutate(id, (user) => void Object.assign(user, { email }));
        });
        const emails = (await db.repo(User).getMany(IDS)).flatMap((user) => user?.email ?? []);
        expect(new Set(emails).size).toBe(emails.length);
      }),
      runs,
    );
  });

  test.each(Object.entries(stores))('nor where records expire by clocks that differ, %s', async (_name, limit) => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const { store, clock, db } = await openMemory({ seed });
        const twice: string[] = [];
        await race(limit(store), clock, seed, [-80, 0, 80], async (client, pick) => {
          const seats = client.repo(Seat);
          const [id, row] = [`${1 + pick(3)}`, `r${pick(2)}`];
          const action = pick(4);
          if (action === 0) await clock.advance(pick(40));
          else if (action === 1) await seats.put({ id, row });
          else if (action === 2) await seats.touch(id);
          else await seats.mutate(id, (seat) => void Object.assign(seat, { row }));
          const rows = (await db.repo(Seat).getMany(IDS)).flatMap((seat) => seat?.row ?? []);
          if (new Set(rows).size < rows.length) twice.push(`after ${action} of ${id}: ${rows}`);
        });
        expect(twice).toEqual([]);
      }),
      runs,
    );
  });
});

test('a store that can neither commit nor claim is refused when the repository is built', async () => {
  const { store, clock } = await openMemory();
  const db = await open(limitCapabilities(store, ['commit', 'ifAbsent']), { clock });
  expect(() => db.repo(User)).toThrow('user needs a store with commit or an atomic ifAbsent for its @Unique.');
});
