import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { sealRecord } from '../../src/core/codec/index.ts';
import type { CommitStore, ScanStore, VectorStore } from '../../src/core/store.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { nextTurn } from '../../src/core/turn.ts';
import { modelOf } from '../../src/decorators/index.ts';
import {
  type Default,
  type DoctorProgress,
  type DoctorReport,
  Embedding,
  Entity,
  Field,
  Id,
  Index,
  open,
  Ttl,
  Unique,
} from '../../src/index.ts';
import type { RepositoryContext } from '../../src/repositories/context.ts';
import { Keyspace } from '../../src/repositories/keyspace.ts';
import { openStored } from '../../src/repositories/snapshot.ts';
import { NO_TENANT } from '../../src/repositories/tenancy/place.ts';
import { parseEntries } from '../../src/repositories/vectors/entry.ts';
import { spaceOf } from '../../src/repositories/vectors/space.ts';
import { vectorIds } from '../../src/repositories/vectors/vector-id.ts';
import { claimValue } from '../../src/repositories/write/claims.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, faultStore, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { openStore, temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { codeOf } from './support/moving.ts';

@Entity('film')
@Ttl('30d', { onWrite: 'renew' })
class Film {
  @Id() id!: Id<string>;
  @Field(z.string().min(1)) @Unique() title!: string;
  @Field(z.number()) @Index() year!: number;
  @Field(z.string().nullable()) plot: Default<string | null> = null;
  @Embedding({ from: 'plot', index: 'exact' }) plotVector?: Float32Array;
}

type AnyStore = ScanStore & CommitStore & VectorStore;

const stores: Record<string, () => Promise<AnyStore>> = {
  memory: () => memory().openStore(environmentOf()),
  embedded: async () => openStore((await temporaryFolder()).data),
};

function environmentOf() {
  return { clock: manualClock(START, { autoAdvance: true }), random: seededRandom(1) };
}

async function world(kind: keyof typeof stores = 'memory', films = 20) {
  const store = await (stores[kind] as (typeof stores)[string])();
  const environment = kind === 'memory' ? environmentOf() : systemEnvironment;
  const embedder = fakeEmbedder();
  const db = await open(store, { ...environment, embedder });
  const repo = db.repo(Film);
  const id = (i: number): string => `f${String(i).padStart(3, '0')}`;
  await repo.createMany(
    Array.from({ length: films }, (_, i) => ({
      id: id(i),
      title: `title ${i}`,
      year: 1900 + i,
      plot: i === 0 ? null : `plot ${i}`,
    })),
  );
  const model = modelOf(Film);
  const keys = new Keyspace(model, 'norimaki', NO_TENANT);
  const { dimensions } = embedder;
  const spec = {
    embedder: embedder.id,
    dimensions,
    metric: 'cosine',
    index: 'exact',
    template: 'fields:["plot"]',
  } as const;
  const { namespace } = spaceOf(keys.scope, 'plotVector', spec);
  /** A record as it is stored, taken apart. */
  const opened = async (name: string) => {
    const stored = await store.get(keys.record([name]));
    if (stored === undefined) throw new Error('There is no such record.');
    // openStored reads no more of it than this.
    return openStored({ model, place: NO_TENANT } as RepositoryContext, [name], stored);
  };
  const vectorOf = async (name: string): Promise<string> => {
    const [entry] = parseEntries((await opened(name)).envelope.vectors);
    const named = entry ?? expect.fail('it names a vector');
    return String(vectorIds(() => name, [name], named)[0]);
  };
  /** Stores other fields under a record's envelope, past the repository. */
  const overwrite = async (name: string, fields: object, envelope: object = {}): Promise<void> => {
    const record = await opened(name);
    const body =
      record.body.replace(/^\{"json":.*\}$/, '') ||
      `{"json":${JSON.stringify({ ...(record.json as object), ...fields })}`;
    await store.put(keys.record([name]), sealRecord(body, { ...record.envelope, ...envelope }));
  };
  const group = { unique: model.uniques[0], index: model.indexes[0] };
  if (group.unique === undefined || group.index === undefined) throw new Error('The film has no groups.');
  const claim = (title: string) => keys.unique(group.unique as never, { title }) as Uint8Array;
  const entry = (year: number, name: string) => keys.indexEntry(group.index as never, { year, id: name }) as Uint8Array;
  return { store, environment, embedder, db, repo, id, keys, namespace, opened, vectorOf, overwrite, claim, entry };
}

type World = Awaited<ReturnType<typeof world>>;

const kindsOf = ({ findings }: DoctorReport): string[] =>
  findings.map(({ kind, id }) => `${kind} ${id?.join() ?? '?'}`);

