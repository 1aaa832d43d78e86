import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, type ErrorCode, NorimakiError, open } from '../../src/index.ts';
import { Counter } from '../../src/patterns/index.ts';
import { Tenants } from '../../src/patterns/tenants/tenants.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { Note, observe, PLANS, purged, startTenants, User } from './support/tenants.ts';

const trueClock = manualClock(START, { autoAdvance: true });
const openStore = () => memory().openStore({ clock: trueClock, random: seededRandom(1) });
const start = async (options: Partial<Parameters<typeof startTenants>[1]> = {}) => {
  const store = await openStore();
  return { store, ...(await startTenants(store, { trueClock, seed: 1, ...options })) };
};
const failsWith = (code: string) => (error: unknown) => NorimakiError.is(error, code as ErrorCode);
const note = (id: string, text = '') => ({ id, text });
const Place = defineEntity('place', z.object({ id: z.string() }), {
  id: 'id',
  embeddings: { where: { dimensions: 2 } },
});

describe('who there is', () => {
  test('a tenant is created once, found, listed in order of names, and of another registry it is unknown', async () => {
    const { tenants, db } = await start();
    const acme = await tenants.create('acme', { plan: 'free' });
    expect(acme).toEqual({
      id: 'acme',
      state: 'active',
      reads: false,
      generation: 1,
      plan: 'free',
      createdAt: expect.any(Date),
    });
    await expect(tenants.create('acme', { plan: 'pro' })).rejects.toSatisfy(failsWith('already.exists'));
    expect(await tenants.get('acme')).toEqual(acme);
    await tenants.create('globex', { plan: 'pro' });
    await tenants.create('Acme', { plan: 'pro' });
    const ids: string[] = [];
    for await (const { id } of tenants.list()) ids.push(id);
    expect(ids).toEqual(['Acme', 'acme', 'globex']);
    expect(await tenants.get('initech')).toBeUndefined();
    const others = new Tenants(db, { name: 'other', plans: PLANS });
    expect(await others.get('acme')).toBeUndefined();
    await expect(others.create('acme', { plan: 'pro' })).rejects.toSatisfy(failsWith('already.exists'));
    await expect(others.suspend('acme')).rejects.toSatisfy(failsWith('tenant.unknown'));
  });

  test('bad input is refused', async () => {
    const { tenants, db } = await start();
    const refused = failsWith('argument.invalid');
    for (const id of ['', '\ud800', 'x'.repeat(129)]) {
      await expect(tenants.create(id, { plan: 'free' })).rejects.toSatisfy(refused);
    }
    // @ts-expect-error no such plan
    await expect(tenants.create('acme', { plan: 'gold' })).rejects.toSatisfy(refused);
    const make = (options: object) => () => new Tenants(db, { name: 'saas', plans: PLANS, ...options });
    for (const options of [
      { name: '' },
      { plans: {} },
      { plans: { free: { keys: -1 } } },
      { plans: { free: { keys: Number.POSITIVE_INFINITY } } },
      { plans: { free: { bytes: '10 elephants' } } },
      { plans: { free: { rows: 7 } } },
      { policyTtl: 0 },
      { maxDriftRate: 2 },
    ]) {
      expect(make(options), JSON.stringify(options)).toThrow();
    }
    expect(() => new Tenants(db.forTenant('acme'), { name: 'saas', plans: PLANS })).toThrow(/does not lead to another/);
  });

  test('a handle reaches its own tenant only, and a plain scope of the same name is another place', async () => {
    const { tenants, db } = await start();
    await tenants.create('acme', { plan: 'free' });
    await tenants.create('globex', { plan: 'free' });
    const [acme, globex] = [await tenants.db('acme'), await tenants.db('globex')];
    await acme.repo(Note).create(note('1', 'of acme'));
    expect(await globex.repo(Note).get('1')).toBeUndefined();
    expect(await db.forTenant('acme').repo(Note).get('1')).toBeUndefined();
    expect(await db.repo(Note).get('1')).toBeUndefined();
    expect(acme.tenant satisfies 'acme').toBe('acme');
  });

  test("Marten's AnyTenant: from inside of a tenant there is no way to another", async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'free' });
    const acme = await tenants.db('acme');
    expect(() => (acme.forTenant as (name: string) => unknown)('globex')).toThrow(/does not lead to another/);
    expect(() => new Tenants(acme, { name: 'saas', plans: PLANS })).toThrow(/does not lead to another/);
    expect(Object.keys(acme.store)).toEqual(['capabilities']);
  });
});

