import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore, temporaryFolder } from '../embedded/support/folder.ts';
import { vectorOf } from '../embedded/support/vectors.ts';
import type { campaign as Campaign } from './support/guard-campaign.ts';
import { bundle, type Guard, without } from './support/guards.ts';

// Each guard of the sync is taken out in turn, and the oracle must notice: a guard that nobody would miss is none.

interface Missed extends Guard {
  /** What the oracle says without it, of texts with one vector and of passages. */
  readonly whole?: RegExp;
  readonly cut: RegExp;
}

const ANOTHER_TEXT = /has the score of another text/;

/** What one misses without each. */
const GUARDS: Record<string, Missed> = {
  'the check of a hit against its record': {
    file: 'repositories/vectors/verify.ts',
    code: '(known) => isNamedBy(known, owner)',
    without: "({ state }) => state === 'wanted'",
    whole: /edited has the score of another text/,
    cut: /edited has the score of another text/,
  },
  'the check that what is found was saved': {
    file: 'repositories/vectors/verify.ts',
    code: "entry.state !== 'wanted'",
    without: 'false',
    whole: /old has the score of another text/,
    cut: /old has the score of another text/,
  },
  'generations that are never used twice': {
    file: 'repositories/vectors/vector-id.ts',
    code: "bytes.toString('base64url')",
    without: "'A'.repeat(22)",
    whole: ANOTHER_TEXT,
    cut: ANOTHER_TEXT,
  },
  'confirming an insert': {
    file: 'repositories/vectors/reserve.ts',
    code: '(await client.vectors.get(namespace, vectorId, { signal })) !== undefined',
    without: 'true',
    whole: /again is not found/,
    cut: ANOTHER_TEXT,
  },
  'the check of expiry': {
    file: 'repositories/snapshot.ts',
    code: 'envelope.tombstone === true || isExpired(context, envelope)',
    without: 'envelope.tombstone === true',
    whole: /expired is found after its end/,
    cut: /expired is found after its end/,
  },
  'the count of passages': {
    file: 'repositories/vectors/vector-id.ts',
    code: 'owner.passage < passages.count',
    without: 'true',
    cut: /a is found without a passage/,
  },
  'telling a passage from a whole text': {
    file: 'repositories/vectors/vector-id.ts',
    code: 'passages === owner.passage',
    without: 'true',
    cut: /a is found without a passage/,
  },
  'counting an entity once': {
    file: 'repositories/vectors/nearest.ts',
    code: 'seen?.has(verdict.name)',
    without: 'false',
    cut: /passages of one entity take the place of another/,
  },
  'the deletes of all passages': {
    file: 'repositories/vectors/prepare.ts',
    code: 'vectorNamesOf(context, id, removed, catalog)',
    without: 'vectorNamesOf(context, id, removed, catalog).slice(0, 1)',
    cut: /vectors are left of 2 passages/,
  },
  'the deletes on a store that does not commit': {
    file: 'repositories/write/send.ts',
    code: 'await deleteVectors(context, vectors.deletes);',
    without: '',
    cut: /vectors are left of 2 passages/,
  },
  'the text behind a passage': {
    file: 'repositories/vectors/passages.ts',
    code: 'hashOfText(text) !== entry.source',
    without: 'false',
    cut: /a passage is shown of a text that has no vectors/,
  },
  'the text behind vectors that are taken over': {
    file: 'repositories/vectors/decide.ts',
    code: 'if (text === undefined || hashOfText(text) !== entry.source) return none;',
    without: '',
    cut: /vectors are taken over from another text/,
  },
  'the places of cuts': {
    file: 'repositories/vectors/passages.ts',
    code: 'named.cuts === cuts',
    without: 'true',
    cut: /a passage is shown of a text that was cut elsewhere/,
  },
  'the number of cuts': {
    file: 'repositories/vectors/passages.ts',
    code: 'named.count === count',
    without: 'true',
    cut: /a passage is shown of a text that was cut elsewhere/,
  },
  'the vectors of other cuts that are still to be made': {
    file: 'repositories/vectors/outbox-plan.ts',
    code: "if (texts === undefined) return { kind: 'refresh', renew: entry.generation };",
    without: 'if (texts === undefined) continue;',
    cut: /a is not found/,
  },
  'the limit of passages': {
    file: 'repositories/vectors/passages.ts',
    code: 'if (passages <= limit) return;',
    without: 'return;',
    cut: /a text of too many passages is saved/,
  },
  'the outbox of a text of which some passages are there': {
    file: 'repositories/vectors/prepare.ts',
    code: 'known.every((vector) => vector !== undefined)',
    without: 'known.some((vector) => vector !== undefined)',
    cut: ANOTHER_TEXT,
  },
};

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

let folder: string;
let campaign: typeof Campaign;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'norimaki-guards-'));
  const bundled = await bundle('embeddings/support/guard-campaign.ts', folder, GUARDS);
  ({ campaign } = await import(/* @vite-ignore */ pathToFileURL(bundled).href));
});

afterAll(() => rm(folder, { recursive: true }));

test.each(['texts with one vector', 'passages'] as const)(
  'with every guard in place nothing is wrong with %s',
  async (kind) => {
    expect(await campaign(kind)).toEqual([]);
  },
);

describe('without', () => {
  test.each(Object.entries(GUARDS))('%s something is wrong', async (name, { whole, cut }) => {
    if (whole !== undefined)
      expect((await without(name, () => campaign('texts with one vector'))).join()).toMatch(whole);
    expect((await without(name, () => campaign('passages'))).join()).toMatch(cut);
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
