import { expect, test } from 'vitest';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { gate } from './support/caches.ts';
import { listed, startDedup, textOf } from './support/deduplicators.ts';
import { openStore } from './support/stores.ts';

type Process = Awaited<ReturnType<typeof startDedup>>;
type Deed = (process: Process) => Promise<unknown>;

const NEAR = { jaccard: 0.8, bands: 4, rows: 2 };
const submit =
  (id: string, text: string, onDuplicate?: 'reject'): Deed =>
  ({ dedup }) =>
    dedup.submit({ id, text }, { onDuplicate });
const remove =
  (id: string): Deed =>
  ({ dedup }) =>
    dedup.remove(id);
const W = textOf('w');
const NEARLY = textOf('w', 1);
const OTHER = textOf('o');

/** What one process does, and what another does whole amid it. */
const RACES: Readonly<Record<string, { readonly before: readonly Deed[]; readonly one: Deed; readonly amid: Deed }>> = {
  'a copy is submitted, the original removed': { before: [submit('y', W)], one: submit('x', W), amid: remove('y') },
  'an original is removed, a copy submitted': { before: [submit('y', W)], one: remove('y'), amid: submit('x', W) },
  'an original is removed, a near one submitted': {
    before: [submit('y', W)],
    one: remove('y'),
    amid: submit('x', NEARLY),
  },
  'a near one is submitted, the original edited': {
    before: [submit('y', W)],
    one: submit('x', NEARLY),
    amid: submit('y', OTHER),
  },
  'an original is edited, a copy submitted': {
    before: [submit('y', W)],
    one: submit('y', OTHER),
    amid: submit('x', W),
  },
  'a text that is gone comes back twice': {
    before: [submit('y', W), ({ docs }) => docs.delete('y')],
    one: submit('x', W),
    amid: submit('y', W),
  },
  'two near ones are submitted': { before: [], one: submit('x', W), amid: submit('y', NEARLY) },
  'two near ones are submitted, to be rejected': {
    before: [],
    one: submit('x', W, 'reject'),
    amid: submit('y', NEARLY, 'reject'),
  },
  'one document is edited by two': { before: [submit('y', W)], one: submit('y', OTHER), amid: submit('y', NEARLY) },
  'one document is edited there and back': { before: [submit('y', W)], one: submit('y', OTHER), amid: submit('y', W) },
  'one document is submitted and removed': { before: [], one: submit('y', W), amid: remove('y') },
  'a bridge is submitted, one end removed': {
    before: [submit('a', W), submit('y', textOf('w', 8))],
    one: submit('x', textOf('w', 4)),
    amid: remove('a'),
  },
  'one new id is submitted with two texts, of which one has a rival': {
    before: [],
    one: submit('x', W, 'reject'),
    amid: async (process) => {
      const told = await submit('x', OTHER, 'reject')(process);
      await submit('y', NEARLY, 'reject')(process);
      return told;
    },
  },
};

/** What a submission is told; a removal is told nothing of this. */
interface Told {
  readonly kind?: string;
  readonly stored?: boolean;
}

async function run(name: string, n: number): Promise<boolean> {
  const { before, one, amid } = RACES[name] as (typeof RACES)[string];
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  const calm = await startDedup(store, { clock, seed: 1, near: NEAR });
  for (const deed of before) await deed(calm);
  await clock.advance(1);
  const here = gate<void>();
  const go = gate<void>();
  let calls = 0;
  const paused = await startDedup(store, {
    clock,
    seed: 2,
    near: NEAR,
    script: async () => {
      if (++calls === n) {
        here.open();
        await go.promise;
      }
      return 'none' as const;
    },
  });
  const running = one(paused).finally(() => here.open());
  await here.promise;
  const isAmid = calls >= n;
  const label = `${name}, at call ${n}`;
  const verdict = (await amid(await startDedup(store, { clock, seed: 3, near: NEAR }))) as Told;
  go.open();
  const own = (await running) as Told;

  const stored = await listed((calm.docs as unknown as { scan(): AsyncIterable<{ id: string; text: string }> }).scan());
  for (const { id, text } of stored) {
    expect(await calm.dedup.check(text), label).toMatchObject({ kind: 'exact' });
    expect((await calm.dedup.cluster(id))?.members, label).toContain(id);
    // Similar to this text and to no other one that is stored as well.
    const similar = `${text} addendum`;
    expect(await calm.dedup.check(similar), `${label}: found by what is similar`).toMatchObject({ kind: 'near' });
  }
  const texts = stored.map(({ text }) => text);
  for (const text of [W, OTHER]) {
    if (texts.includes(text) || (text === W && texts.some((other) => other.startsWith('w')))) continue;
    expect(await calm.dedup.check(text), `${label}: what is gone is named`).toMatchObject({ kind: 'unique' });
  }
  const isOne = name.startsWith('two near') || name.includes('comes back');
  if (isOne)
    expect(
      [own.kind, verdict.kind].filter((kind) => kind === 'unique'),
      label,
    ).toHaveLength(1);
  if (name.includes('rejected')) expect(stored, label).toHaveLength(1);
  if (name.includes('two texts') && (own.stored || verdict.stored))
    expect(
      stored.map(({ id }) => id),
      `${label}: what was told to be stored is gone`,
    ).toContain('x');
  const clusters = await listed(calm.dedup.clusters());
  if (isOne && stored.length === 2)
    expect(
      clusters.map(({ members }) => members.length),
      label,
    ).toEqual([2]);
  return isAmid;
}

test.each(Object.keys(RACES))('whatever one process does amid another, at whichever call: %s', async (name) => {
  let n = 1;
  while (await run(name, n)) n++;
  expect(n).toBeGreaterThan(8);
});
