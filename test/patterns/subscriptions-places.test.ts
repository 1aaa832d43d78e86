import { expect, test } from 'vitest';
import type { CommitStore, ScanStore } from '../../src/core/store.ts';
import type { Database } from '../../src/index.ts';
import { Cursors } from '../../src/patterns/events/subscriptions/cursors.ts';
import { subscriptionRecords } from '../../src/patterns/events/subscriptions/records.ts';
import type { FaultKind } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { Tally } from './support/event-tally.ts';
import { subscriptionWorld } from './support/subscription-worlds.ts';

test('the place in a stream never goes back, whoever moves it; a worker that was replaced does not move it', async () => {
  const { db } = await openMemory();
  const { cursors: records } = subscriptionRecords(db as unknown as Database<ScanStore & CommitStore>); // Memory is one.
  const cursors = new Cursors(records, 'tallies', 'listener');
  const { signal } = new AbortController();
  const place = async () => {
    const { slot, version } = await cursors.get('a', signal);
    return { slot, version };
  };
  await cursors.move('a', { slot: 3, version: 7n }, 2n, signal);
  await cursors.move('a', { slot: 1, version: 2n }, 2n, signal);
  await cursors.move('a', { slot: 1, version: 2n }, 3n, signal);
  expect(await place()).toEqual({ slot: 3, version: 7n });
  // The same event, further in slots that hold none.
  await cursors.move('a', { slot: 4, version: 7n }, 3n, signal);
  await cursors.move('a', { slot: 2, version: 7n }, 3n, signal);
  expect(await place()).toEqual({ slot: 4, version: 7n });
  await expect(cursors.move('a', { slot: 9, version: 9n }, 1n, signal)).rejects.toMatchObject({ code: 'fence.stale' });
  expect(await place()).toEqual({ slot: 4, version: 7n });
});

test.each(['crashBefore', 'crashAfter'] as const)(
  'the first append to a stream ends by %s at each call of the store in turn: what is there is found by whoever follows all streams',
  async (fault) => {
    let found = 0;
    for (let call = 1; call <= 6; call++) {
      const world = await subscriptionWorld('memory');
      const script = ({ number }: { readonly number: number }): FaultKind | 'none' =>
        number === call ? fault : 'none';
      const crashing = await world.start(1, { script });
      const append = crashing.store.append(Tally.stream('a'), [Tally.event('Counted', { n: 1 })], { expected: 'new' });
      await world.until(append.catch(() => {}));
      const { store } = await world.start(1000);
      const version = await world.until(store.version(Tally.stream('a')));
      const got: bigint[] = [];
      const subscription = store.subscribe({ name: 'listener' }, (event) => void got.push(event.version));
      await world.until(subscription.caughtUp());
      expect(got).toEqual(version === 0n ? [] : [1n]);
      found += got.length;
      await world.until(subscription.close());
    }
    expect(found).toBeGreaterThan(0);
  },
);
