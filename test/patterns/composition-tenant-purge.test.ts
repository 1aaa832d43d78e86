import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { Counter } from '../../src/patterns/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { openStore, STORE_KINDS } from './support/stores.ts';
import { Note, startTenants, User } from './support/tenants.ts';

const everything = { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) };

test.each(STORE_KINDS)(
  'a tenant is purged while it is written to, on the %s store, under every fault',
  async (kind) => {
    const trueClock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock: trueClock, random: seededRandom(1) });
    const { tenants } = await startTenants(store, { trueClock, seed: 1, writeTimeout: '3s' });
    const { db: bystander } = await startTenants(store, { trueClock, seed: 2 });
    await tenants.create('acme', { plan: 'pro' });
    await tenants.create('globex', { plan: 'pro' });
    await (await tenants.db('globex')).repo(User).create({ id: '1', email: 'a@test' });
    await bystander.repo(Note).create({ id: 'of nobody' });
    let isOver = false;
    let isUnreachable = false;
    let late = 0;
    let refused = 0;
    const writers = [11, 22, 33].map(async (seed) => {
      const random = seededRandom(seed);
      const process = await startTenants(store, { trueClock, seed, faults: anyFaults(seed), writeTimeout: '3s' });
      const acme = await process.tenants.db('acme');
      const visits = new Counter(acme, { name: 'visits', shards: 2 });
      while (!isOver) {
        await trueClock.sleep(random.float() * 500);
        const id = `${seed}/${pickInt(random, 20)}`;
        const dice = pickInt(random, 4);
        const write = (): Promise<unknown> => {
          if (dice === 0) return acme.repo(User).put({ id, email: `${id}@test`, age: pickInt(random, 9) });
          if (dice === 1) return acme.repo(Note).put({ id, text: 'x' });
          if (dice === 2) return acme.repo(Note).delete(id);
          return visits.add();
        };
        const wasUnreachable = isUnreachable;
        await write().then(
          () => {
            if (wasUnreachable) late++;
          },
          (error: unknown) => {
            if (NorimakiError.is(error, 'tenant.unknown')) refused++;
            else if (!(error instanceof NorimakiError)) throw error;
          },
        );
      }
      await process.faulty.heal();
    });
    const purge = async (): Promise<void> => {
      await trueClock.sleep(2_000);
      for await (const { stage } of tenants.purge('acme', { confirm: 'acme' })) {
        if (stage === 'unreachable') isUnreachable = true;
      }
      expect(late, 'writes that began after it and were acknowledged').toBe(0);
      isOver = true;
    };
    await Promise.all([...writers, purge()]);
    expect(refused).toBeGreaterThan(0);
    // What faults held back came after all; it is of no use to anybody, and the next purge sweeps it.
    await tenants.create('acme', { plan: 'pro' });
    const anew = await tenants.db('acme');
    expect(await anew.repo(User).exists('11/1')).toBe(false);
    expect(await new Counter(anew, { name: 'visits' }).value()).toBe(0n);
    for await (const _ of tenants.purge('acme', { confirm: 'acme' }));
    const { entries } = await new StoreWrapper(store).scan(everything, { limit: 1000 });
    const left = entries
      .map(({ key }) => Buffer.from(key))
      .filter((key) => key.includes('user') || key.includes('note'));
    // The record, the claim and the index entry of the user of globex, and the note of nobody.
    expect(left).toHaveLength(4);
    expect(await (await tenants.db('globex')).repo(User).get('1')).toMatchObject({ email: 'a@test' });
    expect(await bystander.repo(Note).get('of nobody')).toBeDefined();
  },
);
