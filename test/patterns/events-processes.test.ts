import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { open } from '../../src/index.ts';
import { EventStore, stream } from '../../src/patterns/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { type Child, startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';
import { Account, all } from './support/event-stores.ts';

const WRITERS = 8;
const KILLED = 3;
const APPENDS = isLong ? 1000 : 200;

interface Message {
  readonly appended?: string;
  readonly version?: string;
  readonly deposited?: string;
}

test('8 processes append to one stream of one folder, and three are killed: all that was acknowledged is there, once and in order', async () => {
  const { data } = await temporaryFolder();
  const children: Child[] = Array.from({ length: WRITERS }, (_, i) =>
    startChild('event-writer', data, `w${i}`, APPENDS),
  );
  onTestFinished(() => {
    for (const { process } of children) process.kill('SIGKILL');
  });
  await Promise.all(children.map((child) => child.next()));
  for (const child of children) {
    child.send('go');
    child.process.stdin?.end();
  }
  // Each by its own pace: one of them may be far behind another.
  await Promise.all(
    children.slice(0, KILLED).map(async (child, i) => {
      while (child.messages.length < (i + 1) * 10) await sleep(2);
      child.process.kill('SIGKILL');
    }),
  );
  const ends = await Promise.all(children.map(({ ended }) => ended));
  for (const { signal } of ends.slice(0, KILLED)) expect(signal).toBe('SIGKILL');
  for (const end of ends.slice(KILLED)) expect(end).toMatchObject({ code: 0, errors: '' });

  await using db = await open(embedded({ path: data }));
  const events = new EventStore(db, { name: 'bank', aggregates: [Account], snapshotEvery: 50 });
  const read = await all(events.read(stream('log', 'one')));
  expect(read.map(({ version }) => version)).toEqual(read.map((_, i) => BigInt(i + 1)));
  const where = new Map(read.map(({ data: text, version }) => [text as string, String(version)]));
  expect(where.size).toBe(read.length);
  const messages = children.flatMap((child) => child.messages as Message[]);
  const acknowledged = messages.filter(({ appended }) => appended !== undefined);
  expect(acknowledged.length).toBeGreaterThanOrEqual((WRITERS - KILLED) * APPENDS);
  for (const { appended = '', version } of acknowledged) expect(where.get(appended)).toBe(version);
  // At most what those that were killed had under way.
  expect(read.length - acknowledged.length).toBeLessThanOrEqual(KILLED);

  const deposits = messages.filter(({ deposited }) => deposited !== undefined).length;
  const kept = await events.load(Account, 'joint');
  expect(kept.state.balance).toBeGreaterThanOrEqual(deposits);
  expect(kept.state.balance).toBeLessThanOrEqual(deposits + KILLED);
  const folded = (await all(events.read(Account.stream('joint')))).reduce(Account.evolve, Account.initial());
  expect(kept.state).toEqual(folded);
});
