import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { open } from '../../src/index.ts';
import { EventStore } from '../../src/patterns/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { type Child, startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';
import { all } from './support/event-stores.ts';
import { SeenViews, Tally } from './support/event-tally.ts';

const STREAMS = 5;
const KILLS = isLong ? 8 : 2;
const EVENTS_FOR_EACH = isLong ? 60 : 30;

interface Message {
  readonly by?: string;
  readonly handled?: string;
}

test('workers on one folder are killed while they project: others take over, nothing is missed, and views are the fold of all', async () => {
  const { data } = await temporaryFolder();
  const children: Child[] = [];
  onTestFinished(() => {
    for (const { process } of children) process.kill('SIGKILL');
  });
  const start = (): Child => {
    const child = startChild('projector', data, `p${children.length}`);
    children.push(child);
    return child;
  };
  const handledBy = (child: Child): string[] =>
    (child.messages as Message[]).flatMap(({ handled }) => (handled === undefined ? [] : [handled]));
  await using db = await open(embedded({ path: data }));
  const store = new EventStore(db, { name: 'tallies', aggregates: [Tally] });
  let n = 0;
  const append = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await store.append(Tally.stream(`s${n % STREAMS}`), [Tally.event('Counted', { n: ++n })], { expected: 'any' });
    }
  };

  const killed: Child[] = [];
  let working = start();
  for (let kill = 0; kill < KILLS; kill++) {
    // Alone, so that it has every lease before another asks for one.
    await append(STREAMS);
    while (handledBy(working).length < STREAMS) await sleep(2);
    // Idle until then.
    const next = start();
    const appending = append(EVENTS_FOR_EACH);
    // In the middle of its work, while events come.
    while (handledBy(working).length < STREAMS + 10) await sleep(2);
    working.process.kill('SIGKILL');
    killed.push(working);
    working = next;
    await appending;
  }
  await append(STREAMS);
  // Of a process that does not work on it, so that it says what the others have done.
  const projected = async (): Promise<number> => (await store.view(SeenViews).get('all'))?.seen.length ?? 0;
  const listener = store.subscription('listener');
  const deadline = performance.now() + 30_000;
  while ((await projected()) < n || (await listener.lag()).events > 0n) {
    if (performance.now() > deadline) throw new Error(`Only ${await projected()} of ${n} were projected.`);
    await sleep(50);
  }

  for (const child of killed) expect((await child.ended).signal).toBe('SIGKILL');
  working.send('end');
  working.process.stdin?.end();
  expect(await working.ended).toMatchObject({ code: 0, errors: '' });
  expect(handledBy(working).length).toBeGreaterThan(0);

  const handled = new Set(children.flatMap(handledBy));
  const views = store.view(SeenViews);
  for (let i = 0; i < STREAMS; i++) {
    const events = await all(store.read(Tally.stream(`s${i}`)));
    const names = events.map(({ version }) => `s${i}/${version}`);
    const view = await views.getOrThrow(`s${i}`);
    expect(view.seen).toEqual(names);
    expect(view.total).toBe(events.reduce((sum, { type, data }) => sum + (type === 'Counted' ? data.n : 0), 0));
    for (const name of names) expect(handled).toContain(name);
  }
  const everything = await views.getOrThrow('all');
  expect(everything.total).toBe((n * (n + 1)) / 2);
  expect(new Set(everything.seen).size).toBe(n);
  expect(everything.seen).toHaveLength(n);
});