/** What is done to the store past the repository, and what a doctor says of it. */
const damages: Record<
  string,
  { plant(world: World): Promise<unknown>; found: string[]; unmended?: string[]; isMendable: boolean }
> = {
  'a vector that the store has lost': {
    plant: async ({ store, namespace, vectorOf }) => store.vectors.delete(namespace, await vectorOf('f003')),
    found: ['vector.missing f003'],
    isMendable: true,
  },
  'a record that names no vector': {
    plant: async ({ store, namespace, vectorOf, overwrite }) => {
      await store.vectors.delete(namespace, await vectorOf('f004'));
      await overwrite('f004', {}, { vectors: undefined });
    },
    found: ['vector.missing f004'],
    isMendable: true,
  },
  'a text that changed without its vector': {
    plant: ({ overwrite }) => overwrite('f005', { plot: 'another plot' }),
    found: ['vector.stale f005'],
    isMendable: true,
  },
  'a text that went without its vector': {
    plant: ({ overwrite }) => overwrite('f005', { plot: null }),
    found: ['vector.stale f005'],
    isMendable: true,
  },
  'vectors of a record that is gone, of an older text, and of a stranger': {
    plant: async ({ store, namespace, embedder }) => {
      const vector = embedder.vectorOf('x');
      for (const name of ['gone', 'f006']) {
        await store.vectors.insert(
          namespace,
          String(vectorIds(() => name, [name], { generation: 'g'.repeat(22), passages: undefined })[0]),
          vector,
        );
      }
      await store.vectors.insert(namespace, '?', vector);
    },
    found: ['vector.orphan ?', 'vector.orphan f006', 'vector.orphan gone'],
    isMendable: true,
  },
  'an expired record that the store still has': {
    plant: ({ overwrite }) => overwrite('f007', {}, { expiresAt: 1 }),
    found: ['record.expired f007', 'unique.orphan f007', 'index.orphan f007'],
    isMendable: true,
  },
  'a record that cannot be read': {
    plant: ({ store, keys }) => store.put(keys.record(['f008']), new Uint8Array([1, 2, 3])),
    found: ['record.corrupt f008'],
    isMendable: false,
  },
  'a field that its schema refuses': {
    plant: ({ overwrite }) => overwrite('f008', { title: '' }),
    found: ['record.corrupt f008'],
    isMendable: false,
  },
  'a value that nobody keeps for its record': {
    plant: ({ store, claim }) => store.delete(claim('title 9')),
    found: ['unique.missing f009'],
    isMendable: true,
  },
  'a value that is kept for a record which is gone': {
    plant: ({ store, claim }) => store.put(claim('title 9'), claimValue(['gone'])),
    found: ['unique.missing f009'],
    // One mend is enough for both.
    unmended: ['unique.missing f009', 'unique.orphan gone'],
    isMendable: true,
  },
  'a claim that names nobody': {
    plant: ({ store, claim }) => store.put(claim('nobody'), new Uint8Array([255, 255])),
    found: ['unique.orphan '],
    isMendable: true,
  },
  'a claim whose record has another value': {
    plant: ({ store, claim }) => store.put(claim('free'), claimValue(['f009'])),
    found: ['unique.orphan f009'],
    isMendable: true,
  },
  'two records with one value': {
    plant: ({ overwrite }) => overwrite('f010', { title: 'title 11' }),
    found: ['unique.conflict f010', 'unique.orphan f010'],
    isMendable: false,
  },
  'a record that its index does not have': {
    plant: ({ store, entry }) => store.delete(entry(1912, 'f012')),
    found: ['index.missing f012'],
    isMendable: true,
  },
  'entries of a record that is gone, and of another value': {
    plant: async ({ store, entry }) => {
      await store.put(entry(2000, 'gone'), new Uint8Array(0));
      await store.put(entry(2001, 'f013'), new Uint8Array(0));
    },
    found: ['index.orphan f013', 'index.orphan gone'],
    isMendable: true,
  },
  'a record from before the constraint and the index': {
    plant: async ({ store, overwrite, claim, entry }) => {
      await store.delete(claim('title 14'));
      await store.delete(entry(1914, 'f014'));
      await overwrite('f014', {}, { derived: undefined });
    },
    found: ['index.missing f014', 'unique.missing f014'],
    isMendable: true,
  },
};