describe('suspension', () => {
  test('is seen by every handle within policyTtl, and at once by a strong one', async () => {
    const store = await openStore();
    const [one, two] = [
      await startTenants(store, { trueClock, seed: 1 }),
      await startTenants(store, { trueClock, seed: 20 }),
    ];
    await one.tenants.create('acme', { plan: 'free' });
    const handle = await two.tenants.db('acme');
    const strong = await two.tenants.db('acme', { read: 'strong' });
    await handle.repo(Note).create(note('1'));
    await one.tenants.suspend('acme');
    const refused = failsWith('tenant.suspended');
    await expect(strong.repo(Note).get('1')).rejects.toSatisfy(refused);
    await expect(strong.repo(Note).put(note('1'))).rejects.toSatisfy(refused);
    await trueClock.advance(1_000);
    for (const call of [
      () => handle.repo(Note).get('1'),
      () => handle.repo(Note).create(note('2')),
      () => handle.repo(Note).delete('1'),
      () => handle.repo(Note).list(),
      () => handle.repo(Note).scan().next(),
      () => new Counter(handle, { name: 'c' }).add(),
    ]) {
      await expect(call()).rejects.toSatisfy(refused);
    }
    await expect(one.tenants.db('acme')).rejects.toSatisfy(refused);
    await one.tenants.resume('acme');
    await trueClock.advance(1_000);
    expect(await handle.repo(Note).get('1')).toMatchObject({ id: '1' });
    await handle.repo(Note).create(note('2'));
  });

  test('may leave reads', async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'free' });
    await (await tenants.db('acme')).repo(Note).create(note('1'));
    expect(await tenants.suspend('acme', { reads: true })).toMatchObject({ state: 'suspended', reads: true });
    const handle = await tenants.db('acme');
    expect(await handle.repo(Note).get('1')).toMatchObject({ id: '1' });
    await expect(handle.repo(Note).put(note('1', 'x'))).rejects.toSatisfy(failsWith('tenant.suspended'));
  });

  test('a cached policy costs no read of the store, and is read again after policyTtl, counted from before the read', async () => {
    const { tenants, faulty } = await start();
    await tenants.create('acme', { plan: 'free' });
    const notes = (await tenants.db('acme')).repo(Note);
    await notes.get('1');
    let gets = 0;
    const count = async (call: () => Promise<unknown>): Promise<number> => {
      const inner = faulty as unknown as { get(...parameters: unknown[]): unknown };
      const before = inner.get;
      gets = 0;
      inner.get = (...parameters) => {
        gets++;
        return before.apply(faulty, parameters);
      };
      await call();
      inner.get = before;
      return gets;
    };
    expect(await count(() => notes.get('1'))).toBe(1);
    await trueClock.advance(2_000);
    expect(await count(() => notes.get('1'))).toBe(2);
    expect(await count(() => notes.get('1'))).toBe(1);
  });
});

