import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Clock } from '../../src/core/clock.ts';
import type { Store } from '../../src/core/store.ts';
import { modelOf } from '../../src/decorators/index.ts';
import { type Database, defineEntity, open, TenantId } from '../../src/index.ts';
import { governed } from '../../src/repositories/internal.ts';
import { Keyspace } from '../../src/repositories/keyspace.ts';
import type { memory } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, faultStore, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { anyFaults } from '../patterns/support/counters.ts';
import { openStore, STORE_KINDS, type StoreKind } from '../patterns/support/stores.ts';
import { anyCharacter } from '../support/any-character.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { BLOCKS, codeOf } from './support/blocks.ts';
import { NAMES } from './support/names.ts';

const Doc = defineEntity('doc', z.object({ id: z.string(), text: z.string(), owner: z.string(), n: z.number() }), {
  id: 'id',
  unique: ['text'],
  index: ['owner', 'n'],
  versioned: 'version',
  embeddings: { vector: { from: 'text', index: 'exact' } },
  tenantScoped: true,
});
const Later = defineEntity('later', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', index: 'exact', mode: 'deferred' } },
});
const ANYBODY = { admit: () => undefined };

async function openDb(store: Store, clock: Clock) {
  return open(await memoryLike(store), { clock, random: seededRandom(2), embedder: fakeEmbedder(), outbox: false });
}
const memoryLike = async (store: Store) => store as Awaited<ReturnType<ReturnType<typeof memory>['openStore']>>;

/**
 * Every tenant, the second generation of some, and what belongs to none would be one more. Keys are made above the store: on
 * stores that are slow some tenants are enough, the nearest to each other among them.
 */
function handlesOn(db: Awaited<ReturnType<typeof openDb>>, kind: StoreKind) {
  const names = kind === 'memory' || isLong ? NAMES : NAMES.filter((_, i) => i < 8 || i % 16 === 0);
  const managed = names.slice(0, 5).map((tenant) => governed(db, { tenant, generation: 1, policy: ANYBODY }));
  return [...names.map((name) => db.forTenant(name)), ...managed];
}

test('there are fifty names, no two of them the same', () => {
  expect(new Set(NAMES).size).toBe(50);
  for (const name of NAMES) expect(TenantId(name)).toBe(name);
});

