import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Chunking } from '../../src/core/model/model.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { type Database, defineEntity, Embedding, Entity, Field, Id, open } from '../../src/index.ts';
import { cut } from '../../src/repositories/vectors/cut.ts';
import type { MemoryStore } from '../../src/stores/memory/index.ts';
import { type FaultKind, faultStore, seededRandom } from '../../src/testing/index.ts';
import { openStore, temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';
import { isCrash } from './support/every-step.ts';
import { CHUNK, words } from './support/long-docs.ts';
import { moving, namespacesOf, vectorsIn } from './support/moving.ts';
import { disagreements } from './support/oracle.ts';
import { Doc, type Docs, setText } from './support/world.ts';

const WIDE = { size: 32, overlap: 4 };

/** The same records as those of `Doc`, their texts cut. */
function cutDoc(chunk: Chunking): typeof Doc {
  const fields = z.object({ id: z.string(), text: z.string().nullable(), stars: z.number().default(0) });
  const definition = defineEntity('doc', fields, {
    id: 'id',
    embeddings: { vector: { from: 'text', index: 'exact', chunk } },
  });
  // Its repository is the same but for the class of what it returns.
  return definition as unknown as typeof Doc;
}

/** What is moved, and to what. */
interface Kind {
  readonly from: typeof Doc;
  readonly to: typeof Doc;
  /** How texts are cut before and after. */
  readonly before?: Chunking;
  readonly after?: Chunking;
  readonly text: (i: number) => string;
  /** Of so many steps one is crashed at. */
  readonly stride: number;
}

const kinds: Record<string, Kind> = {
  'texts with one vector': { from: Doc, to: Doc, text: (i) => `text ${i}`, stride: isLong ? 1 : 2 },
  'passages to smaller ones': {
    from: cutDoc(WIDE),
    to: cutDoc(CHUNK),
    before: WIDE,
    after: CHUNK,
    text: (i) => words(`a${i}`, `b${i}`, `c${i}`),
    stride: isLong ? 1 : 5,
  },
};

/** How many vectors texts have, cut so. */
function vectorsOf(texts: readonly (string | null)[], chunk: Chunking | undefined): number {
  const counts = texts.map((text) => (text === null ? 0 : chunk === undefined ? 1 : cut(text, chunk).length));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What a process does when it crashes. */
const actions: Record<
  string,
  { prepare?: (docs: Moved) => Promise<unknown>; act: (docs: Moved, world: World) => Promise<unknown> }
> = {
  reindex: { act: (docs, { after }) => docs.reindex({ embedder: after, concurrency: 2 }) },
  finish: {
    prepare: (docs) => docs.reindex(),
    act: (docs) => docs.finishReindex(),
  },
  rollback: {
    prepare: (docs) => docs.reindex(),
    act: (docs) => docs.rollbackReindex(),
  },
};

type World = Awaited<ReturnType<typeof moving>>;
type Moved = World['docs'];

/** A program that knows both embedders; `after` is what its code asks for. */
async function program(
  { to }: Kind,
  { clock, before, after }: World,
  store: MemoryStore,
  seed: number,
): Promise<Moved> {
  const db: Database<MemoryStore> = await open(store, {
    clock,
    random: seededRandom(seed),
    embedder: after,
    embedders: [before],
  });
  return db.repo(to);
}

/** How many calls the action makes until it is done, or whether it crashed in this one. */
async function run(
  kind: Kind,
  name: string,
  at: number,
  fault: FaultKind,
): Promise<{ calls: number; world: World; docs: Moved }> {
  const world = await moving(5, { entity: kind.from, text: kind.text });
  const action = actions[name];
  if (action === undefined) throw new Error('There is no such action.');
  await action.prepare?.(await program(kind, world, world.store, 20));
  let calls = 0;
  const script = ({ number }: { number: number }): FaultKind | 'none' => {
    calls = number;
    return number === at ? fault : 'none';
  };
  const faulty = faultStore(world.store, { random: seededRandom(3), clock: world.clock, script });
  const done = await action.act(await program(kind, world, faulty as unknown as MemoryStore, 21), world).then(
    () => true,
    (error: unknown) => {
      if (!isCrash(error)) throw error;
      return false;
    },
  );
  if (at > 0 && calls >= at) expect(done).toBe(false);
  return { calls, world, docs: await program(kind, world, world.store, 22) };
}

/** Which of the two models answers; never a mixture. */
async function answering(
  kind: Kind,
  docs: Docs,
  { before, after, ids, queries, store }: World,
): Promise<'before' | 'after'> {
  const { active } = await namespacesOf(store);
  const model = active === (await namespaceOf(docs, store, before.dimensions)) ? 'before' : 'after';
  const options = { queries, chunk: kind[model] };
  expect(await disagreements(docs, model === 'before' ? before : after, ids, options)).toEqual([]);
  return model;
}

async function namespaceOf(docs: Docs, store: MemoryStore, dimensions: number): Promise<string | undefined> {
  const [vector, { active, previous }] = [await docs.vectorOf('d001'), await namespacesOf(store)];
  return vector?.length === dimensions ? active : previous;
}

const cases = Object.keys(kinds).flatMap((what) => Object.keys(actions).map((name) => [name, what] as const));

describe.each(['crashBefore', 'crashAfter'] as const)('%s', (fault) => {
  test.each(cases)(
    'any step of %s of %s: searches answer, saves work, and the same call ends it',
    async (name, what) => {
      const kind = kinds[what] as Kind; // A case is made of its name.
      const { calls } = await run(kind, name, 0, fault);
      expect(calls).toBeGreaterThan(5);
      for (let at = 1; at <= calls; at += kind.stride) {
        const { world, docs } = await run(kind, name, at, fault);
        const { store, after, ids } = world;
        const where = `${name}, ${fault} ${at}`;
        const model = await answering(kind, docs, world);
        if (name === 'finish') expect(model, where).toBe('after');
        await docs.mutate('d003', setText('saved after the crash'));
        await docs.put({ id: 'd002', text: null });
        await answering(kind, docs, world);
        // Three texts, and nothing that no record names.
        const texts = (await docs.getMany(ids)).map((doc) => doc?.text ?? null);
        const count = { before: vectorsOf(texts, kind.before), after: vectorsOf(texts, kind.after) };
        if (name === 'rollback') {
          await docs.rollbackReindex();
          expect(await answering(kind, docs, world), where).toBe('before');
        } else if (name === 'finish') {
          await docs.finishReindex();
          expect(await answering(kind, docs, world), where).toBe('after');
        } else {
          const calls = after.calls.flat().length;
          await docs.reindex({ concurrency: 2 });
          expect(after.calls.flat().length - calls, where).toBeLessThanOrEqual(count.after);
          expect(await answering(kind, docs, world), where).toBe('after');
        }
        const { active, previous, building } = await namespacesOf(store);
        expect(building, where).toBeUndefined();
        expect(await vectorsIn(store, active), where).toHaveLength(name === 'rollback' ? count.before : count.after);
        if (name === 'reindex') expect(await vectorsIn(store, previous), where).toHaveLength(count.before);
        else expect(previous, where).toBeUndefined();
        expect((await reportOf(kind, world)).isHealthy, where).toBe(true);
      }
    },
  );
});

async function reportOf({ to }: Kind, { store, clock, before, after }: World) {
  const db = await open(store, { clock, random: seededRandom(30), embedder: after, embedders: [before] });
  return db.doctor({ entities: [to] });
}

@Entity('later')
class Later {
  @Id() id!: Id<string>;
  @Field(z.string()) text!: string;
  @Embedding({ from: 'text', index: 'exact', mode: 'deferred' }) vector?: Float32Array;
}

test('the vectors of a deferred embedding are there when the switch is made, whether a worker runs or not', async () => {
  for (const outbox of [undefined, false] as const) {
    const { store, clock, before, after } = await moving(1);
    const first = await open(store, { clock, random: seededRandom(4), embedder: before, outbox });
    const items = Array.from({ length: 30 }, (_, i) => ({ id: `l${i}`, text: `later ${i}` }));
    await first.repo(Later).createMany(items);
    await first.repo(Later).outbox.drain();
    const db = await open(store, { clock, random: seededRandom(5), embedder: after, embedders: [before], outbox });
    const later = db.repo(Later);
    expect(await later.reindex()).toMatchObject({ embedder: 'after@1', embedded: 30, recall: 1 });
    const { hits } = await later.search('later 7', { limit: 100 });
    expect([hits.length, hits[0]?.entity.id, hits[0]?.score.toFixed(4)]).toEqual([30, 'l7', '1.0000']);
    // The outbox of the back-fill is worked off without paying again.
    const calls = after.calls.length;
    await later.outbox.drain();
    expect(after.calls).toHaveLength(calls);
    expect((await db.doctor()).isHealthy).toBe(true);
    await first.close();
    await db.close();
  }
});

test('on the embedded store: stopped, closed, opened, ended, and healthy', async () => {
  const { data } = await temporaryFolder();
  const { before, after, ids, queries } = await moving(60);
  const controller = new AbortController();
  const store = await openStore(data);
  const db = await open(store, { embedder: before });
  await db.repo(Doc).createMany(ids.map((id, i) => ({ id, text: `text ${i}` })));
  const stopped = db.repo(Doc).reindex({
    embedder: after,
    concurrency: 10,
    signal: controller.signal,
    onProgress: ({ done }) => done === 30 && controller.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  await store.close();
  const again = await openStore(data);
  const later = await open(again, { ...systemEnvironment, embedder: after, embedders: [before] });
  const docs = later.repo(Doc);
  expect(await disagreements(docs, before, ids, { queries })).toEqual([]);
  expect(await docs.reindex({ index: 'hnsw' }).catch(({ code }) => code)).toBe('reindex.conflict');
  const { recall, embedded } = await docs.reindex();
  expect(recall).toBe(1);
  expect(embedded).toBeLessThanOrEqual(30);
  expect(await disagreements(docs, after, ids, { queries })).toEqual([]);
  await docs.finishReindex();
  expect(await later.doctor()).toMatchObject({ isHealthy: true, checked: { records: 60, vectors: 60 } });
});