describe('quotas', () => {
  test('exactly the limit is reached when one process writes alone', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'tiny' });
    const notes = (await tenants.db('acme')).repo(Note);
    const results = await Promise.allSettled(Array.from({ length: 9 }, (_, i) => notes.create(note(`${i}`))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    const error = await notes.create(note('more')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'tenant.quotaExceeded',
      details: { tenant: 'acme', metric: 'keys', limit: 5, used: 5 },
    });
    expect(await tenants.usage('acme')).toMatchObject({ keys: { used: 5, limit: 5 } });
    expect(await observe(store)).toMatchObject([{ stored: { keys: 5 }, charged: { keys: 5 } }]);
    await notes.delete('0');
    expect(await tenants.usage('acme')).toMatchObject({ keys: { used: 4, limit: 5 } });
    await notes.create(note('more'));
    await expect(notes.create(note('and more'))).rejects.toSatisfy(failsWith('tenant.quotaExceeded'));
  });

  test('bytes are those of the values: what grows is charged, what shrinks is credited, to the byte', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'free' });
    const notes = (await tenants.db('acme')).repo(Note);
    const agree = async (): Promise<void> => {
      const { keys, bytes } = await tenants.usage('acme');
      const [seen] = await observe(store);
      expect({ keys: keys.used, bytes: bytes.used }).toEqual({ keys: seen?.stored.keys, bytes: seen?.stored.bytes });
    };
    await notes.create(note('1', 'x'.repeat(1000)));
    await agree();
    await notes.put(note('1', 'x'.repeat(5000)));
    await agree();
    await notes.mutate('1', (draft) => {
      draft.text = 'short';
    });
    await agree();
    await notes.create(note('2', 'x'.repeat(10_000)));
    await agree();
    await expect(notes.create(note('3', 'x'.repeat(12_000)))).rejects.toMatchObject({ details: { metric: 'bytes' } });
    await agree();
    await notes.delete('2');
    await notes.create(note('3', 'x'.repeat(12_000)));
    await agree();
  });

  test('vectors are counted to the last one: what would exceed them changes nothing, and what goes makes room', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'free' });
    const places = (await tenants.db('acme')).repo(Place);
    const at = (id: string, x: number) => ({ id, where: Float32Array.of(x, 1) });
    for (let i = 0; i < 10; i++) await places.create(at(`${i}`, i));
    const full = { details: { metric: 'vectors', limit: 10, used: 10 } };
    await expect(places.create(at('more', 1))).rejects.toMatchObject(full);
    expect(await places.get('more')).toBeUndefined();
    await places.create({ id: 'without' });
    await expect(places.put(at('without', 1))).rejects.toMatchObject(full);
    // Another vector in the place of one is no more than before.
    await places.put(at('0', 100));
    expect(await observe(store)).toMatchObject([{ stored: { vectors: 10 }, charged: { vectors: 10 } }]);
    await places.delete('0');
    await places.put(at('without', 1));
    expect((await tenants.usage('acme')).vectors).toEqual({ used: 10, limit: 10 });
    await expect(places.create(at('more', 1))).rejects.toMatchObject(full);
  });

  test('upstream: an overwrite counts nothing, deleting nothing gives nothing back', async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'tiny' });
    const notes = (await tenants.db('acme')).repo(Note);
    for (let i = 0; i < 20; i++) await notes.put(note('the same', `${i}`));
    for (let i = 0; i < 20; i++) await notes.delete('nothing');
    expect((await tenants.usage('acme')).keys.used).toBe(1);
  });

  test('upstream: parallel writes do not all pass one check', async () => {
    const store = await openStore();
    const processes = await Promise.all(
      Array.from({ length: 4 }, (_, i) => startTenants(store, { trueClock, seed: 10 * i + 1 })),
    );
    await processes[0]?.tenants.create('acme', { plan: 'tiny' });
    const all = await Promise.all(
      processes.map(async ({ tenants }, p) => {
        const notes = (await tenants.db('acme')).repo(Note);
        return Promise.allSettled(Array.from({ length: 5 }, (_, i) => notes.create(note(`${p}/${i}`))));
      }),
    );
    expect(all.flat().filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(5);
    expect((await observe(store))[0]?.stored.keys).toBeLessThanOrEqual(5);
  });

  test("upstream: tenant 'a' key 'b:c' and tenant 'a:b' key 'c' are two records, and the usage is out of a tenant's reach", async () => {
    const { tenants } = await start();
    for (const id of ['a', 'a:b', 'tenant:a']) await tenants.create(id, { plan: 'tiny' });
    await (await tenants.db('a')).repo(Note).create(note('b:c', 'of a'));
    await (await tenants.db('a:b')).repo(Note).create(note('c', 'of a:b'));
    expect(await (await tenants.db('a')).repo(Note).get('b:c')).toMatchObject({ text: 'of a' });
    expect(await (await tenants.db('a:b')).repo(Note).get('c')).toMatchObject({ text: 'of a:b' });
    const inside = (await tenants.db('a')).repo(Note);
    for (const id of ['usage', 'tenant:a:usage', 'charged']) await inside.put(note(id, '0'));
    expect((await tenants.usage('a')).keys.used).toBe(4);
  });

  test('upstream: what cannot be read of the account is an error, never 0', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'tiny' });
    const notes = (await tenants.db('acme')).repo(Note);
    await notes.create(note('1'));
    const { entries } = await store.scan({ start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) });
    const record = entries.find(({ value }) => Buffer.from(value).includes('"registry":"saas","state"'));
    const value = Buffer.from(
      Buffer.from(record?.value ?? '')
        .toString()
        .replace('"keys":', '"keyz":'),
    );
    await store.put(record?.key ?? new Uint8Array(), value);
    await expect(tenants.usage('acme')).rejects.toSatisfy(failsWith('record.corrupt'));
    await trueClock.advance(2_000);
    await expect(notes.create(note('2'))).rejects.toSatisfy(failsWith('record.corrupt'));
    expect((await store.get(record?.key ?? new Uint8Array()))?.value).toEqual(new Uint8Array(value));
  });

  test('blocks and what they store count, unique values and index entries do not', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'tiny' });
    const acme = await tenants.db('acme');
    await acme.repo(User).create({ id: '1', email: 'a@acme.test', age: 3 });
    await new Counter(acme, { name: 'visits', shards: 1 }).add();
    expect((await tenants.usage('acme')).keys.used).toBe(3);
    expect((await observe(store))[0]?.stored.keys).toBe(3);
  });

  test('a plan without limits is counted all the same; a smaller plan refuses growth and nothing else', async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'pro' });
    const notes = (await tenants.db('acme')).repo(Note);
    for (let i = 0; i < 8; i++) await notes.create(note(`${i}`));
    expect(await tenants.usage('acme')).toMatchObject({ keys: { used: 8, limit: undefined } });
    expect((await tenants.setPlan('acme', 'tiny')).plan).toBe('tiny');
    await trueClock.advance(1_000);
    await expect(notes.create(note('more'))).rejects.toMatchObject({ details: { limit: 5, used: 8 } });
    await notes.put(note('1', 'longer than before'));
    await notes.delete('2');
    expect(await tenants.usage('acme')).toMatchObject({ keys: { used: 7, limit: 5 } });
  });

  test('a program that does not know the plan is told so when it writes', async () => {
    const store = await openStore();
    const { tenants } = await startTenants(store, { trueClock, seed: 1 });
    await tenants.create('acme', { plan: 'free' });
    const db = await open(store, { clock: trueClock, random: seededRandom(3) });
    const older = new Tenants(db, { name: 'saas', plans: { basic: {} } });
    const notes = (await older.db('acme')).repo(Note);
    await expect(notes.create(note('1'))).rejects.toSatisfy(failsWith('tenant.planUnknown'));
    expect(await notes.get('1')).toBeUndefined();
  });

  test('what a process may still store goes back when it is idle, and when it closes', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'free' });
    const notes = (await tenants.db('acme')).repo(Note);
    await notes.create(note('1'));
    expect((await observe(store))[0]?.charged.keys).toBeGreaterThan(1);
    await trueClock.advance(6_000);
    expect((await observe(store))[0]?.charged.keys).toBe(1);
    await notes.create(note('2'));
    expect((await observe(store))[0]?.charged.keys).toBeGreaterThan(2);
    await tenants.close();
    expect((await observe(store))[0]?.charged.keys).toBe(2);
  });

  test('what a dead process was promised counts as stored until it is reconciled', async () => {
    const store = await openStore();
    const [dead, alive] = [
      await startTenants(store, { trueClock, seed: 1 }),
      await startTenants(store, { trueClock, seed: 20 }),
    ];
    await dead.tenants.create('acme', { plan: 'free' });
    await (await dead.tenants.db('acme')).repo(Note).create(note('1'));
    dead.faulty.crash();
    expect((await alive.tenants.usage('acme')).keys.used).toBeGreaterThan(1);
    const records: number[] = [];
    const usage = await alive.tenants.reconcile('acme', { onProgress: (progress) => records.push(progress.records) });
    expect(usage.keys.used).toBe(1);
    expect(records).toEqual([1]);
    expect((await observe(store))[0]).toMatchObject({ charged: (await observe(store))[0]?.stored });
  });

  test('a process that was promised something by an earlier account does not spend it', async () => {
    const store = await openStore();
    const [one, two] = [
      await startTenants(store, { trueClock, seed: 1, idle: '1h' }),
      await startTenants(store, { trueClock, seed: 20, idle: '1h' }),
    ];
    await one.tenants.create('acme', { plan: 'free' });
    const notes = (await one.tenants.db('acme')).repo(Note);
    await notes.create(note('1'));
    await two.tenants.reconcile('acme');
    const others = (await two.tenants.db('acme')).repo(Note);
    for (let i = 0; i < 49; i++) await others.create(note(`of two ${i}`));
    await expect(notes.create(note('2'))).rejects.toSatisfy(failsWith('tenant.quotaExceeded'));
    expect((await observe(store))[0]?.stored.keys).toBe(50);
  });

  test('a signal ends the wait for an allowance, and nothing is lost by it', async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'tiny' });
    const notes = (await tenants.db('acme')).repo(Note);
    const stop = new AbortController();
    const writes = Array.from({ length: 5 }, (_, i) => notes.create(note(`${i}`), { signal: stop.signal }));
    stop.abort();
    const ended = await Promise.allSettled(writes);
    expect(ended.every(({ status }) => status === 'rejected')).toBe(true);
    const stored = await notes.count();
    for (let i = stored; i < 5; i++) await notes.create(note(`again ${i}`));
    await expect(notes.create(note('more'))).rejects.toSatisfy(failsWith('tenant.quotaExceeded'));
  });
});