describe.each(Object.keys(stores))('on the %s store', (kind) => {
  test.each(Object.entries(damages))('%s', async (_, { plant, found, unmended, isMendable }) => {
    const here = await world(kind);
    const { db, store, keys, repo, namespace } = here;
    expect(await db.doctor()).toMatchObject({ isHealthy: true, findings: [], fixed: 0 });
    await plant(here);
    const before = await dump(store, keys, namespace);
    const report = await db.doctor();
    expect(kindsOf(report).sort()).toEqual([...(unmended ?? found)].sort());
    expect(report).toMatchObject({ isHealthy: false, fixed: 0 });
    // Without `fix` nothing is written.
    expect(await dump(store, keys, namespace)).toEqual(before);
    const mended = await db.doctor({ fix: true });
    expect(kindsOf(mended).sort()).toEqual([...found].sort());
    expect(mended.isHealthy).toBe(isMendable);
    const again = await db.doctor({ fix: true });
    if (!isMendable) expect(again.isHealthy).toBe(false);
    else {
      expect(again).toMatchObject({ isHealthy: true, findings: [], fixed: 0 });
      const all = (await repo.list({ limit: 100 })).items;
      for (const { id, title, year, plot } of all) {
        expect((await repo.findOne({ title }))?.id).toBe(id);
        expect((await repo.find({ year })).items.map((film) => String(film.id))).toEqual([id]);
        const { hits } = plot === null ? { hits: [] } : await repo.search(plot, { limit: 1 });
        if (plot !== null) expect(hits[0]?.entity.id).toBe(id);
      }
    }
  });
});

async function dump(store: AnyStore, keys: Keyspace, namespace: string): Promise<string[]> {
  const { start } = keys.allRecords();
  const end = Uint8Array.of(...start.subarray(0, -6), 255);
  const whole = { start: start.subarray(0, -6), end };
  const { entries } = await store.scan(whole, { limit: 1000 });
  const ids = await store.vectors.list(namespace, { limit: 1000 });
  return [
    ...entries.map(({ key, value, version }) => Buffer.concat([key, value]).toString('latin1') + version),
    ...ids,
  ];
}

test('what others are writing is not taken for damage, and is not damaged', async () => {
  const { db, repo, embedder } = await world('memory', 60);
  const other = (await world('memory', 1)).environment;
  const second = (await open(db.store, { ...other, embedder })).repo(Film);
  let isDone = false;
  let found = 0;
  let runs = 0;
  const examine = async (): Promise<void> => {
    while (!isDone) {
      const { findings } = await db.doctor({ fix: runs % 2 === 1 });
      found += findings.length;
      expect(findings).toEqual([]);
      runs++;
      await nextTurn();
    }
  };
  const edit = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      const id = `f${String(i % 60).padStart(3, '0')}`;
      const writer = i % 3 === 0 ? second : repo;
      if (i % 10 === 9) {
        await writer.delete(id);
        await writer.create({ id, title: `again ${i}`, year: i, plot: `again ${i}` });
      } else {
        await writer.mutate(id, (film) => {
          film.title = `edited ${i}`;
          film.year = 3000 + i;
          film.plot = i % 7 === 0 ? null : `edited ${i}`;
        });
      }
      if (i % 4 === 0) await nextTurn();
    }
    isDone = true;
  };
  await Promise.all([examine(), edit()]);
  expect(runs).toBeGreaterThan(1);
  expect(found).toBe(0);
  expect(await db.doctor()).toMatchObject({ isHealthy: true, checked: { records: 60, claims: 60, entries: 60 } });
});

test('three writes of another, between whichever of its reads, are neither reported nor undone', async () => {
  const calls = 18;
  const healthy = await world('memory', 1);
  for (let a = 1; a <= calls; a++) {
    for (let b = a; b <= calls; b++) {
      // Of those for the third a third: each call is one of them for some two before it.
      for (let c = b + (isLong ? 0 : a % 3); c <= calls; c += isLong ? 1 : 3)
        await examineAmidWrites(healthy, [a, b, c]);
    }
  }
});

/** A doctor at work, and a writer that makes a record something else, and the same again, before each of these calls. */
async function examineAmidWrites(
  { store, environment, embedder, repo }: World,
  before: readonly number[],
): Promise<void> {
  let writes = 0;
  const write = (): Promise<unknown> => {
    const text = `text ${++writes % 2}`;
    return repo.mutate('f000', (film) => {
      film.title = text;
      film.year = 1800 + (writes % 2);
      film.plot = text;
    });
  };
  await write();
  const faulty = faultStore(store, {
    random: seededRandom(1),
    script: async ({ number }) => {
      for (const at of before) if (at === number) await write();
      return 'none' as const;
    },
  });
  const db = await open(faulty, { ...environment, embedder });
  const { findings } = await db.doctor({ entities: [Film], fix: true });
  expect(findings, `writes before the calls ${before.join()}`).toEqual([]);
  expect((await repo.search(`text ${writes % 2}`)).hits).toHaveLength(1);
  const film = await repo.getOrThrow('f000');
  expect((await repo.findOne({ title: film.title }))?.id).toBe('f000');
}

