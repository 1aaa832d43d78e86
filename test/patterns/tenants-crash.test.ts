import { expect, test } from 'vitest';
import { memory } from '../../src/stores/memory/index.ts';
import { type FaultKind, manualClock, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { Note, observe, purged, startTenants, type TenantsProcess, User } from './support/tenants.ts';

const trueClock = manualClock(START, { autoAdvance: true });
const everything = { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) };

/** Whether an error comes of the crash of the process. */
function isCrash(error: unknown): boolean {
  return (
    error instanceof SimulatedCrash || (error instanceof Error && error.cause !== undefined && isCrash(error.cause))
  );
}

/**
 * Lets a process die before and after each call to the store that `work` makes, and checks each time what another one
 * finds.
 */
async function atEveryCall(
  prepare: (process: TenantsProcess) => Promise<void>,
  work: (process: TenantsProcess) => Promise<void>,
  check: (survivor: TenantsProcess, store: Awaited<ReturnType<typeof openStore>>, at: string) => Promise<void>,
): Promise<number> {
  let died = 0;
  for (const when of ['crashBefore', 'crashAfter'] as const) {
    for (let at = 1; ; at++) {
      const store = await openStore();
      await prepare(await startTenants(store, { trueClock, seed: 1 }));
      const script = ({ number }: { number: number }): FaultKind | 'none' => (number === at ? when : 'none');
      const isDead = await work(await startTenants(store, { trueClock, seed: 40 + at, script })).then(
        () => false,
        (error: unknown) => {
          if (isCrash(error)) return true;
          throw error;
        },
      );
      if (!isDead) break;
      died++;
      await check(await startTenants(store, { trueClock, seed: 20 }), store, `${when} ${at}`);
    }
  }
  return died;
}

const openStore = () => memory().openStore({ clock: trueClock, random: seededRandom(1) });

async function fill({ tenants }: TenantsProcess): Promise<void> {
  await tenants.create('acme', { plan: 'free' });
  const acme = await tenants.db('acme');
  for (let i = 0; i < 3; i++) await acme.repo(User).create({ id: `${i}`, email: `${i}@test`, age: i });
  await tenants.close();
}

test('a tenant is created whole or not at all, and is in the list once it is there', async () => {
  const died = await atEveryCall(
    async () => {},
    async ({ tenants }) => {
      await tenants.create('acme', { plan: 'free' });
    },
    async ({ tenants }, _store, at) => {
      const found = await tenants.get('acme');
      if (found === undefined) await tenants.create('acme', { plan: 'free' });
      const ids: string[] = [];
      for await (const { id } of tenants.list()) ids.push(id);
      expect(ids, at).toEqual(['acme']);
      await (await tenants.db('acme')).repo(Note).create({ id: '1' });
    },
  );
  expect(died).toBeGreaterThan(5);
});

test('a purge that died is finished by the next call, and nothing is ever read of what it left', async () => {
  const died = await atEveryCall(
    fill,
    async ({ tenants }) => {
      await purged(tenants, 'acme');
    },
    async ({ tenants }, store, at) => {
      const found = await tenants.get('acme');
      if (found === undefined) {
        const { generation } = await tenants.create('acme', { plan: 'free' });
        expect(generation, at).toBe(2);
        expect(await (await tenants.db('acme')).repo(User).count(), at).toBe(0);
      } else {
        expect(await (await tenants.db('acme')).repo(User).count(), at).toBe(3);
      }
      await purged(tenants, 'acme');
      const { entries } = await store.scan(everything, { limit: 1000 });
      expect(entries.filter(({ key }) => Buffer.from(key).includes('user')).length, at).toBe(0);
    },
  );
  expect(died).toBeGreaterThan(8);
});

test('a clone that died is nobody’s: suspended until it is purged, and then it can be made again', async () => {
  const died = await atEveryCall(
    fill,
    async ({ tenants }) => {
      await tenants.clone('acme', 'copy', { plan: 'free' });
    },
    async ({ tenants }, store, at) => {
      const found = await tenants.get('copy');
      for (const { tenant, stored, charged } of await observe(store)) {
        expect(stored.keys, `${at}, ${tenant}`).toBeLessThanOrEqual(charged.keys);
      }
      if (found?.state === 'suspended') await purged(tenants, 'copy');
      if (found?.state !== 'active') await tenants.clone('acme', 'copy', { plan: 'free' });
      const copy = await tenants.db('copy');
      expect(await copy.repo(User).count(), at).toBe(3);
      expect(await copy.repo(User).findOne({ email: '2@test' }), at).toMatchObject({ id: '2' });
      expect(await (await tenants.db('acme')).repo(User).count(), at).toBe(3);
    },
  );
  expect(died).toBeGreaterThan(10);
});

test('a reconciliation that died leaves an account that is never too low, and the next is exact', async () => {
  const died = await atEveryCall(
    fill,
    async ({ tenants }) => {
      await tenants.reconcile('acme');
    },
    async ({ tenants }, store, at) => {
      const users = (await tenants.db('acme')).repo(User);
      await users.create({ id: 'more', email: 'more@test' });
      await users.delete('1');
      const [seen] = await observe(store);
      expect(seen?.stored.keys, at).toBeLessThanOrEqual(seen?.charged.keys ?? 0);
      expect((await tenants.reconcile('acme')).keys.used, at).toBe(3);
    },
  );
  expect(died).toBeGreaterThan(6);
});
