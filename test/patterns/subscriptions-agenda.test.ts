import { expect, test } from 'vitest';
import { Agenda } from '../../src/patterns/events/subscriptions/agenda.ts';
import type { Found } from '../../src/patterns/events/subscriptions/work.ts';
import { manualClock } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { Tally } from './support/event-tally.ts';
import { LEASE, subscriptionWorld } from './support/subscription-worlds.ts';

const found = (key: string): Found => ({ key, stream: { category: 'tally', id: key } });

function openAgenda(inStore: () => readonly string[]) {
  const clock = manualClock(START);
  let sweeps = 0;
  const agenda = new Agenda(clock, 1000, async function* () {
    sweeps++;
    yield* inStore().map(found);
  });
  const rest = async (): Promise<string[]> => {
    const keys: string[] = [];
    for (let next = await agenda.next(); next !== undefined; next = await agenda.next()) keys.push(next.key);
    return keys;
  };
  const hold = (key: string, wait: number): void =>
    agenda.held.hold({ found: found(key), version: 1n, attempts: 1, due: clock.mono() + wait });
  return { agenda, clock, rest, hold, sweeps: () => sweeps };
}

test('a stream that waits to be tried again is given out when it is due, whoever notices it before', async () => {
  const { agenda, clock, rest, hold } = openAgenda(() => []);
  expect(await rest()).toEqual([]);
  hold('a', 500);
  for (const key of ['a', 'b', 'a']) agenda.notice(found(key));
  expect(await rest()).toEqual(['b']);
  await clock.advance(499);
  agenda.notice(found('a'));
  expect(await rest()).toEqual([]);
  expect(agenda.wait).toBe(1);
  await clock.advance(1);
  expect(await rest()).toEqual(['a']);
});

test('a stream that waits to be tried again is not given out by a sweep either, and all others are', async () => {
  const { agenda, clock, rest, hold, sweeps } = openAgenda(() => ['a', 'b', 'c']);
  hold('b', 2500);
  expect(await rest()).toEqual(['a', 'c']);
  await clock.advance(1000);
  expect(await rest()).toEqual(['a', 'c']);
  // Any stream may have changed.
  agenda.notice(undefined);
  expect(await rest()).toEqual(['a', 'c']);
  expect(sweeps()).toBe(3);
  await clock.advance(1500);
  expect(await rest()).toEqual(['b', 'a', 'b', 'c']);
});

test('an event that failed is not tried before its time, however much is appended behind it', async () => {
  const world = await subscriptionWorld('memory');
  const { store } = await world.start(1);
  const tried: bigint[] = [];
  const subscription = store.subscribe(
    { name: 'listener', lease: LEASE, retry: { base: '1h', cap: '1h', maxAttempts: 9 }, sweepEvery: '10s' },
    (event) => {
      tried.push(event.version);
      throw new Error('No.');
    },
  );
  const append = () => store.append(Tally.stream('a'), [Tally.event('Counted', { n: 1 })], { expected: 'any' });
  await world.until(append());
  for (let steps = 0; steps < 200 && tried.length === 0; steps++) {
    await world.shared.quiet();
    await world.clock.advance(50);
  }
  for (let i = 0; i < 5; i++) {
    await world.until(append());
    await world.until(world.clock.sleep(15_000), 1000);
  }
  expect(tried).toEqual([1n]);
  await world.until(subscription.close());
});