test('a mend leaves a record alone but for what was wrong: its deadline, its fields', async () => {
  const { db, repo, store, claim, environment, opened, overwrite } = await world();
  const { expiresAt } = (await opened('f009')).envelope;
  await environment.clock.sleep(60_000);
  await store.delete(claim('title 9'));
  expect((await db.doctor({ fix: true })).fixed).toBe(1);
  expect((await opened('f009')).envelope.expiresAt).toBe(expiresAt);
  expect((await store.get(claim('title 9')))?.expiresAt).toBe(expiresAt);
  expect((await repo.get('f009'))?.title).toBe('title 9');
  // Nor does one that goes through a write of the record renew it.
  await overwrite('f009', {}, { derived: undefined });
  expect((await db.doctor({ fix: true })).fixed).toBe(2);
  expect((await opened('f009')).envelope.expiresAt).toBe(expiresAt);
});

test('what cannot be mended says why, and is no obstacle to the rest', async () => {
  const { db, store, namespace, vectorOf, embedder } = await world();
  for (const id of ['f003', 'f004', 'f005']) await store.vectors.delete(namespace, await vectorOf(id));
  const sparse = fakeEmbedder();
  sparse.poison.add('plot 4');
  const other = await open(store, { ...environmentOf(), embedder: sparse });
  other.repo(Film);
  const report = await other.doctor({ fix: true });
  expect(report).toMatchObject({ fixed: 2, isHealthy: false, found: { 'vector.missing': 3 } });
  expect(report.findings.filter(({ fixed }) => !fixed)).toEqual([
    {
      kind: 'vector.missing',
      entity: 'film',
      id: ['f004'],
      fields: ['plotVector'],
      fixed: false,
      reason: 'embedder.rejected',
    },
  ]);
  expect(embedder.calls.flat()).toHaveLength(19);
  expect((await db.doctor({ fix: true })).isHealthy).toBe(true);
});

test('a long list is cut, its count is not; progress and abort', async () => {
  const { db, store, entry, environment } = await world('memory', 150);
  for (let i = 0; i < 150; i++) await store.delete(entry(1900 + i, `f${String(i).padStart(3, '0')}`));
  const told: DoctorProgress[] = [];
  const report = await db.doctor({ onProgress: (progress) => told.push(progress) });
  expect(report.findings).toHaveLength(100);
  expect(report.found['index.missing']).toBe(150);
  expect(told.map(({ phase, done }) => `${phase} ${done}`)).toEqual([
    'records 150',
    'claims 150',
    'entries 0',
    'vectors 149',
  ]);
  const signal = AbortSignal.abort();
  expect(codeOf(await db.doctor({ signal, fix: true }).catch((error: unknown) => error))).toBe('aborted');
  expect((await db.doctor()).found['index.missing']).toBe(150);
  const poor = await open(limitCapabilities(store, ['scan']), { ...environment, embedder: fakeEmbedder() });
  const refused = await poor.doctor({ entities: [Plain] }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'capability.missing', details: { neededBy: 'doctor' } });
});

@Entity('plain')
class Plain {
  @Id() id!: Id<string>;
}

@Entity('later')
class Later {
  @Id() id!: Id<string>;
  @Field(z.string()) text!: string;
  @Embedding({ from: 'text', index: 'exact', mode: 'deferred' }) vector?: Float32Array;
}

test('a vector that is still to be made is not missing; a letter that died is counted', async () => {
  const { db, embedder } = await world('memory', 1);
  const idle = await open(db.store, { ...environmentOf(), embedder, outbox: false });
  const later = idle.repo(Later);
  embedder.poison.add('poison');
  await later.create({ id: 'a', text: 'fine' });
  await later.create({ id: 'b', text: 'poison' });
  expect(await idle.doctor({ fix: true })).toMatchObject({ isHealthy: true, deadLetters: 0, findings: [] });
  await later.outbox.drain();
  expect(await idle.doctor({ fix: true })).toMatchObject({ isHealthy: true, deadLetters: 1, checked: { vectors: 1 } });
});

test('a tenant has a doctor of its own', async () => {
  const { db, store, namespace } = await world();
  const tenant = db.forTenant('acme');
  await tenant.repo(Film).create({ id: 'x', title: 'x', year: 1, plot: 'x' });
  await store.vectors.insert(namespace, '?', new Float32Array(16));
  expect(await tenant.doctor()).toMatchObject({ isHealthy: true, checked: { records: 1, vectors: 1 } });
  expect(await db.doctor()).toMatchObject({ isHealthy: false, checked: { records: 20 } });
});
