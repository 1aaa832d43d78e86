import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { VectorStore } from '../../src/core/store.ts';
import type { Vectors } from '../../src/core/vectors/index.ts';
import type { StoreClient } from '../../src/repositories/store-client.ts';
import type { VectorEntry } from '../../src/repositories/vectors/entry.ts';
import { openStore, temporaryFolder } from '../embedded/support/folder.ts';
import { vectorOf } from '../embedded/support/vectors.ts';

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
  const { Doc } = await import('./support/world.ts');
  const { disagreements } = await import('./support/oracle.ts');
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

/** With so many dimensions few vectors are enough for a graph: only graphs are saved. */
const DIMENSIONS = 4090;
const IDS = Array.from({ length: 520 }, (_, i) => `v${i}`);
const SOME = IDS.filter((_, i) => i % 40 === 0);

/** A saved graph with one part zeroed, which only its checksum tells: see graph-file.ts. */
function damagedGraph(whole: Buffer, part: 'vectors' | 'links'): Buffer {
  const [rows, bytes] = [whole.readUInt32LE(0), whole.readUInt32LE(4)];
  const end = 8 + rows * bytes;
  const [from, to] = part === 'vectors' ? [8, end] : [end + 64 + 40 + rows * 2, whole.length];
  return Buffer.from(whole).fill(0, from, to);
}

/** A reader of a folder as it is, and one without the comparison of checksums. */
async function buildReaders(folder: string): Promise<{ guarded: string; unguarded: string }> {
  const [guarded, unguarded] = [join(folder, 'guarded.mjs'), join(folder, 'unguarded.mjs')];
  await symlink(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  const entry = fileURLToPath(new URL('../embedded/children/damaged-snapshot.ts', import.meta.url));
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
  await build({ entryPoints: [entry], outfile: guarded, ...options });
  const [before, after, ...more] = (await readFile(guarded, 'utf8')).split(' || found.checksum !== expected.checksum');
  expect(more, 'the guard stands in one place').toEqual([]);
  await writeFile(unguarded, `${before}${after ?? expect.fail('the guard is not found')}`);
  return { guarded, unguarded };
}

/** What a reader in a process of its own loses, or how it dies. */
async function readWith(reader: string, data: string): Promise<{ lost: string[] } | NodeJS.Signals> {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  const child = spawn(process.execPath, [reader, data, 'large', String(DIMENSIONS), ...SOME], { stdio });
  const [told, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (signal !== null) return signal;
  expect(code).toBe(0);
  return JSON.parse(told);
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
            const entry = {} as VectorEntry; // Nobody looks at that of a text with one vector.
            return {
              match,
              name: `${keyName(key)} ${match.id}`,
              values,
              version: stored.version,
              entry,
              passage: undefined,
            };
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

  test('the checksum of a snapshot, a damaged one ends the process or hides what is there', async () => {
    const { path, data } = await temporaryFolder();
    const store = await openStore(data);
    await store.vectors.createIndex('large', { dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' });
    const insert = (id: string) =>
      ({ type: 'insert', namespace: 'large', id, vector: vectorOf(id, DIMENSIONS) }) as const;
    await store.commit([], { vectors: IDS.map(insert) });
    await store.vectors.search('large', vectorOf('v0', DIMENSIONS), 1);
    await expect.poll(async () => (await store.stats()).namespaces[0]?.memory, { timeout: 30_000 }).toBe('hnsw');
    await store.close();

    const [name = ''] = await readdir(join(data, 'vectors'));
    const whole = await readFile(join(data, 'vectors', name));
    const damaged = async (part: 'vectors' | 'links', reader: string): Promise<string> => {
      const copy = `${data}-${part}-${reader}`;
      await cp(data, copy, { recursive: true });
      await writeFile(join(copy, 'vectors', name), damagedGraph(whole, part));
      return copy;
    };
    const readers = await buildReaders(path);
    for (const part of ['vectors', 'links'] as const) {
      expect(await readWith(readers.guarded, await damaged(part, 'guarded')), part).toEqual({ lost: [] });
    }
    expect(await readWith(readers.unguarded, await damaged('vectors', 'unguarded'))).not.toEqual({ lost: [] });
    expect(await readWith(readers.unguarded, await damaged('links', 'unguarded'))).toMatch(/^SIG/);
  });
});
