import { afterEach, describe, expect, test, vi } from 'vitest';
import type { VectorStore } from '../../src/core/store.ts';
import type { Vectors } from '../../src/core/vectors/index.ts';
import type { StoreClient } from '../../src/repositories/store-client.ts';

// Each guard of the sync is taken out in turn, and the oracle must notice: a guard that nobody would miss is none.

const VECTORS = '../../src/repositories/vectors';

afterEach(() => {
  vi.doUnmock(`${VECTORS}/verify.ts`);
  vi.doUnmock(`${VECTORS}/vector-id.ts`);
  vi.doUnmock(`${VECTORS}/reserve.ts`);
  vi.doUnmock('../../src/repositories/snapshot.ts');
  vi.resetModules();
});

/** What the oracle says after edits, deletes and expiries whose old vectors a careless store has kept. */
async function campaign(): Promise<string[]> {
  vi.resetModules();
  const { open } = await import('../../src/index.ts');
  const { memory } = await import('../../src/stores/memory/index.ts');
  const { fakeEmbedder, limitCapabilities, manualClock, seededRandom } = await import('../../src/testing/index.ts');
  const { Doc, disagreements } = await import('./support/world.ts');
  type Docs = import('./support/world.ts').Docs;
  const clock = manualClock(0, { autoAdvance: true });
  const environment = { clock, random: seededRandom(1) };
  const inner = await memory().openStore(environment);
  const embedder = fakeEmbedder();
  const store = careless(limitCapabilities(inner, ['commit', 'scan']) as unknown as VectorStore);
  const docs = (await open(store, { ...environment, embedder })).repo(Doc) as unknown as Docs;
  const ids = ['edited', 'deleted', 'expired', 'again'];
  for (const id of ids) await docs.create({ id, text: `first of ${id}` });
  for (const text of ['second', 'third', 'first of edited', 'last']) {
    await docs.mutate('edited', (doc) => {
      doc.text = text;
    });
  }
  await docs.delete('deleted');
  await docs.touch('expired', { ttl: '1s' });
  await docs.delete('again');
  await docs.create({ id: 'again', text: 'made again' });
  await clock.advance(2_000);
  const wrong = await disagreements(docs, embedder, ids);
  const { hits } = await docs.search('a query', { limit: 100 });
  if (hits.some(({ entity }) => entity.id === 'expired')) wrong.push('expired is found after its end');
  return wrong;
}

/** Acknowledges inserts that it drops, every other one; keeps vectors that it should delete, and records past their end. */
function careless(store: VectorStore): VectorStore {
  let inserts = 0;
  const vectors = new Proxy(store.vectors, {
    get(target, name: keyof Vectors) {
      if (name === 'delete') return async () => true;
      if (name === 'insert' && inserts++ % 2 === 0) return async () => {};
      return target[name].bind(target);
    },
  });
  return new Proxy(store, {
    get: (target, name: keyof VectorStore) => {
      if (name === 'vectors') return vectors;
      if (name === 'put') {
        const put: VectorStore['put'] = (key, value, options) =>
          target.put(key, value, { ...options, expiresAt: undefined });
        return put;
      }
      const value: unknown = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('with every guard in place the oracle has nothing to say', async () => {
  expect(await campaign()).toEqual([]);
});

describe('without', () => {
  test('the check of a hit against its record, what was deleted or edited is found', async () => {
    vi.doMock(`${VECTORS}/verify.ts`, async (actual) => {
      const real = await actual<typeof import('../../src/repositories/vectors/verify.ts')>();
      const verifyMatches: typeof real.verifyMatches = async (context, _space, matches) => {
        const { ownerOf } = await import('../../src/repositories/vectors/vector-id.ts');
        const { openStored } = await import('../../src/repositories/snapshot.ts');
        const { keyName } = await import('../../src/core/keys/index.ts');
        return Promise.all(
          matches.map(async (match) => {
            const id = ownerOf(match.id)?.id ?? [];
            const key = context.keys.record(id);
            const stored = await context.client.get(key);
            if (stored === undefined) return 'garbage';
            const opened = openStored(context, id, stored);
            if (opened.envelope.tombstone) return 'garbage';
            const { values } = context.model.codec.decode(opened, () => 'it');
            return { match, name: `${keyName(key)} ${match.id}`, values, version: stored.version };
          }),
        );
      };
      return { ...real, verifyMatches };
    });
    expect(await campaign()).toContain('edited has the score of another text');
  });

  test('generations that are never used twice, an entity has the score of what it was', async () => {
    vi.doMock(`${VECTORS}/vector-id.ts`, async (actual) => ({
      ...(await actual<typeof import('../../src/repositories/vectors/vector-id.ts')>()),
      newGeneration: () => 'A'.repeat(22),
    }));
    expect(await campaign()).toEqual([expect.stringContaining('has the score of another text')]);
  });

  test('confirming an insert, what is saved is not found', async () => {
    vi.doMock(`${VECTORS}/reserve.ts`, async (actual) => {
      const real = await actual<typeof import('../../src/repositories/vectors/reserve.ts')>();
      const insertReserved: typeof real.insertReserved = (context, id, key, base, change, signal) => {
        const vectors = new Proxy(context.client.vectors, {
          get: (target, name: keyof Vectors) =>
            name === 'get' ? async () => new Float32Array(1) : target[name].bind(target),
        });
        const client = new Proxy(context.client, {
          get: (target, name: keyof StoreClient) => {
            const value: unknown = name === 'vectors' ? vectors : target[name];
            return typeof value === 'function' ? value.bind(target) : value;
          },
        });
        return real.insertReserved({ ...context, client }, id, key, base, change, signal);
      };
      return { ...real, insertReserved };
    });
    expect(await campaign()).toEqual(['again is not found']);
  });

  test('the check of expiry, what has expired is found', async () => {
    vi.doMock('../../src/repositories/snapshot.ts', async (actual) => {
      const real = await actual<typeof import('../../src/repositories/snapshot.ts')>();
      const isGone: typeof real.isGone = (_context, { tombstone }) => tombstone === true;
      return { ...real, isGone };
    });
    expect(await campaign()).toContain('expired is found after its end');
  });
});
