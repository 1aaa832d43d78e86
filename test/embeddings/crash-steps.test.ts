import { describe, expect, test } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { type MemoryStore, memory } from '../../src/stores/memory/index.ts';
import {
  type FaultKind,
  fakeEmbedder,
  faultStore,
  manualClock,
  SimulatedCrash,
  seededRandom,
} from '../../src/testing/index.ts';
import { contentsOf } from '../support/contents.ts';
import { START } from '../support/open.ts';
import { namespacesOf, vectorsIn } from './support/moving.ts';
import { Doc, type Docs, disagreements, ways } from './support/world.ts';

const setText =
  (text: string | null) =>
  (doc: { text: string | null }): void => {
    doc.text = text;
  };

const star = (doc: { stars: number }): void => {
  doc.stars += 1;
};

/** What a process was doing when it crashed; `old` exists with the text A, `new` does not exist. */
const actions: Record<string, (docs: Docs) => Promise<unknown>> = {
  create: (docs) => docs.create({ id: 'new', text: 'B' }),
  'put of a new one': (docs) => docs.put({ id: 'new', text: 'B' }),
  'create without a text': (docs) => docs.create({ id: 'new', text: null }),
  update: (docs) => docs.mutate('old', setText('B')),
  'update of something else': (docs) => docs.mutate('old', star),
  'A to B to A': async (docs) => {
    await docs.mutate('old', setText('B'));
    await docs.mutate('old', setText('A'));
  },
  'loss of the text': (docs) => docs.mutate('old', setText(null)),
  delete: (docs) => docs.delete('old'),
  recreation: async (docs) => {
    await docs.delete('old');
    await docs.create({ id: 'old', text: 'B' });
  },
  expiry: (docs) => docs.touch('old', { ttl: '1s' }),
  'update after expiry': async (docs) => {
    await docs.touch('old', { ttl: 1 });
    await docs.put({ id: 'old', text: 'B' });
  },
};

/** What happens next. */
const sequels: Record<string, (docs: Docs) => Promise<unknown>> = {
  'a search': () => Promise.resolve(),
  'a read': (docs) => docs.getMany(['old', 'new']),
  'another writer of the text': async (docs) => {
    await docs.put({ id: 'old', text: 'C' });
    await docs.put({ id: 'new', text: 'C' });
  },
  'another writer of something else': async (docs) => {
    for (const id of ['old', 'new']) await docs.mutate(id, star, { ifAbsent: { text: 'C' } });
  },
  'a deletion': async (docs) => {
    await docs.delete('old');
    await docs.delete('new');
  },
  'the end of what expires': () => Promise.resolve(),
};

function isCrash(error: unknown): boolean {
  return error instanceof SimulatedCrash || (error instanceof Error && isCrash(error.cause));
}

const ids = ['old', 'new', 'bystander'];

async function world(way: keyof typeof ways) {
  const clock = manualClock(START, { autoAdvance: true });
  const inner = await memory().openStore({ clock, random: seededRandom(1) });
  const store = ways[way](inner);
  const embedder = fakeEmbedder();
  const survivor: Database = await open(store, { clock, random: seededRandom(2), embedder });
  // Every way leaves the vectors, which the types of a plain store do not show.
  const docs = survivor.repo(Doc) as unknown as Docs;
  await docs.create({ id: 'old', text: 'A' });
  await docs.create({ id: 'bystander', text: 'bystander' });
  return { clock, inner, store, embedder, docs };
}

/** An action of a process that meets a fault at one of its calls of the store. */
async function struck(action: string, way: keyof typeof ways, step: number, fault: FaultKind) {
  const { clock, inner, store, embedder, docs } = await world(way);
  let calls = 0;
  const script = ({ number }: { number: number }) => {
    calls = number;
    return number === step ? fault : 'none';
  };
  const faulty = faultStore(store, { random: seededRandom(3), clock, script, lateVectors: true });
  const unlucky = await open(faulty, { clock, random: seededRandom(4), embedder });
  await actions[action]?.(unlucky.repo(Doc) as unknown as Docs).catch((error: { code?: string }) => {
    if (!isCrash(error) && error.code !== 'outcome.unknown' && error.code !== 'already.exists') throw error;
  });
  return { clock, inner, embedder, docs, faulty, wasReached: calls >= step };
}

/** All that is stored, vectors too. */
async function allOf(store: MemoryStore): Promise<string> {
  const { active } = await namespacesOf(store);
  const ids = await vectorsIn(store, active);
  return `${await contentsOf(store)}${ids}\n${await store.vectors.getMany(active, ids)}`;
}

const cases = (Object.keys(ways) as (keyof typeof ways)[]).flatMap((way) =>
  Object.keys(actions).map((action) => [action, way] as const),
);

// To a process that is dead it is all the same whether the store would have remembered its calls.
const crashCases = cases.filter(([, way]) => way !== 'by reservation, without idempotency');

test.each(crashCases)('a crash at any step of %s, %s: what is found is what is there', async (action, way) => {
  // Of crashes that leave the same, before a read and after it, one is enough.
  const different = new Map<string, { step: number; moment: FaultKind }>();
  for (const moment of ['crashBefore', 'crashAfter'] as const) {
    for (let step = 1, isOver = false; !isOver; step++) {
      const { inner, wasReached } = await struck(action, way, step, moment);
      const left = await allOf(inner);
      if (!different.has(left)) different.set(left, { step, moment });
      isOver = !wasReached;
    }
  }
  expect(different.size).toBeGreaterThan(1);
  for (const [sequel, follow] of Object.entries(sequels)) {
    for (const { step, moment } of different.values()) {
      const { clock, embedder, docs } = await struck(action, way, step, moment);
      if (sequel === 'the end of what expires') await clock.advance(10_000);
      await follow(docs);
      expect(await disagreements(docs, embedder, ids), `${moment} of step ${step}, then ${sequel}`).toEqual([]);
    }
  }
});

describe.each(['zombie', 'lateDuplicate'] as const)('a %s of every step', (fault) => {
  test.each(cases)('of %s, %s: what is found is what is there, once it has come', async (action, way) => {
    // It means nothing to a read.
    const hit: number[] = [];
    for (let step = 1, isOver = false; !isOver; step++) {
      const { faulty, wasReached } = await struck(action, way, step, fault);
      if (faulty.injected.length > 0) hit.push(step);
      isOver = !wasReached;
    }
    expect(hit).not.toHaveLength(0);
    for (const [sequel, follow] of Object.entries(sequels)) {
      for (const step of hit) {
        const { clock, embedder, docs, faulty } = await struck(action, way, step, fault);
        await follow(docs);
        await faulty.deliverLate();
        await clock.advance(sequel === 'the end of what expires' ? 10_000 : 0);
        expect(await disagreements(docs, embedder, ids), `step ${step}, then ${sequel}`).toEqual([]);
      }
    }
  });
});
