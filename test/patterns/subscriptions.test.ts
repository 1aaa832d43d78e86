import { describe, expect, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { EventStore, type HandlerFailure, type SubscribeToOptions } from '../../src/patterns/index.ts';
import { limitCapabilities } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { Tally } from './support/event-tally.ts';
import { collect } from './support/sessions.ts';

async function bench() {
  const { db, clock, store: bytes } = await openMemory();
  const store = new EventStore(db, { name: 'tallies', aggregates: [Tally] });
  const count = (id: string, ...numbers: number[]) =>
    store.append(
      Tally.stream(id),
      numbers.map((n) => Tally.event('Counted', { n })),
      { expected: 'any' },
    );
  const got: string[] = [];
  /** Writes down what it gets; fails as often as it is told to at an event. */
  const listen = (options: Partial<SubscribeToOptions<typeof Tally>> = {}, failures: Record<string, number> = {}) =>
    store.subscribe({ name: 'listener', streams: Tally, ...options }, (event, { version }) => {
      const name = `${event.stream.id}/${version}`;
      if ((failures[name] ?? 0) > 0) {
        failures[name] = (failures[name] ?? 0) - 1;
        throw new Error(`No ${name}.`);
      }
      got.push(name);
    });
  return { db, clock, bytes, store, count, got, listen };
}

describe('a subscription', () => {
  test('gets every event of the streams that there are and of those that come, in the order of each stream', async () => {
    const { count, got, listen } = await bench();
    await count('a', 1, 2);
    await count('b', 1);
    await using sub = listen();
    await sub.caughtUp();
    await count('a', 3);
    await count('c', 1);
    await sub.caughtUp();
    expect([...got].sort()).toEqual(['a/1', 'a/2', 'a/3', 'b/1', 'c/1']);
    expect(got.filter((name) => name.startsWith('a'))).toEqual(['a/1', 'a/2', 'a/3']);
    expect(sub.stats).toEqual({ handled: 5, failed: 0, parked: 0, skipped: 0 });
    expect(sub.partitions).toEqual([0]);
  });

  test('goes on where it was when it is opened again, in any process', async () => {
    const { db, count, got, listen } = await bench();
    await count('a', 1, 2);
    const first = listen();
    await first.caughtUp();
    await first.close();
    await first.close();
    await count('a', 3);
    const other = new EventStore(db, { name: 'tallies', aggregates: [Tally] });
    await using second = other.subscribe({ name: 'listener' }, (event) => void got.push(String(event.version)));
    await second.caughtUp();
    expect(got).toEqual(['a/1', 'a/2', '3']);
  });

  test("from: 'end' leaves out what there was, and nothing that comes after ready()", async () => {
    const { count, got, listen } = await bench();
    for (const id of ['a', 'b', 'c']) await count(id, 1, 2);
    await using sub = listen({ from: 'end', partitions: 3 });
    await sub.ready();
    await count('a', 3);
    await count('d', 1);
    await sub.caughtUp();
    expect([...got].sort()).toEqual(['a/3', 'd/1']);
  });

  test('is about the categories that it names', async () => {
    const { store, count, got, listen } = await bench();
    await store.append({ category: 'other', id: 'x' }, [{ type: 'Any', data: 1 }], { expected: 'new' });
    await count('a', 1);
    await using sub = listen();
    await sub.caughtUp();
    const all: string[] = [];
    await using both = store.subscribe({ name: 'all' }, ({ stream }) => void all.push(stream.category));
    await both.caughtUp();
    expect(got).toEqual(['a/1']);
    expect(all.sort()).toEqual(['other', 'tally']);
  });

  test('two of one name share the work, and one takes over what the other leaves', async () => {
    const { store, count } = await bench();
    const workers: string[] = [];
    const subscribe = (worker: string) =>
      store.subscribe({ name: 'shared', partitions: 2, lease: { ttl: '1s' } }, () => void workers.push(worker));
    await using one = subscribe('one');
    await using two = subscribe('two');
    await count('a', 1);
    await one.caughtUp();
    await Promise.all([one.caughtUp(), two.caughtUp()]);
    expect(workers.length).toBe(1);
    expect(one.partitions.length + two.partitions.length).toBe(2);
    await one.close();
    for (let i = 0; i < 8; i++) await count(`s${i}`, 1);
    await two.caughtUp();
    expect(workers.slice(1)).toEqual(Array.from({ length: 8 }, () => 'two'));
    expect(two.partitions).toEqual([0, 1]);
  });

  test('has its number of partitions for good', async () => {
    const { listen } = await bench();
    const first = listen({ partitions: 2 });
    await first.ready();
    await first.close();
    await using again = listen({ partitions: 3 });
    await expect(again.done).rejects.toMatchObject({ code: 'events.partitionsDiffer', details: { partitions: 2 } });
    await expect(again.caughtUp()).rejects.toMatchObject({ code: 'events.partitionsDiffer' });
  });

  test('knows how far it is, and can be removed', async () => {
    const { store, count, got, listen } = await bench();
    await count('a', 1, 2, 3);
    const sub = listen();
    await sub.caughtUp();
    await sub.close();
    await count('a', 4, 5);
    await count('b', 1);
    const handle = store.subscription('listener');
    expect(await handle.lag()).toEqual({ handled: 3n, events: 3n, streams: 2 });
    expect(await handle.remove()).toBe(true);
    expect(await handle.remove()).toBe(false);
    await expect(handle.lag()).rejects.toMatchObject({ code: 'not.found' });
    await using again = listen();
    await again.caughtUp();
    expect(got.length).toBe(9);
  });

  test('ends with its signal, and hands no event out after that', async () => {
    const { count, got, listen } = await bench();
    const stop = new AbortController();
    const sub = listen({ signal: stop.signal });
    await count('a', 1);
    await sub.caughtUp();
    stop.abort();
    await sub.done;
    await count('a', 2);
    expect(got).toEqual(['a/1']);
    await expect(sub.caughtUp()).rejects.toMatchObject({ code: 'aborted' });
  });

  test('finds by its sweep what nobody told it of', async () => {
    const { bytes, clock, count, got } = await bench();
    const deaf = await open(limitCapabilities(bytes, ['watch']), { clock });
    const store = new EventStore(deaf, { name: 'tallies' });
    await using sub = store.subscribe(
      { name: 'deaf', pollEvery: '2s', sweepEvery: '1h' },
      ({ stream }) => void got.push(stream.id),
    );
    await sub.caughtUp();
    await count('a', 1);
    await clock.sleep(2500);
    expect(got).toEqual(['a']);
  });

  test('needs a store on which streams can be found, and says so', async () => {
    const { bytes } = await bench();
    const store = new EventStore(await open(limitCapabilities(bytes, ['scan'])), { name: 'tallies' });
    expect(() => store.subscribe({ name: 'x' }, () => {})).toThrow(/scan and commit/);
    expect(() => store.subscription('x')).toThrow(NorimakiError);
  });

  test.each([
    [{ name: '' }],
    [{ name: 'n'.repeat(65) }],
    [{ partitions: 0 }],
    [{ checkpointEvery: 0 }],
    [{ from: 'middle' }],
    [{ onError: 'ignore' }],
    [{ retry: { maxAttempts: 0 } }],
    [{ pollEvery: 0 }],
  ])('refuses %j', async (options) => {
    const { listen } = await bench();
    expect(() => listen(options as object)).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
  });
});

describe('an event whose handler fails', () => {
  test('is tried again, and holds back its stream alone', async () => {
    const { count, got, listen } = await bench();
    await count('a', 1, 2);
    await count('b', 1, 2);
    const failures: HandlerFailure[] = [];
    await using sub = listen({ onFailure: (failure) => failures.push(failure) }, { 'a/1': 7 });
    await sub.caughtUp();
    expect(got.indexOf('b/2')).toBeLessThan(got.indexOf('a/1'));
    expect(got.filter((name) => name.startsWith('a'))).toEqual(['a/1', 'a/2']);
    expect(failures.map(({ attempts }) => attempts)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(failures[0]).toMatchObject({ subscription: 'listener', stream: { id: 'a' }, event: { version: 1n } });
  });

  test('is parked after its tries; its stream goes on, and it can be listed, replayed and dropped', async () => {
    const { store, count, got, listen } = await bench();
    await count('a', 1, 2, 3);
    await count('b', 1);
    const failures = { 'a/2': 4, 'b/1': 100 };
    await using sub = listen({ onError: 'park', retry: { maxAttempts: 3 } }, failures);
    await sub.caughtUp();
    expect(got).toEqual(['a/1', 'a/3']);
    const { parked } = store.subscription('listener');
    expect(await parked.count()).toBe(2);
    const [event] = await collect(parked.list({ stream: Tally.stream('a') }));
    expect(event).toMatchObject({
      version: 2n,
      type: 'Counted',
      attempts: 3,
      reason: 'Error: No a/2.',
      isReplaying: false,
    });
    // It fails once more, and is parked again.
    const stream = Tally.stream('a');
    expect(await parked.replay({ stream })).toBe(1);
    await waitFor(async () => (await collect(parked.list({ stream })))[0]?.attempts === 4);
    expect(await parked.replay({ stream, version: 2n })).toBe(1);
    await waitFor(async () => (await parked.count({ stream })) === 0);
    expect(got).toEqual(['a/1', 'a/3', 'a/2']);
    expect(await parked.drop()).toBe(1);
    expect(await parked.count()).toBe(0);
    expect(await parked.replay()).toBe(0);
  });

  test('is left out, or decided on by a function', async () => {
    const { count, got, listen } = await bench();
    await count('a', 1, 2, 3);
    const asked: number[] = [];
    const onError = ({ event, attempts }: HandlerFailure) => {
      asked.push(attempts);
      return event?.version === 1n ? ('skip' as const) : ('park' as const);
    };
    await using sub = listen({ retry: { maxAttempts: 2 }, onError }, { 'a/1': 9, 'a/2': 9 });
    await sub.caughtUp();
    expect(got).toEqual(['a/3']);
    expect(asked).toEqual([2, 2]);
    expect(sub.stats).toMatchObject({ handled: 1, parked: 1, skipped: 1 });
  });

  test('stops the subscription, which goes on there when it is opened again', async () => {
    const { count, got, listen } = await bench();
    await count('a', 1, 2, 3);
    const sub = listen({ onError: 'stop', retry: { maxAttempts: 2 } }, { 'a/2': 2 });
    await expect(sub.done).rejects.toMatchObject({
      code: 'events.handlerFailed',
      details: { subscription: 'listener', id: 'a', version: 2n, attempts: 2 },
    });
    await expect(sub.caughtUp()).rejects.toMatchObject({ code: 'events.handlerFailed' });
    expect(got).toEqual(['a/1']);
    await using again = listen();
    await again.caughtUp();
    expect(got).toEqual(['a/1', 'a/2', 'a/3']);
  });
});

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < 1000; looks++) if (await isSo()) return;
  throw new Error('It does not come to be.');
}
