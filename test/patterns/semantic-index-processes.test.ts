import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Child, startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';

/** Starts a process on the folder and waits until it is ready. */
async function start(data: string, name: string): Promise<{ child: Child; ready: unknown }> {
  const child = startChild('searcher', data, name);
  onTestFinished(() => void child.process.kill('SIGKILL'));
  return { child, ready: await child.next() };
}

async function ask(child: Child, order: string): Promise<unknown> {
  child.send(order);
  return child.next();
}

test('two processes on one folder find what the other writes, and each its own at once', {
  timeout: 60_000,
}, async () => {
  const { data } = await temporaryFolder();
  const [{ child: one }, { child: two }] = [await start(data, 'a'), await start(data, 'b')];
  expect(await ask(one, 'write 0 30 seaweed')).toEqual({ wrote: 30 });
  expect(await ask(one, 'find seaweed')).toEqual({ found: 30, exhausted: true });
  expect(await ask(two, 'write 0 20 seaweed')).toEqual({ wrote: 20 });
  for (const child of [one, two]) {
    let answer: unknown;
    for (let i = 0; i < 200; i++) {
      answer = await ask(child, 'find seaweed');
      if ((answer as { found: number }).found === 50) break;
      await sleep(25);
    }
    expect(answer).toEqual({ found: 50, exhausted: true });
  }
  one.send('close');
  two.send('close');
  for (const child of [one, two]) expect(await child.ended).toMatchObject({ code: 0, errors: '' });
  const { child, ready } = await start(data, 'c');
  expect(ready).toMatchObject({ documents: 50, isFromSnapshot: true });
  expect(await ask(child, 'find seaweed')).toEqual({ found: 50, exhausted: true });
});

test('a process that is killed while it stores a snapshot leaves one that is whole', { timeout: 120_000 }, async () => {
  const { data } = await temporaryFolder();
  const rounds = isLong ? 40 : 4;
  const first = await start(data, 'first');
  await ask(first.child, 'write 0 800 seaweed');
  first.child.send('close');
  expect(await first.child.ended).toMatchObject({ code: 0, errors: '' });
  let killed = 0;
  for (let round = 0; round < rounds; round++) {
    const { child, ready } = await start(data, `r${round}-`);
    expect(ready, `round ${round}`).toMatchObject({ documents: 800 + round, isFromSnapshot: true });
    expect(await ask(child, `find round${round - 1}`)).toEqual({ found: round === 0 ? 0 : 1, exhausted: true });
    await ask(child, `write 0 1 round${round}`);
    await ask(child, `find round${round}`);
    expect(await ask(child, 'close')).toEqual({ closing: true });
    await sleep((round * 37) % 160);
    child.process.kill('SIGKILL');
    if ((await child.ended).signal === 'SIGKILL') killed += 1;
  }
  expect(killed).toBeGreaterThan(0);
  const { child } = await start(data, 'last');
  expect(await ask(child, 'doctor')).toMatchObject({ isHealthy: true, lexical: { wrong: 0 } });
  child.send('close');
  expect(await child.ended).toMatchObject({ code: 0, errors: '' });
});
