import { describe, expect, test } from 'vitest';
import { atEveryStep, type Scene, type Sequel } from './support/every-step.ts';
import { CHUNK, Long, words } from './support/long-docs.ts';
import { type Docs, setText } from './support/world.ts';

const scene: Scene = {
  entity: Long,
  chunk: CHUNK,
  texts: { old: words('A', 'B'), bystander: words('X', 'Y') },
  others: ['new'],
};

/** What a process was doing when it crashed. */
const actions: Record<string, (docs: Docs) => Promise<unknown>> = {
  create: (docs) => docs.create({ id: 'new', text: words('B', 'C') }),
  'update of one passage': (docs) => docs.mutate('old', setText(words('A', 'D'))),
  'a shorter text': (docs) => docs.mutate('old', setText(words('B'))),
  'loss of the text': (docs) => docs.mutate('old', setText(null)),
  delete: (docs) => docs.delete('old'),
};

const sequels: Record<string, Sequel> = {
  'a search': () => Promise.resolve(),
  'another writer of the text': async (docs) => {
    await docs.put({ id: 'old', text: words('B', 'E', 'F') });
    await docs.put({ id: 'new', text: words('A') });
  },
};

const cases = (['in one commit', 'by reservation'] as const).flatMap((way) =>
  Object.entries(actions).map(([action, act]) => [action, way, act] as const),
);

describe.each(['crashBefore', 'crashAfter', 'zombie', 'lateDuplicate'] as const)('%s at every step', (fault) => {
  test.each(cases)('of %s, %s: what is found is what is there', async (_action, way, act) => {
    expect(await atEveryStep(scene, way, fault, act, sequels)).toBeGreaterThan(0);
  });
});
