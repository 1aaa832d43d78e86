import { expect, test } from 'vitest';
import { makeVersion } from '../version.ts';
import { ChangeQueue } from './change-queue.ts';
import { Watches } from './watches.ts';

const key = (byte: number): Uint8Array => Uint8Array.of(byte);
const put = (byte: number, index: number) =>
  ({ type: 'put', key: key(byte), version: makeVersion(1n, BigInt(index)) }) as const;
const DONE = { done: true, value: undefined };

test('what is added in one turn comes as one step, a key once, the newest last', async () => {
  const queue = new ChangeQueue();
  const step = queue.next();
  queue.add(put(1, 1));
  queue.add(put(2, 2));
  queue.add(put(1, 3));
  expect(await step).toEqual({ done: false, value: [put(2, 2), put(1, 3)] });
  queue.add(put(1, 4));
  queue.add({ type: 'delete', key: key(1) });
  expect((await queue.next()).value).toEqual([{ type: 'delete', key: key(1) }]);
});

test('steps that are asked for at once are answered in their order', async () => {
  const queue = new ChangeQueue();
  const steps = [queue.next(), queue.next(), queue.next()];
  queue.add(put(1, 1));
  expect((await steps[0])?.value).toEqual([put(1, 1)]);
  queue.add(put(2, 2));
  expect((await steps[1])?.value).toEqual([put(2, 2)]);
  await queue.return();
  expect(await steps[2]).toEqual(DONE);
});

test('an error is told once, to the first that asks, also later; what waited is dropped', async () => {
  let ends = 0;
  const failing = new ChangeQueue({}, () => {
    ends += 1;
  });
  failing.add(put(1, 1));
  failing.fail(new Error('first'));
  failing.fail(new Error('second'));
  failing.add(put(2, 2));
  await expect(failing.next()).rejects.toThrow('first');
  expect(await failing.next()).toEqual(DONE);
  expect(ends).toBe(1);

  const waited = new ChangeQueue();
  const [one, other] = [waited.next(), waited.next()];
  waited.fail(new Error('first'));
  await expect(one).rejects.toThrow('first');
  expect(await other).toEqual(DONE);
});

test('as many keys as the buffer has room for are kept, and one more is too many', async () => {
  const queue = new ChangeQueue({ buffer: 3 });
  for (const byte of [1, 2, 3, 1, 2, 3]) queue.add(put(byte, byte));
  expect((await queue.next()).value).toHaveLength(3);
  for (const byte of [1, 2, 3, 4]) queue.add(put(byte, byte));
  await expect(queue.next()).rejects.toMatchObject({ code: 'watch.lost', details: { reason: 'behind' } });
});

test('a signal is let go with the watch', async () => {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  signal.addEventListener = (...[, listener]: Parameters<AbortSignal['addEventListener']>) =>
    void listeners.add(listener);
  signal.removeEventListener = (...[, listener]: Parameters<AbortSignal['removeEventListener']>) =>
    void listeners.delete(listener);
  const queue = new ChangeQueue({ signal });
  expect(listeners.size).toBe(1);
  await queue.return();
  expect(listeners.size).toBe(0);
});

test('a watch is told what is in its range and behind its start, and is forgotten when it ends', async () => {
  let empties = 0;
  const watches = new Watches(() => {
    empties += 1;
  });
  const range = { start: key(2), end: key(4) };
  const [early, late] = [watches.open(range), watches.open(range, {}, 5)];
  for (const byte of [1, 2, 3, 4]) watches.tell(put(byte, byte), byte === 3 ? 6 : 5);
  expect((await early.next()).value).toEqual([put(2, 2), put(3, 3)]);
  expect((await late.next()).value).toEqual([put(3, 3)]);
  await early.return();
  expect([watches.isEmpty, empties]).toEqual([false, 0]);
  watches.fail(new Error('over'));
  expect([watches.isEmpty, empties]).toEqual([true, 1]);
  await expect(late.next()).rejects.toThrow('over');
});
