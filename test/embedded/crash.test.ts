import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { pickInt, seededRandom } from '../../src/testing/seeded-random.ts';
import { startChild } from './support/child.ts';
import { CrashLedger, type CrashMessage } from './support/crash-ledger.ts';
import { temporaryFolder } from './support/folder.ts';

const ROUNDS = Number(process.env.NORIMAKI_ROUNDS ?? 200);
const SEED = Number(process.env.NORIMAKI_SEED ?? randomInt(2 ** 31));
const LANES = 3;

test('after SIGKILL every acknowledged write is there, none is torn, and versions grow', {
  timeout: 60_000 + ROUNDS * 2_000,
}, async () => {
  console.log(`${ROUNDS} rounds, NORIMAKI_SEED=${SEED}`);
  const ledgers = await Promise.all(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
  const acknowledged = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0);
  const unanswered = ledgers.reduce((sum, ledger) => sum + ledger.appliedUnacknowledged, 0);
  console.log(`${acknowledged} acknowledged writes; ${unanswered} applied without an answer`);
  expect(acknowledged).toBeGreaterThan(ROUNDS);
});

/** Rounds on one folder, one after the other. */
async function runLane(lane: number): Promise<CrashLedger> {
  const { data } = await temporaryFolder('disk');
  const random = seededRandom(SEED + lane);
  const ledger = new CrashLedger();
  for (let round = lane; round < ROUNDS; round += LANES) {
    const child = startChild('crash-writer', data, round, pickInt(random, 2 ** 31));
    await child.next();
    await sleep(5 + pickInt(random, 246));
    child.process.kill('SIGKILL');
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL', errors: '' });

    const store = await embedded({ path: data }).openStore(systemEnvironment);
    try {
      // The messages are what our own child script tells.
      await ledger.check(store, child.messages as CrashMessage[]);
    } finally {
      await store.close();
    }
  }
  return ledger;
}
