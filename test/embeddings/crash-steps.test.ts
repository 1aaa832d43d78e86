import { describe, expect, test } from 'vitest';
import { atEveryStep, type Scene, type Sequel } from './support/every-step.ts';
import { Doc, type Docs, setText, ways } from './support/world.ts';

const star = (doc: { stars: number }): void => {
  doc.stars += 1;
};

const scene: Scene = { entity: Doc, texts: { old: 'A', bystander: 'bystander' }, others: ['new'] };

/** What a process was doing when it crashed. */
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

const sequels: Record<string, Sequel> = {
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
  'the end of what expires': (_docs, clock) => clock.advance(10_000),
};

const cases = (Object.keys(ways) as (keyof typeof ways)[]).flatMap((way) =>
  Object.entries(actions).map(([action, act]) => [action, way, act] as const),
);

// To a process that is dead it is all the same whether the store would have remembered its calls.
const crashCases = cases.filter(([, way]) => way !== 'by reservation, without idempotency');

describe.each(['crashBefore', 'crashAfter'] as const)('%s of every step', (moment) => {
  test.each(crashCases)('of %s, %s: what is found is what is there', async (_action, way, act) => {
    expect(await atEveryStep(scene, way, moment, act, sequels)).toBeGreaterThan(0);
  });
});

describe.each(['zombie', 'lateDuplicate'] as const)('a %s of every step', (fault) => {
  test.each(cases)('of %s, %s: what is found is what is there, once it has come', async (_action, way, act) => {
    expect(await atEveryStep(scene, way, fault, act, sequels)).toBeGreaterThan(0);
  });
});
