import { describe, expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, faultStore, manualClock, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { disagreements, Long, type Longs, words } from './support/long-docs.ts';
import { ways } from './support/world.ts';

const setText =
  (text: string | null) =>
  (doc: { text: string | null }): void => {
    doc.text = text;
  };

/** What a process was doing when it crashed; `old` exists with two passages, `new` does not exist. */
const actions: Record<string, (docs: Longs) => Promise<unknown>> = {
  create: (docs) => docs.create({ id: 'new', text: words('B', 'C') }),
  'update of one passage': (docs) => docs.mutate('old', setText(words('A', 'D'))),
  'a shorter text': (docs) => docs.mutate('old', setText(words('B'))),
  'loss of the text': (docs) => docs.mutate('old', setText(null)),
  delete: (docs) => docs.delete('old'),
};

const sequels: Record<string, (docs: Longs) => Promise<unknown>> = {
  'a search': () => Promise.resolve(),
  'another writer of the text': async (docs) => {
    await docs.put({ id: 'old', text: words('B', 'E', 'F') });
    await docs.put({ id: 'new', text: words('A') });
  },
};

function isCrash(error: unknown): boolean {
  return error instanceof SimulatedCrash || (error instanceof Error && isCrash(error.cause));
}

const ids = ['old', 'new', 'bystander'];

async function world(way: keyof typeof ways) {
  const clock = manualClock(START, { autoAdvance: true });
  const store = ways[way](await memory().openStore({ clock, random: seededRandom(1) }));
  const embedder = fakeEmbedder();
  // Every way leaves the vectors, which the types of a plain store do not show.
  const docs = (await open(store, { clock, random: seededRandom(2), embedder })).repo(Long) as unknown as Longs;
  await docs.create({ id: 'old', text: words('A', 'B') });
  await docs.create({ id: 'bystander', text: words('X', 'Y') });
  return { clock, store, embedder, docs };
}

const cases = (['in one commit', 'by reservation'] as const).flatMap((way) =>
  Object.keys(actions).map((action) => [action, way] as const),
);

describe.each(['crashBefore', 'crashAfter', 'zombie', 'lateDuplicate'] as const)('%s at every step', (fault) => {
  test.each(cases)('of %s, %s: what is found is what is there', async (action, way) => {
    let faults = 0;
    for (const [sequel, follow] of Object.entries(sequels)) {
      for (let step = 1, isOver = false; !isOver; step++) {
        const { clock, store, embedder, docs } = await world(way);
        let calls = 0;
        const script = ({ number }: { number: number }) => {
          calls = number;
          return number === step ? fault : 'none';
        };
        const faulty = faultStore(store, { random: seededRandom(3), clock, script, lateVectors: true });
        const doomed = await open(faulty, { clock, random: seededRandom(4), embedder });
        await actions[action]?.(doomed.repo(Long) as unknown as Longs).catch((error: { code?: string }) => {
          if (!isCrash(error) && error.code !== 'outcome.unknown' && error.code !== 'already.exists') throw error;
        });
        isOver = calls < step;
        if (!isOver) faults++;
        await follow(docs);
        await faulty.deliverLate();
        expect(await disagreements(docs, embedder, ids), `step ${step}, then ${sequel}`).toEqual([]);
      }
    }
    expect(faults).toBeGreaterThan(0);
  });
});
