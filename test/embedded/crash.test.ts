import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { pickInt, seededRandom } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { startChild } from './support/child.ts';
import { CrashLedger, type CrashMessage } from './support/crash-ledger.ts';
import { temporaryFolder } from './support/folder.ts';
import { PairLedger, type PairMessage } from './support/pair-ledger.ts';

const ROUNDS = Number(process.env.NORIMAKI_ROUNDS ?? 200);
const SEED = Number(process.env.NORIMAKI_SEED ?? randomInt(2 ** 31));
/** How long a process writes at most: enough for every kind of write, and for several compactions. */
const LIFE_MS = isLong ? 250 : 125;
/** On a disk, where most kills meet a wait for it; and in memory, where they meet work. */
const LANES = ['disk', 'disk', 'any', 'any'] as const;
/** A search starts a thread, which costs as much as the rest of a check. */
const SEARCHED = isLong ? 1 : 5;

test('after SIGKILL every acknowledged write is there, none is torn, versions grow, and search finds each pair', {
  timeout: 60_000 + ROUNDS * 2_000,
}, async () => {
  console.log(`${ROUNDS} rounds, NORIMAKI_SEED=${SEED}`);
  const lanes = await Promise.all(LANES.map(runLane));
  const sum = (of: (lane: (typeof lanes)[number]) => number): number =>
    lanes.reduce((total, lane) => total + of(lane), 0);
  const acknowledged = sum(({ records }) => records.acknowledged);
  const unanswered = sum(({ records }) => records.appliedUnacknowledged);
  const pairs = sum((lane) => lane.pairs.acknowledged);
  console.log(`${acknowledged} acknowledged writes; ${unanswered} applied without an answer; ${pairs} pairs`);
  expect(acknowledged).toBeGreaterThan(ROUNDS);
  expect(pairs).toBeGreaterThan(ROUNDS);
});

/** Rounds on one folder, one after the other. */
async function runLane(on: (typeof LANES)[number], lane: number): Promise<{ records: CrashLedger; pairs: PairLedger }> {
  const { data } = await temporaryFolder(on);
  const random = seededRandom(SEED + lane);
  const records = new CrashLedger();
  const pairs = new PairLedger();
  for (let round = lane; round < ROUNDS; round += LANES.length) {
    const child = startChild('crash-writer', data, round, pickInt(random, 2 ** 31));
    await child.next();
    await sleep(5 + pickInt(random, LIFE_MS - 4));
    // On a busy machine it may not have come to anything yet.
    for (let heard = 0, least = pickInt(random, 40); heard < least; heard++) await child.next();
    child.process.kill('SIGKILL');
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });

    const store = await embedded({ path: data }).openStore(systemEnvironment);
    try {
      // The messages are what our own child script tells.
      const messages = child.messages as (CrashMessage | PairMessage)[];
      await records.check(
        store,
        messages.filter((message): message is CrashMessage => 'intent' in message || 'ack' in message),
      );
      await pairs.check(
        store,
        messages.filter((message): message is PairMessage => 'pair' in message || 'wrong' in message),
        { isSearched: pickInt(random, SEARCHED) === 0 },
      );
    } finally {
      await store.close();
    }
  }
  return { records, pairs };
}