describe.each(STORE_KINDS)('on the %s store', (kind) => {
  const openWorld = async () => {
    // On a clock that goes by itself leases would end while a real store works.
    const clock = manualClock(START, { autoAdvance: kind === 'memory' });
    if (kind !== 'memory') {
      const ticking = setInterval(() => void clock.advance(1), 1);
      onTestFinished(() => clearInterval(ticking));
    }
    return openDb(await openStore(kind, { clock, random: seededRandom(1) }), clock);
  };

  test('no operation of a repository returns or changes what is of another tenant', { timeout: 60_000 }, async () => {
    const db = await openWorld();
    const handles = handlesOn(db, kind);
    const mark = (i: number): string => `of ${i}`;
    for (const [i, handle] of handles.entries()) {
      const key = { idempotencyKey: 'the same for all' };
      // The same ids and unique values everywhere.
      await handle.repo(Doc).create({ id: '1', text: 'shared', owner: mark(i), n: i }, key);
      await handle.repo(Doc).create({ id: '2', text: `own ${i}`, owner: mark(i), n: -i });
      await handle.repo(Later).create({ id: '1', text: `later ${i}` });
    }
    for (const [i, handle] of handles.entries()) {
      const docs = handle.repo(Doc);
      const isMine = (found: readonly ({ owner: string; tenant: string } | undefined)[], count: number): void => {
        expect(found.map((doc) => [doc?.owner, doc?.tenant])).toEqual(Array(count).fill([mark(i), handle.tenant]));
      };
      isMine([await docs.get('1'), await docs.getOrThrow('2'), await docs.findOne({ text: 'shared' })], 3);
      isMine(await docs.getMany(['1', '2']), 2);
      isMine((await docs.list()).items, 2);
      isMine((await docs.find({ owner: mark(i) })).items, 2);
      const scanned = [];
      for await (const doc of docs.scan()) scanned.push(doc);
      isMine(scanned, 2);
      expect([await docs.count(), await docs.exists('3')]).toEqual([2, false]);
      if (i % 5 === 0) {
        isMine(
          (await docs.search('shared', { limit: 100 })).hits.map(({ entity }) => entity),
          2,
        );
        isMine(
          (await docs.similarTo('1', { limit: 100 })).hits.map(({ entity }) => entity),
          1,
        );
        expect((await docs.plan().delete('1')).steps[0]?.key[1]).toBe(handle.tenant);
      }
      const later = handle.repo(Later);
      expect((await later.outbox.counts()).waiting).toBe(1);
      if (i % 10 === 0) {
        await later.outbox.drain();
        expect((await later.search('later 7')).hits.map(({ entity }) => entity.text)).toEqual([`later ${i}`]);
      }
    }
    expect(await db.repo(Later).count()).toBe(0);

    // Whatever one tenant does to its own, the next finds its own as it was.
    const [one, other] = [handles[0], handles[1]] as [(typeof handles)[0], (typeof handles)[0]];
    const before = (await other.repo(Doc).list()).items;
    await one.repo(Doc).mutate('1', (doc) => void Object.assign(doc, { n: 1000 }));
    await one.repo(Doc).put({ id: '2', text: 'own 1', owner: 'mine', n: 0 });
    await one.repo(Doc).reindex({ metric: 'euclidean', recall: false });
    await one.repo(Doc).finishReindex();
    expect((await one.doctor({ fix: true })).isHealthy).toBe(true);
    await one.repo(Doc).deleteMany(['1', '2']);
    expect((await other.repo(Doc).list()).items).toEqual(before);
    expect((await other.repo(Doc).search('shared')).hits).toHaveLength(2);
    expect(await other.doctor({ fix: true })).toMatchObject({ isHealthy: true });
  });

  test.each(BLOCKS)(
    '$name: with many tenants at once each sees what it would see alone',
    { timeout: 60_000 },
    async (block) => {
      const alone = await block.run((await openWorld()).forTenant('alone'));
      const db = await openWorld();
      const handles = [db, ...handlesOn(db, kind)] as readonly Database[];
      const seen = await Promise.all(handles.map((handle) => block.run(handle)));
      expect(seen).toEqual(handles.map(() => alone));
    },
  );

  test('random work of many tenants, under every fault: each finds what it wrote, and nothing else', {
    timeout: 60_000,
  }, async () => {
    const clock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock, random: seededRandom(1) });
    let run = 0;
    const runs = kind === 'memory' ? 15 : 2;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const random = seededRandom(seed);
        const root = `run ${run++}`;
        const faulty = faultStore(store, { random: seededRandom(seed), clock, faults: anyFaults(seed), maxDelay: 20 });
        const db = await open(faulty, { clock, random, root });
        const Note = defineEntity('note', z.object({ id: z.string(), by: z.string() }), { id: 'id' });
        const handles = Array.from({ length: 6 }, () => db.forTenant(NAMES[pickInt(random, 50)] as string));
        await Promise.all(
          Array.from({ length: 80 }, async (_, n) => {
            const handle = handles[n % 6] as (typeof handles)[0];
            const id = `n${pickInt(random, 3)}`;
            const verbs = [
              () => handle.repo(Note).put({ id, by: handle.tenant }),
              () => handle.repo(Note).mutate(id, (note) => void Object.assign(note, { by: handle.tenant })),
              () => handle.repo(Note).delete(id),
              () =>
                handle
                  .repo(Note)
                  .get(id)
                  .then((note) => note && expect(note.by).toBe(handle.tenant)),
            ];
            await (verbs[pickInt(random, 4)] as () => Promise<unknown>)().catch((error: unknown) => {
              if (codeOf(error).includes('Assertion')) throw error;
            });
          }),
        );
        await faulty.heal();
        const calm = await open(store, { clock, random, root });
        for (const name of NAMES) {
          for (const note of (await (await memoryLikeDb(calm)).forTenant(name).repo(Note).list()).items) {
            expect(note.by).toBe(name);
          }
        }
      }),
      { numRuns: isLong ? runs * 20 : runs, seed: 20_260_602, endOnFailure: true },
    );
  });
});

const memoryLikeDb = async (db: Database<Store, undefined>) => db as Awaited<ReturnType<typeof openDb>>;

test('no two pairs of a place and a key share a key; what is in a key comes back', () => {
  const name = fc.oneof(
    fc.constantFrom(...NAMES),
    fc.string({ unit: anyCharacter, minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed()),
  );
  const place = fc.record({ tenant: fc.option(name, { nil: undefined }), generation: fc.nat({ max: 3 }) });
  const id = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.string({ unit: anyCharacter, maxLength: 20 }));
  const pair = fc.record({ place, id }).filter(({ id }) => typeof id !== 'string' || id.isWellFormed());
  const keysOf = (at: { tenant: string | undefined; generation: number }) => new Keyspace(modelOf(Doc), 'root', at);
  fc.assert(
    fc.property(pair, pair, (a, b) => {
      const [key, other] = [keysOf(a.place).record([a.id]), keysOf(b.place).record([b.id])];
      expect(keysOf(a.place).recordId(key)).toEqual([a.id]);
      const isSame =
        JSON.stringify([a.place, typeof a.id, ...a.id]) === JSON.stringify([b.place, typeof b.id, ...b.id]);
      expect(Buffer.compare(key, other) === 0).toBe(isSame);
      const { start, end } = keysOf(a.place).allRecords();
      const isWithin = Buffer.compare(start, other) <= 0 && Buffer.compare(other, end) < 0;
      expect(isWithin).toBe(JSON.stringify(a.place) === JSON.stringify(b.place));
    }),
    { numRuns: isLong ? 100_000 : 600, seed: 20_260_603 },
  );
});
