import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/adapter.ts';
import { NorimakiError } from '../../src/core/errors.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { defineEntity, open } from '../../src/index.ts';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';

// A full budget of 500 tokens pays for 100 retries of 5, three for each call.
const CALLS_TO_DRAIN = 34;
const CALLS_AFTER = 10;

const Tally = defineEntity('tally', z.object({ id: z.string(), count: z.number() }), { id: 'id' });

const DOWN = new NorimakiError('store.unavailable', 'Down.', { applied: 'no' });

class Failing extends StoreWrapper {
  asked = 0;

  override get(): Promise<never> {
    this.asked += 1;
    return Promise.reject(DOWN);
  }
}

/** Calls that reach the store for each call of a client's, once the budgets of all clients are used up. */
async function amplification(failing: Failing, store: Store, clients: number): Promise<number> {
  const clock = manualClock(0, { autoAdvance: true });
  const repositories = await Promise.all(
    Array.from({ length: clients }, async (_, seed) =>
      (await open(store, { clock, random: seededRandom(seed) })).repo(Tally),
    ),
  );
  const ends = new Set<string>();
  const callEach = async (times: number): Promise<void> => {
    await Promise.all(
      repositories.map(async (tallies) => {
        for (let i = 0; i < times; i++) {
          await tallies.get('one').then(
            () => ends.add('an answer'),
            (error) => ends.add(error.code),
          );
        }
      }),
    );
  };
  await callEach(CALLS_TO_DRAIN);
  expect(failing.asked).toBeGreaterThan(clients * CALLS_TO_DRAIN * 2);
  failing.asked = 0;
  await callEach(CALLS_AFTER);
  expect([...ends]).toEqual(['store.unavailable']);
  return failing.asked / (clients * CALLS_AFTER);
}

test('1,000 clients do not hammer a store that always fails', async () => {
  const failing = new Failing(await memory().openStore(systemEnvironment));
  expect(await amplification(failing, failing, 1000)).toBeLessThanOrEqual(1.1);
});

test.each([
  ['one stream', true],
  ['unary calls', false],
])('the wire adds no tries of its own, over %s', async (_, batching) => {
  const failing = new Failing(await memory().openStore(systemEnvironment));
  const server = await serve(failing, { port: 0 });
  onTestFinished(() => server.close());
  const store = await norikv({ nodes: [server.address], batching }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  expect(await amplification(failing, store, 5)).toBeLessThanOrEqual(1.1);
});
