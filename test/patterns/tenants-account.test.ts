import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { beginReckoning, endReckoning, giveBack, handOut } from '../../src/patterns/tenants/account.ts';
import { Allowance } from '../../src/patterns/tenants/allowance.ts';
import { Registry } from '../../src/patterns/tenants/registry.ts';
import { settingsOf } from '../../src/patterns/tenants/settings.ts';
import { Standing } from '../../src/patterns/tenants/standing.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { Note, observe, startTenants, type TenantsProcess } from './support/tenants.ts';

const trueClock = manualClock(START, { autoAdvance: true });
const openStore = () => memory().openStore({ clock: trueClock, random: seededRandom(1) });
const amounts = (keys: number) => ({ keys, bytes: 0, vectors: 0 });
const limits = amounts(100);

/** An allowance of a tenant that there is, and what its record says. */
async function start() {
  const store = await openStore();
  const db = await open(store, { clock: trueClock, random: seededRandom(1) });
  const registry = new Registry(db, settingsOf({ name: 'saas', plans: { free: { keys: 100 } } }));
  const state = await registry.create('acme', 'free', {});
  const standing = new Standing(state, registry.records, registry.settings, db.environment);
  const closed = new AbortController().signal;
  const allowance = new Allowance(standing, registry.records, db.environment, { idle: 5_000, closed });
  const take = (records: number) => allowance.take({ records, bytes: 0, vectors: 0 }, {});
  const charged = async (): Promise<number> => {
    await allowance.giveBack();
    return (await registry.get('acme', undefined)).charged.keys;
  };
  return { registry, standing, take, charged };
}

test('what was taken stays taken if it was applied or nobody knows, and comes back if it was not', async () => {
  const { take, charged } = await start();
  (await take(3)).settle('applied');
  expect(await charged()).toBe(3);
  (await take(4)).settle('notApplied');
  expect(await charged()).toBe(3);
  (await take(2)).settle('unknown');
  expect(await charged()).toBe(5);
  (await take(-1)).settle('unknown');
  (await take(-1)).settle('notApplied');
  expect(await charged()).toBe(5);
  (await take(-1)).settle('applied');
  expect(await charged()).toBe(4);
});

test('what was taken by an account before is of no use under the next one, and nothing is credited while others count', async () => {
  const { registry, standing, take, charged } = await start();
  (await take(3)).settle('applied');
  const early = await take(2);
  const going = await take(-1);
  await registry.change('acme', beginReckoning, {});
  await standing.read(undefined);
  const during = await take(1);
  early.settle('notApplied');
  going.settle('applied');
  (await take(-1)).settle('applied');
  during.settle('applied');
  const before = await charged();
  await registry.change('acme', (draft) => endReckoning(draft, amounts(2)), {});
  // Two were counted, one was handed out meanwhile; what was charged before was more.
  expect(before).toBeGreaterThan(3);
  expect(await charged()).toBe(3);
});

test('what is read late and was sent early does not replace what is known', async () => {
  const { registry, standing } = await start();
  const old = await registry.get('acme', undefined);
  const sent = trueClock.mono();
  await trueClock.advance(10);
  const suspend = (draft: { state: string }): void => {
    draft.state = 'suspended';
  };
  await registry.change('acme', suspend, {});
  await standing.read(undefined);
  standing.learn(old, sent);
  expect(standing.fresh()).toMatchObject({ state: 'suspended' });
});

test('an account: what was handed out while others counted is added to what they found, and a void pot changes nothing', () => {
  const draft: Parameters<typeof handOut>[0] = { charged: amounts(20), account: 4 };
  const { pot: void_ } = handOut(draft, { account: 4, amounts: amounts(0) }, [amounts(1)], limits);
  beginReckoning(draft);
  const { pot } = handOut(draft, void_, [amounts(2)], limits);
  expect(pot.account).toBe(5);
  giveBack(draft, void_);
  giveBack(draft, pot);
  expect(draft).toMatchObject({ granted: amounts(2), charged: amounts(23 + void_.amounts.keys) });
  endReckoning(draft, amounts(7));
  expect(draft).toEqual({ charged: amounts(9), account: 5, granted: undefined });
});

test('what others write and delete while a tenant is counted is never too little', async () => {
  const store = await openStore();
  const writer = await startTenants(store, { trueClock, seed: 1 });
  await writer.tenants.create('acme', { plan: 'free' });
  const notes = (await writer.tenants.db('acme')).repo(Note);
  for (let i = 0; i < 9; i++) await notes.create({ id: `m${i}` });
  let round = 0;
  let isCounting = false;
  const meddle = async (): Promise<void> => {
    const n = round++;
    // One goes that was not counted yet or was; others come, before and behind where they count.
    await notes.delete(`m${n}`);
    await notes.create({ id: `a${n}` });
    await notes.create({ id: `z${n}` });
  };
  const counter: TenantsProcess = await startTenants(store, {
    trueClock,
    seed: 30,
    script: async ({ verb }) => {
      if (verb === 'scan') isCounting = true;
      if (isCounting && round < 3) await meddle();
      return 'none' as const;
    },
  });
  await counter.tenants.reconcile('acme');
  expect(round).toBe(3);
  await writer.tenants.close();
  const [seen] = await observe(store);
  expect(seen?.stored.keys).toBe(12);
  expect(seen?.charged.keys).toBeGreaterThanOrEqual(12);
  expect((await counter.tenants.reconcile('acme')).keys.used).toBe(12);
});

test('of two who count at once none ends the other’s account', async () => {
  const store = await openStore();
  const [one, two] = [
    await startTenants(store, { trueClock, seed: 1 }),
    await startTenants(store, { trueClock, seed: 30 }),
  ];
  await one.tenants.create('acme', { plan: 'free' });
  const notes = (await one.tenants.db('acme')).repo(Note);
  for (let i = 0; i < 5; i++) await notes.create({ id: `${i}` });
  const usages = await Promise.all([one.tenants.reconcile('acme'), two.tenants.reconcile('acme')]);
  expect(usages.map(({ keys }) => keys.used)).toEqual([5, 5]);
});

test('who counted while another began to count does not end the account of the other', async () => {
  const store = await openStore();
  const writer = await startTenants(store, { trueClock, seed: 1 });
  await writer.tenants.create('acme', { plan: 'free' });
  const notes = (await writer.tenants.db('acme')).repo(Note);
  for (let i = 0; i < 5; i++) await notes.create({ id: `m${i}` });
  const registry = new Registry(writer.db, settingsOf({ name: 'saas', plans: { free: {} } }));
  let calls = 0;
  const { tenants } = await startTenants(store, {
    trueClock,
    seed: 30,
    script: async ({ verb }) => {
      if (verb !== 'scan' && calls === 0) return 'none' as const;
      // The call after the count: what is written now was not counted.
      if (++calls === 2) {
        await notes.create({ id: 'a0' });
        await registry.change('acme', beginReckoning, {});
      }
      return 'none' as const;
    },
  });
  await tenants.reconcile('acme');
  expect(calls).toBeGreaterThan(2);
  await writer.tenants.close();
  const [seen] = await observe(store);
  expect(seen?.stored.keys).toBe(6);
  expect(seen?.charged.keys).toBe(6);
});
