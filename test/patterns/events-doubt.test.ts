import { describe, expect, test } from 'vitest';
import { stream } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type FaultCall, type FaultKind, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { all, startEvents } from './support/event-stores.ts';

const S = stream('log', 'one');
const event = (data: unknown) => ({ type: 'Noted', data });

const isOf = (kind: string, { keys }: FaultCall): boolean =>
  keys.some((key) => Buffer.from(key).includes(`norimaki.events.${kind}`));

/** Runs an append without a key whose reply is lost, and so many looks at what became of it. */
async function appendInDoubt(lostReads: number, rival: boolean) {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const other = await startEvents(store, { clock, seed: 9 });
  let writes = 0;
  let left = lostReads;
  const script = async (call: FaultCall): Promise<FaultKind | 'none'> => {
    if (!isOf('slot', call)) return 'none';
    if (call.verb === 'put' || call.verb === 'commit') {
      writes++;
      // Somebody else is faster, and this writer is not told so.
      if (rival && writes === 1) await other.events.append(S, [event('theirs')], { expected: 'any' });
      return rival && writes === 1 ? 'lostRequest' : 'errorAfter';
    }
    return writes > 0 && left-- > 0 ? 'errorBefore' : 'none';
  };
  const { events } = await startEvents(store, { clock, seed: 1, script });
  const said = await events.append(S, [event('mine')], { expected: 'new' }).then(
    ({ outcome }) => outcome as string,
    (error: { code: string }) => error.code,
  );
  const there = (await all(other.events.read(S))).map(({ data }) => data);
  return { said, there };
}

/** The repository gives up after four looks, then the writer looks for itself, as often. */
const LOOKS = 8;

describe('an append without a key, whose every reply is lost', () => {
  test('knows its own commit again by the slot, whoever looks at last; and guesses nothing where nobody can look', async () => {
    for (let lost = 0; lost < LOOKS + 2; lost++) {
      const { said, there } = await appendInDoubt(lost, false);
      expect([lost, said, there]).toEqual([lost, lost < LOOKS ? 'appended' : 'outcome.unknown', ['mine']]);
    }
  });

  test('takes the commit of another for none of its own', async () => {
    for (let lost = 0; lost < LOOKS + 2; lost++) {
      const { said, there } = await appendInDoubt(lost, true);
      const wanted = lost < LOOKS ? 'events.versionConflict' : 'outcome.unknown';
      expect([lost, said, there]).toEqual([lost, wanted, ['theirs']]);
    }
  });
});
