import { describe, expect, test } from 'vitest';
import { stream } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type FaultKind, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { all, startEvents } from './support/event-stores.ts';

const S = stream('log', 'one');
const event = (data: unknown) => ({ type: 'Noted', data });

/** Appends `before` events, then one more in a process that crashes at its nth call of the store. */
async function crashAt(before: number, call: number, kind: FaultKind): Promise<'crashed' | 'done'> {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const first = await startEvents(store, { clock, seed: 1 });
  for (let i = 0; i < before; i++) await first.events.append(S, [event(i)], { expected: BigInt(i) });
  const crashing = await startEvents(store, {
    clock,
    seed: 2,
    script: ({ number }) => (number === call ? kind : 'none'),
  });
  const expected = BigInt(before);
  const fate = await crashing.events.append(S, [event('lost?')], { expected, idempotencyKey: 'k' }).then(
    () => 'done' as const,
    () => 'crashed' as const,
  );
  for (const name of ['another', 'a third']) {
    const { events } = await startEvents(store, { clock, seed: 3 });
    const version = await events.version(S);
    expect([BigInt(before), BigInt(before) + 1n, BigInt(before) + 2n]).toContain(version);
    expect(await events.append(S, [event(name)], { expected: version })).toMatchObject({ version: version + 1n });
  }
  const { events } = await startEvents(store, { clock, seed: 4 });
  const read = await all(events.read(S));
  const mine = read.filter(({ data }) => data === 'lost?').length;
  expect(mine).toBeLessThanOrEqual(1);
  if (fate === 'done') expect(mine).toBe(1);
  expect(read.map(({ version }) => version)).toEqual(read.map((_, i) => BigInt(i + 1)));
  expect(read.map(({ data }) => data).filter((data) => data !== 'lost?')).toEqual([
    ...Array.from({ length: before }, (_, i) => i),
    'another',
    'a third',
  ]);
  // Asked again under its key: once in all, whichever step the crash was at.
  const again = await events.append(S, [event('lost?')], { expected, idempotencyKey: 'k' }).then(
    ({ outcome }) => outcome,
    () => 'refused',
  );
  expect(again).toBe(mine === 1 ? 'replayed' : 'refused');
  return fate;
}

describe.each([
  [0, 'a new stream'],
  [3, 'a stream'],
  [15, 'a stream whose head is due'],
])('upstream’s wedged stream: an append to %#, %s, crashes at each call of the store in turn', (before) => {
  test.each(['crashBefore', 'crashAfter'] as const)(
    '%s: the stream goes on, and nothing is lost or there twice',
    async (kind) => {
      let crashes = 0;
      for (let call = 1; ; call++) {
        if ((await crashAt(before, call, kind)) === 'done' && call > 6) break;
        crashes++;
      }
      expect(crashes).toBeGreaterThan(1);
    },
  );
});

test('upstream’s overwritten event: of two writers that saw the same end the second does not replace the first', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const [a, b] = await Promise.all([1, 2].map((seed) => startEvents(store, { clock, seed })));
  await a?.events.append(S, [event(0)], { expected: 'new' });
  expect(await b?.events.version(S)).toBe(1n);
  await a?.events.append(S, [event('first')], { expected: 1n });
  await expect(b?.events.append(S, [event('second')], { expected: 1n })).rejects.toMatchObject({
    code: 'events.versionConflict',
  });
  await b?.events.append(S, [event('third')], { expected: 'any' });
  expect((await all(a!.events.read(S))).map(({ data }) => data)).toEqual([0, 'first', 'third']);
});

test('emmett’s duplicate: an append whose answer was lost is not there twice when it is sent again', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  let writes = 0;
  const { events } = await startEvents(store, {
    clock,
    seed: 1,
    script: ({ verb }) => (verb === 'put' && ++writes > 1 ? 'errorAfter' : 'none'),
  });
  const append = () => events.append(S, [event('a')], { expected: 'any', idempotencyKey: 'k' });
  await append().catch(() => {});
  await append().catch(() => {});
  const fresh = await startEvents(store, { clock, seed: 2 });
  expect((await all(fresh.events.read(S))).map(({ data }) => data)).toEqual(['a']);
});
