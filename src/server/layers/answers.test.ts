import { expect, test } from 'vitest';
import { manualClock } from '../../testing/index.ts';
import { Answers } from './answers.ts';

const DAY_MS = 24 * 3_600_000;
const once = { idempotencyKey: 'one' };

/** Counts how often it is called. */
function counter() {
  let calls = 0;
  return { work: async () => ++calls, calls: () => calls };
}

test('a repeated call is answered as the first was; another verb, target or key is another call', async () => {
  const answers = new Answers(100, manualClock());
  const { work } = counter();
  expect(await answers.once('put', ['a'], once, work)).toBe(1);
  expect(await answers.once('put', ['a'], once, work)).toBe(1);
  expect(await answers.once('delete', ['a'], once, work)).toBe(2);
  expect(await answers.once('put', ['b'], once, work)).toBe(3);
  expect(await answers.once('put', ['a'], { idempotencyKey: 'two' }, work)).toBe(4);
  expect(await answers.once('put', ['a'], {}, work)).toBe(5);
  // What would be one text if it were only joined.
  expect(await answers.once('put', ['a', 'b'], once, work)).toBe(6);
  expect(await answers.once('put', ['a,b'], once, work)).toBe(7);
  expect(await answers.once('put', ['a"],"b'], once, work)).toBe(8);
});

test('calls at the same time share one run', async () => {
  const answers = new Answers(100, manualClock());
  const { work, calls } = counter();
  const all = Array.from({ length: 10 }, () => answers.once('put', ['a'], once, work));
  expect(new Set(await Promise.all(all))).toEqual(new Set([1]));
  expect(calls()).toBe(1);
});

test('a run that failed is forgotten, and whoever shared it is told', async () => {
  const answers = new Answers(100, manualClock());
  const fail = async () => {
    throw new Error('no');
  };
  const shared = [answers.once('put', ['a'], once, fail), answers.once('put', ['a'], once, fail)];
  for (const call of shared) await expect(call).rejects.toThrow('no');
  expect(await answers.once('put', ['a'], once, counter().work)).toBe(1);
});

test('who gives up leaves the run to others, and is told that it may be applied', async () => {
  const answers = new Answers(100, manualClock());
  let finish = (_: string): void => {};
  let seen: AbortSignal | undefined;
  const work = (signal: AbortSignal | undefined) => {
    seen = signal;
    return new Promise<string>((resolve) => {
      finish = resolve;
    });
  };
  const controller = new AbortController();
  const first = answers.once('put', ['a'], { ...once, signal: controller.signal }, work);
  const second = answers.once('put', ['a'], once, work);
  controller.abort();
  await expect(first).rejects.toMatchObject({ code: 'aborted', details: { applied: 'unknown' } });
  expect(seen).toBeUndefined();
  finish('done');
  expect(await second).toBe('done');
  const late = answers.once('put', ['a'], { ...once, signal: controller.signal }, work).catch((error) => error.details);
  await expect(Promise.resolve().then(() => late)).resolves.toEqual({ applied: 'no' });
});

test('answers are forgotten after a day', async () => {
  const clock = manualClock();
  const answers = new Answers(100, clock);
  const { work } = counter();
  await answers.once('put', ['a'], once, work);
  clock.advance(DAY_MS);
  expect(await answers.once('put', ['a'], once, work)).toBe(1);
  clock.advance(1);
  expect(await answers.once('put', ['a'], once, work)).toBe(2);
});

test('however many keys come, no more are kept than the limit, and the latest are', async () => {
  const keys = process.env.NORIMAKI_LONG === undefined ? 50_000 : 1_000_000;
  const answers = new Answers(1000, manualClock());
  const { work } = counter();
  for (let i = 0; i < keys; i++) await answers.once('put', ['a'], { idempotencyKey: `${i}` }, work);
  expect(answers.size).toBe(1000);
  expect(await answers.once('put', ['a'], { idempotencyKey: `${keys - 1000}` }, work)).toBe(keys - 999);
  expect(await answers.once('put', ['a'], { idempotencyKey: '0' }, work)).toBe(keys + 1);
});