describe('purge', () => {
  test('leaves nothing, whatever entities it was of; a tenant that is made anew has nothing of before', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'free' });
    await tenants.create('globex', { plan: 'free' });
    const [acme, globex] = [await tenants.db('acme'), await tenants.db('globex')];
    for (const db of [acme, globex]) {
      await db.repo(User).create({ id: '1', email: 'a@test', age: 3 });
      await new Counter(db, { name: 'visits' }).add();
    }
    const stages = await purged(tenants, 'acme');
    expect([...new Set(stages)]).toEqual(['closed', 'unreachable', 'removing', 'done']);
    const { entries } = await store.scan(
      { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) },
      { limit: 1000 },
    );
    const left = entries.filter(({ key }) => Buffer.from(key).includes('acme') && Buffer.from(key).includes('user'));
    expect(left).toEqual([]);
    await expect(acme.repo(User).get('1')).rejects.toSatisfy(failsWith('tenant.unknown'));
    await expect(acme.repo(User).create({ id: '2', email: 'b@test' })).rejects.toSatisfy(failsWith('tenant.unknown'));
    await expect(tenants.db('acme')).rejects.toSatisfy(failsWith('tenant.unknown'));
    expect(await tenants.get('acme')).toBeUndefined();
    expect(await globex.repo(User).get('1')).toMatchObject({ email: 'a@test' });

    expect(await tenants.create('acme', { plan: 'tiny' })).toMatchObject({ generation: 2, plan: 'tiny' });
    const anew = await tenants.db('acme');
    expect(await anew.repo(User).count()).toBe(0);
    expect((await tenants.usage('acme')).keys.used).toBe(0);
    await anew.repo(User).create({ id: '1', email: 'a@test' });
    // The old handle asks again, and finds a tenant of its name.
    await trueClock.advance(2_000);
    await expect(acme.repo(User).get('1')).rejects.toSatisfy(failsWith('tenant.unknown'));
    await purged(tenants, 'acme');
    expect(await tenants.create('acme', { plan: 'tiny' })).toMatchObject({ generation: 3 });
  });

  test('asks for the name once more, and knows its tenants', async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'free' });
    await expect(tenants.purge('acme', { confirm: 'globex' }).next()).rejects.toSatisfy(failsWith('argument.invalid'));
    await expect(tenants.purge('globex', { confirm: 'globex' }).next()).rejects.toSatisfy(failsWith('tenant.unknown'));
    expect(await tenants.get('acme')).toBeDefined();
  });

  test('may be called again, and then removes what arrived late', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'free' });
    await (await tenants.db('acme')).repo(Note).create(note('1'));
    const { entries } = await store.scan({ start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) });
    const record = entries.find(({ value }) => Buffer.from(value).includes('"tenant":"acme"'));
    await purged(tenants, 'acme');
    await store.put(record?.key ?? new Uint8Array(), record?.value ?? new Uint8Array());
    await tenants.create('acme', { plan: 'free' });
    expect(await (await tenants.db('acme')).repo(Note).get('1')).toBeUndefined();
    await purged(tenants, 'acme');
    expect(await store.get(record?.key ?? new Uint8Array())).toBeUndefined();
  });

  test('sweeps a write that arrives while it removes, within writeTimeout', async () => {
    const { tenants, store } = await start();
    await tenants.create('acme', { plan: 'free' });
    await (await tenants.db('acme')).repo(Note).create(note('1'));
    const { entries } = await store.scan({ start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) });
    const record = entries.find(({ value }) => Buffer.from(value).includes('"tenant":"acme"'));
    let isLate = false;
    for await (const { stage } of tenants.purge('acme', { confirm: 'acme' })) {
      if (stage !== 'removing' || isLate) continue;
      isLate = true;
      await store.put(record?.key ?? new Uint8Array(), record?.value ?? new Uint8Array());
    }
    expect(isLate).toBe(true);
    expect(await store.get(record?.key ?? new Uint8Array())).toBeUndefined();
  });

  test('says unreachable only once no handle of any process can use what was read before', async () => {
    const store = await openStore();
    const [one, two] = [
      await startTenants(store, { trueClock, seed: 1 }),
      await startTenants(store, { trueClock, seed: 20 }),
    ];
    await one.tenants.create('acme', { plan: 'free' });
    const notes = (await two.tenants.db('acme')).repo(Note);
    await notes.create(note('1'));
    const steps = one.tenants.purge('acme', { confirm: 'acme' });
    expect((await steps.next()).value).toMatchObject({ stage: 'closed' });
    // What was read a moment ago still counts.
    expect(await notes.get('1')).toMatchObject({ id: '1' });
    expect((await steps.next()).value).toMatchObject({ stage: 'unreachable' });
    await expect(notes.get('1')).rejects.toSatisfy(failsWith('tenant.unknown'));
    await expect(notes.put(note('1'))).rejects.toSatisfy(failsWith('tenant.unknown'));
    await steps.return();
  });
});

