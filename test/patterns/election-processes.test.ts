import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';

const TTL = 1500;
/** After `ttl · (1 + drift)` and two looks, on a machine that may be busy. */
const BOUND = TTL * 1.01 + (2 * TTL) / 10 + 4000;

interface Message {
  readonly leads?: string;
  readonly ends?: string;
  readonly wrote?: string;
  readonly token?: string;
  readonly late?: string;
}

test('on one folder: a killed leader and a stopped one are replaced in time, and the stopped one is refused', async () => {
  const { data } = await temporaryFolder();
  const children = new Map<string, Child>();
  const messages = (): Message[] => [...children.values()].flatMap((child) => child.messages as Message[]);
  const start = (name: string): void => {
    children.set(name, startChild('candidate', data, name, TTL));
  };
  onTestFinished(() => {
    for (const { process } of children.values()) process.kill('SIGKILL');
  });
  /** Waits for a message, at most so long. */
  const wait = async (
    isIt: (message: Message) => boolean,
    within: number,
  ): Promise<{ message: Message; ms: number }> => {
    const started = performance.now();
    for (;;) {
      const message = messages().find(isIt);
      const ms = performance.now() - started;
      if (message !== undefined) return { message, ms };
      if (ms > within) throw new Error(`Not within ${within} ms: ${JSON.stringify(messages())}`);
      await sleep(5);
    }
  };
  const leader = (token: number, within: number) =>
    wait(({ leads, token: its }) => leads !== undefined && its === String(token), within);

  for (const name of ['a', 'b', 'c']) start(name);
  const first = await leader(1, 20_000);
  await sleep(300);
  const killed = first.message.leads ?? '';
  children.get(killed)?.process.kill('SIGKILL');
  const second = await leader(2, BOUND);
  expect(second.message.leads).not.toBe(killed);
  expect(second.ms).toBeGreaterThan(TTL / 2);

  // Right after a write, so that it does not hold the store's lock while it is stopped.
  const stopped = second.message.leads ?? '';
  const { length } = messages();
  await wait(({ wrote }) => wrote === stopped && messages().length > length, 5000);
  const child = children.get(stopped)?.process;
  child?.kill('SIGSTOP');
  const third = await leader(3, BOUND);
  expect(third.message.leads).not.toBe(stopped);
  child?.kill('SIGCONT');
  const { message: end } = await wait(({ ends, token }) => ends === stopped && token === '2', 30_000);
  expect(end.late).toBe('fence.stale');

  // One after the other, and nobody else.
  const tokens = messages().flatMap(({ leads, token }) => (leads === undefined ? [] : [Number(token)]));
  expect(new Set(tokens).size).toBe(tokens.length);
  expect(tokens).toEqual(expect.arrayContaining([1, 2, 3]));
  const rest = [...children].filter(([name]) => name !== killed);
  for (const [, one] of rest) one.send('end');
  for (const [, one] of rest) expect(await one.ended).toMatchObject({ code: 0, errors: '' });
});
