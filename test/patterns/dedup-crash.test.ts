import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { manualClock, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { listed, startDedup, textOf } from './support/deduplicators.ts';
import { openStore } from './support/stores.ts';

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

/** Resolves to the state after the deed was done, perhaps half, and then again. `n` 0 is no crash at all. */
async function dieAt(
  n: number,
  when: Crash,
  deed: Deed,
  cure: 'again' | 'sweep',
): Promise<{ state: unknown; died: boolean }> {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  const calm = await startDedup(store, { clock, seed: 1, near: NEAR });
  for (const [id, text] of [
    ['a', textOf('w')],
    ['b', textOf('w')],
    ['c', textOf('w', 1)],
    ['d', textOf('other')],
  ] as const) {
    await clock.advance(1);
    await calm.dedup.submit({ id, text });
  }
  await clock.advance(1);
  let calls = 0;
  const { dedup } = await startDedup(store, {
    clock,
    seed: 2,
    near: NEAR,
    script: () => (++calls === n ? when : 'none'),
  });
  let died = false;
  await DEEDS[deed](dedup).catch((error: unknown) => {
    // A process that is dead cannot tell what became of its last call.
    if (!(error instanceof SimulatedCrash) && !NorimakiError.is(error, 'outcome.unknown')) throw error;
    died = true;
  });
  // Whatever is left half-way, nobody is named who is not there, and nothing fails.
  const half = await startDedup(store, { clock, seed: 3, near: NEAR });
  await stateOf(half);
  for (const { members } of await listed(half.dedup.clusters())) {
    for (const id of members) expect(await half.docs.get(id), `${id} after ${when} of call ${n}`).toBeDefined();
  }
  const other = await startDedup(store, { clock, seed: 4, near: NEAR });
  if (died && cure === 'again') await DEEDS[deed](other.dedup);
  if (died && cure === 'sweep') await other.dedup.sweep();
  return { state: await stateOf(other), died };
}

test.each(Object.keys(DEEDS) as Deed[])(
  'a process may die at any call while it does a %s: done again, it is as if it had lived',
  async (deed) => {
    const { state: right } = await dieAt(0, 'crashBefore', deed, 'again');
    for (const when of ['crashBefore', 'crashAfter'] as const) {
      let n = 1;
      for (; ; n++) {
        const { state, died } = await dieAt(n, when, deed, 'again');
        expect(state, `${when} of call ${n}`).toEqual(right);
        if (!died) break;
      }
      expect(n).toBeGreaterThan(5);
    }
  },
);

test.each(['submit', 'copy', 'edit', 'remove'] as const)(
  'a process may die at any call while it does a %s: a sweep makes all that is stored known, and what is not forgotten',
  async (deed) => {
    const done = (await dieAt(0, 'crashBefore', deed, 'sweep')).state;
    // It died before it wrote anything that lasts.
    const undone = (await dieAt(1, 'crashBefore', deed, 'sweep')).state;
    for (const when of ['crashBefore', 'crashAfter'] as const) {
      for (let n = 1; ; n++) {
        const { state, died } = await dieAt(n, when, deed, 'sweep');
        expect([done, undone], `${when} of call ${n}`).toContainEqual(state);
        if (!died) break;
      }
    }
  },
);