describe('across all tenants', () => {
  test('works on each, a few at once, and records who does so and why, before and after', async () => {
    const { tenants } = await start();
    for (let i = 0; i < 9; i++) await tenants.create(`t${i}`, { plan: 'free' });
    await tenants.suspend('t3');
    let most = 0;
    let now = 0;
    const during: unknown[] = [];
    const results = await tenants.across({ reason: 'billing', actor: 'cron', concurrency: 3 }, async (db, { id }) => {
      most = Math.max(most, ++now);
      if (id === 't0') for await (const audit of tenants.audits()) during.push(audit);
      await db.repo(Note).create(note('1'));
      now--;
      if (id === 't5') throw new Error('of t5');
      return id.toUpperCase();
    });
    expect(results.map(({ tenant, ok }) => [tenant, ok])).toEqual(
      Array.from({ length: 9 }, (_, i) => [`t${i}`, i !== 3 && i !== 5]),
    );
    expect(results[0]).toEqual({ tenant: 't0', ok: true, value: 'T0' });
    expect(results[3]).toMatchObject({ error: { code: 'tenant.suspended' } });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
    const begun = { reason: 'billing', actor: 'cron', startedAt: expect.any(Date) };
    expect(during).toEqual([{ ...begun, id: expect.any(String), done: 0, failed: 0 }]);
    const audits: unknown[] = [];
    for await (const audit of tenants.audits()) audits.push(audit);
    expect(audits).toMatchObject([{ ...begun, completedAt: expect.any(Date), done: 7, failed: 2 }]);
  });

  test('a subscriber hears who begins, and why, before any tenant is touched', async () => {
    const { tenants } = await start();
    await tenants.create('acme', { plan: 'free' });
    const heard: unknown[] = [];
    const listen = (event: unknown): unknown => heard.push(event);
    subscribe('norimaki:tenants.across', listen);
    try {
      const work = async (): Promise<number> => heard.length;
      const [result] = await tenants.across({ reason: 'billing', actor: 'cron' }, work);
      expect(result).toMatchObject({ value: 1 });
      await tenants.across({ reason: '', actor: 'cron' }, work).catch(() => undefined);
    } finally {
      unsubscribe('norimaki:tenants.across', listen);
    }
    expect(heard).toEqual([{ id: expect.any(String), reason: 'billing', actor: 'cron' }]);
  });

  test('does not begin without a reason and an actor, nor if that cannot be recorded', async () => {
    let isDown = false;
    const { tenants } = await start({ script: ({ verb }) => (isDown && verb !== 'get' ? 'errorBefore' : 'none') });
    await tenants.create('acme', { plan: 'free' });
    let worked = 0;
    const work = async (): Promise<void> => {
      worked++;
    };
    for (const options of [
      { reason: '', actor: 'me' },
      { reason: 'why not', actor: ' ' },
    ]) {
      await expect(tenants.across(options, work)).rejects.toSatisfy(failsWith('argument.invalid'));
    }
    isDown = true;
    await expect(tenants.across({ reason: 'billing', actor: 'cron' }, work)).rejects.toSatisfy(
      failsWith('store.unavailable'),
    );
    expect(worked).toBe(0);
  });
});
