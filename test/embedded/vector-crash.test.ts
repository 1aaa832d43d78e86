import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { type EmbeddedStore, embedded } from '../../src/stores/embedded/index.ts';
import { pickInt, seededRandom } from '../../src/testing/seeded-random.ts';
import { startChild } from './support/child.ts';
import { EVERYTHING, temporaryFolder, text } from './support/folder.ts';
import { vectorOf } from './support/vectors.ts';

const ROUNDS = Number(process.env.NORIMAKI_ROUNDS ?? 200);
const SEED = Number(process.env.NORIMAKI_SEED ?? randomInt(2 ** 31));
const LANES = 3;
const DIMENSIONS = 8;

/** What `children/crash-vectors.ts` tells; `content` is `null` for a deleted pair. */
type Message =
  | { ready: true }
  | { wrong: string }
  | { intent: string; content: string | null }
  | { ack: string; content: string | null };

test('after SIGKILL every acknowledged pair of record and vector is there, none is torn, and search finds each', {
  timeout: 60_000 + ROUNDS * 2_000,
}, async () => {
  console.log(`${ROUNDS} rounds, NORIMAKI_SEED=${SEED}`);
  const acknowledged = await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
  const all = acknowledged.reduce((sum, count) => sum + count, 0);
  console.log(`${all} acknowledged pairs`);
  expect(all).toBeGreaterThan(ROUNDS);
});

/** Rounds on one folder, one after the other; how many pairs were acknowledged. */
async function runLane(lane: number): Promise<number> {
  const { data } = await temporaryFolder();
  const random = seededRandom(SEED + lane);
  let pairs = new Map<string, string>();
  let acknowledged = 0;
  for (let round = lane; round < ROUNDS; round += LANES) {
    const child = startChild('crash-vectors', data, round, pickInt(random, 2 ** 31));
    await child.next();
    await sleep(5 + pickInt(random, 146));
    child.process.kill('SIGKILL');
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });

    // The messages are what our own child script tells.
    const messages = child.messages as Message[];
    expect(messages.filter((message) => 'wrong' in message)).toEqual([]);
    acknowledged += messages.filter((message) => 'ack' in message).length;
    const store = await embedded({ path: data }).openStore(systemEnvironment);
    try {
      pairs = await check(store, pairs, messages);
    } finally {
      await store.close();
    }
  }
  return acknowledged;
}

async function check(
  store: EmbeddedStore,
  before: ReadonlyMap<string, string>,
  messages: readonly Message[],
): Promise<Map<string, string>> {
  const expected = new Map<string, string | null>(before);
  const unanswered = new Map<string, string | null>();
  for (const message of messages) {
    if ('intent' in message) unanswered.set(message.intent, message.content);
    if (!('ack' in message)) continue;
    expected.set(message.ack, message.content);
    unanswered.delete(message.ack);
  }
  const { entries } = await store.scan(EVERYTHING, { limit: 1000 });
  const found = new Map(entries.map(({ key, value }) => [text(key) as string, text(value) as string]));
  for (const name of new Set([...expected.keys(), ...found.keys()])) {
    const possible = [expected.get(name) ?? null];
    const content = unanswered.get(name);
    if (content !== undefined) possible.push(content);
    expect(possible, name).toContain(found.get(name) ?? null);
  }

  const wanted = [...found].map(([name, content]) => ({
    id: /^w[01]/.test(name) ? name : `${name} ${content}`,
    content,
  }));
  const ids = await store.vectors.list('pairs', { limit: 1000 });
  expect(ids, 'a vector for each record, and no other').toEqual(wanted.map(({ id }) => id).sort());
  const vectors = wanted.map(({ content }) => vectorOf(content, DIMENSIONS));
  expect(
    await store.vectors.getMany(
      'pairs',
      wanted.map(({ id }) => id),
    ),
  ).toEqual(vectors);
  for (const [i, { id }] of wanted.entries()) {
    expect(await store.vectors.search('pairs', vectors[i] as Float32Array, 1)).toEqual([{ id, distance: 0 }]);
  }
  const scratch = (await store.stats()).namespaces.find(({ namespace }) => namespace === 'scratch');
  expect([undefined, 0, 700], 'a commit of 700 vectors is there or not').toContain(scratch?.vectors);
  return found;
}
