import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { contentsOf, copyRecords } from '../support/contents.ts';
import { START } from '../support/open.ts';
import { listed, startDedup, textOf } from './support/deduplicators.ts';

type Crash = 'crashBefore' | 'crashAfter';
const NEAR = { jaccard: 0.8, bands: 4, rows: 2 };

/** What a process does that dies at one of its calls of the store. `a` and `c` are near, `b` is a copy of `a`. */
const DEEDS = {
  submit: (dedup) => dedup.submit({ id: 'x', text: textOf('w', 1) }),
  copy: (dedup) => dedup.submit({ id: 'x', text: textOf('w') }),
  reject: (dedup) => dedup.submit({ id: 'x', text: textOf('new') }, { onDuplicate: 'reject' }),
  edit: (dedup) => dedup.submit({ id: 'a', text: textOf('new') }),
  remove: (dedup) => dedup.remove('a'),
  split: (dedup) => dedup.split('c'),
  merge: (dedup) => dedup.merge('d', 'c'),
} satisfies Record<string, (dedup: Awaited<ReturnType<typeof startDedup>>['dedup']) => Promise<unknown>>;
type Deed = keyof typeof DEEDS;

/** Members of all clusters, as lists of ids, and what each text is told. */
async function stateOf({ dedup }: Awaited<ReturnType<typeof startDedup>>): Promise<unknown> {
  const clusters = new Map<string, string[]>();
  for (const id of ['a', 'b', 'c', 'd', 'x']) {
    const cluster = await dedup.cluster(id);
    if (cluster !== undefined) clusters.set(cluster.id, [cluster.canonical, ...[...cluster.members].sort()]);
  }
  const verdicts = [];
  for (const text of [textOf('w'), textOf('w', 1), textOf('other'), textOf('new')]) {
    const verdict = await dedup.check(text);
    verdicts.push('of' in verdict ? [verdict.kind, verdict.canonical] : verdict.kind);
  }
  return [[...clusters.values()].sort(), verdicts];
}

const TEXTS = { a: textOf('w'), b: textOf('w'), c: textOf('w', 1), d: textOf('other') };

/** What every deed finds. */
const found = await (async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const { dedup } = await startDedup(store, { clock, seed: 1, near: NEAR });
  for (const [id, text] of Object.entries(TEXTS)) {
    await clock.advance(1);
    await dedup.submit({ id, text });
  }
  return store;
})();

/** Does a deed in a process that dies at its n-th call of the store. `n` 0 is no crash at all. */
async function dieAt(n: number, when: Crash, deed: Deed) {
  const clock = manualClock(START + 1000, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  await copyRecords(found, store);
  let calls = 0;
  const script = () => (++calls === n ? when : 'none');
  const { dedup } = await startDedup(store, { clock, seed: 2, near: NEAR, script });
  let died = false;
  await DEEDS[deed](dedup).catch((error: unknown) => {
    // A process that is dead cannot tell what became of its last call.
    if (!(error instanceof SimulatedCrash) && !NorimakiError.is(error, 'outcome.unknown')) throw error;
    died = true;
  });
  return { clock, store, died };
}

/** Resolves to the state after others have met what a deed left, perhaps half, and cured it. */
async function curedBy(
  cure: 'again' | 'sweep',
  deed: Deed,
  { clock, store, died }: Awaited<ReturnType<typeof dieAt>>,
  label: string,
): Promise<unknown> {
  // Whatever is left half-way, nobody is named who is not there, and nothing fails.
  const half = await startDedup(store, { clock, seed: 3, near: NEAR });
  await stateOf(half);
  for (const { members } of await listed(half.dedup.clusters())) {
    for (const id of members) expect(await half.docs.get(id), `${id} after ${label}`).toBeDefined();
  }
  const other = await startDedup(store, { clock, seed: 4, near: NEAR });
  if (died && cure === 'again') await DEEDS[deed](other.dedup);
  if (died && cure === 'sweep') await other.dedup.sweep();
  return stateOf(other);
}

/** Lets a process die before and after each of its calls, and cures once all that differs of what it leaves. */
async function dieEverywhere(deed: Deed, cure: 'again' | 'sweep', check: (state: unknown, label: string) => void) {
  const cured = new Set<string>();
  for (const when of ['crashBefore', 'crashAfter'] as const) {
    for (let n = 1, died = true; died; n++) {
      const left = await dieAt(n, when, deed);
      died = left.died;
      const whatIsLeft = `${died} ${left.clock.now()} ${await contentsOf(left.store)}`;
      if (cured.has(whatIsLeft)) continue;
      cured.add(whatIsLeft);
      const label = `${when} of call ${n}`;
      check(await curedBy(cure, deed, left, label), label);
    }
  }
  // Before its first write, after its last, with and without its answer, and some between.
  expect(cured.size).toBeGreaterThan(3);
}

test.each(Object.keys(DEEDS) as Deed[])(
  'a process may die at any call while it does a %s: done again, it is as if it had lived',
  async (deed) => {
    const right = await curedBy('again', deed, await dieAt(0, 'crashBefore', deed), 'no crash');
    await dieEverywhere(deed, 'again', (state, label) => expect(state, label).toEqual(right));
  },
);

test.each(['submit', 'copy', 'edit', 'remove'] as const)(
  'a process may die at any call while it does a %s: a sweep makes all that is stored known, and what is not forgotten',
  async (deed) => {
    const done = await curedBy('sweep', deed, await dieAt(0, 'crashBefore', deed), 'no crash');
    // It died before it wrote anything that lasts.
    const undone = await curedBy('sweep', deed, await dieAt(1, 'crashBefore', deed), 'the first');
    await dieEverywhere(deed, 'sweep', (state, label) => expect([done, undone], label).toContainEqual(state));
  },
);

test('two clusters that a process made one and died are listed as one when it does so again', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const calm = await startDedup(store, { clock, seed: 1, near: NEAR });
  for (const [id, variant] of [
    ['a', 0],
    ['b', 8],
  ] as const) {
    await calm.dedup.submit({ id, text: textOf('w', variant) });
    await clock.advance(1);
  }
  let listings = 0;
  const { dedup } = await startDedup(store, {
    clock,
    seed: 2,
    near: NEAR,
    // The first two are of the document itself, that it has joined one of them.
    script: ({ verb, keys }) =>
      verb === 'put' && keys.some((key) => Buffer.from(key).includes('norimaki.index')) && ++listings === 3
        ? 'crashBefore'
        : 'none',
  });
  const bridge = { id: 'x', text: textOf('w', 4) };
  await expect(dedup.submit(bridge)).rejects.toThrow();
  await calm.dedup.submit(bridge);
  expect((await calm.dedup.cluster('a'))?.members).toEqual(['a', 'b', 'x']);
});
