import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { Deduplicator } from '../../src/patterns/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { textOf } from './support/deduplicators.ts';
import { openStore, STORE_KINDS } from './support/stores.ts';
import { Note, startTenants } from './support/tenants.ts';

const everything = { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) };

test.each(STORE_KINDS)(
  'documents are submitted while their tenant is purged, on the %s store: nothing is left of them, and others keep theirs',
  async (kind) => {
    const trueClock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock: trueClock, random: seededRandom(1) });
    const { tenants } = await startTenants(store, { trueClock, seed: 1, writeTimeout: '3s' });
    const make = (db: ConstructorParameters<typeof Deduplicator>[0]) =>
      new Deduplicator(db, Note, { name: 'notes', text: ['text'], near: { bands: 4, rows: 2 } });
    for (const name of ['acme', 'globex']) await tenants.create(name, { plan: 'pro' });
    const globex = make(await tenants.db('globex'));
    const acme = make(await tenants.db('acme'));
    await globex.submit({ id: 'g', text: textOf('w') });
    // The same text is no duplicate of another tenant's.
    expect(await acme.submit({ id: 'a', text: textOf('w') })).toMatchObject({ kind: 'unique' });
    let refused = 0;
    let isOver = false;
    const writers = [11, 22].map(async (seed) => {
      const random = seededRandom(seed);
      const process = await startTenants(store, { trueClock, seed, faults: anyFaults(seed), writeTimeout: '3s' });
      const dedup = make(await process.tenants.db('acme'));
      while (!isOver) {
        await trueClock.sleep(random.float() * 500);
        const id = `${seed}/${pickInt(random, 5)}`;
        await dedup.submit({ id, text: textOf('w', pickInt(random, 3)) }).catch((error: unknown) => {
          if (NorimakiError.is(error, 'tenant.unknown')) refused++;
          else if (!(error instanceof NorimakiError)) throw error;
        });
      }
      await process.faulty.heal();
    });
    const purge = async (): Promise<void> => {
      await trueClock.sleep(2_000);
      for await (const _ of tenants.purge('acme', { confirm: 'acme' }));
      isOver = true;
    };
    await Promise.all([...writers, purge()]);
    expect(refused).toBeGreaterThan(0);
    // What faults held back came after all; it is of no use to anybody.
    await tenants.create('acme', { plan: 'pro' });
    const anew = make(await tenants.db('acme'));
    for (const variant of [0, 1, 2]) expect(await anew.check(textOf('w', variant))).toEqual({ kind: 'unique' });
    expect(await anew.submit({ id: 'a', text: textOf('w') })).toMatchObject({ kind: 'unique', replayed: false });
    for await (const _ of tenants.purge('acme', { confirm: 'acme' }));
    const { entries } = await new StoreWrapper(store).scan(everything, { limit: 1000 });
    const left = entries
      .map(({ key }) => Buffer.from(key))
      .filter((key) => key.includes('dedup') || key.includes('note'));
    // Of globex: the note, its entry and its group, four buckets and the head.
    expect(left).toHaveLength(8);
    expect(await globex.check(textOf('w'))).toMatchObject({ kind: 'exact', of: 'g' });
  },
);
