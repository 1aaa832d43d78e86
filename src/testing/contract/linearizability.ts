import assert from 'node:assert/strict';
import type { Random } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { checkLinearizable } from '../history/check-linearizable.ts';
import { recordHistory } from '../history/record-history.ts';
import { idle } from '../idle.ts';
import { pickInt, seededRandom } from '../seeded-random.ts';
import { bytes } from './assertions.ts';
import type { PromisedGroup, World } from './contract-case.ts';

const CLIENTS = 8;
const OPERATIONS = 250;
const KEYS = Array.from({ length: 10 }, (_, i) => bytes(`key ${i}`));
const EXPECTED = new Set(['version.mismatch', 'already.exists', 'store.unavailable']);

/** What one client does: one operation after another on random keys, with the versions that it has seen. */
export async function runClient(store: Store, name: string, random: Random, operations = OPERATIONS): Promise<void> {
  const { ifAbsent, deleteIfMatch } = store.capabilities;
  const seen = new Map<number, Version>();
  for (let i = 0; i < operations; i++) {
    const at = pickInt(random, KEYS.length);
    const key = KEYS[at] as Uint8Array;
    // Unique, so that a read tells which write it saw; a search for an order stays short.
    const value = bytes(`${name}.${i}`);
    const version = seen.get(at);
    const dice = pickInt(random, 100);
    try {
      if (dice < 35 || (dice < 60 && version === undefined)) {
        const found = await store.get(key);
        if (found === undefined) seen.delete(at);
        else seen.set(at, found.version);
      } else if (dice < 60) seen.set(at, await store.put(key, value, { ifMatch: version }));
      else if (dice < 75) seen.set(at, await store.put(key, value, { ifAbsent }));
      else if (dice < 85) seen.set(at, await store.put(key, value));
      else await store.delete(key, dice < 93 && deleteIfMatch ? { ifMatch: version } : {});
    } catch (error) {
      if (!(error instanceof NorimakiError) || !EXPECTED.has(error.code)) throw error;
    }
    if (random.float() < 0.2) await idle();
  }
}

async function check({ store }: World, seed: number): Promise<void> {
  const history = recordHistory();
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, client) => {
      const name = `client ${client}`;
      return runClient(history.wrap(store, name), name, seededRandom(seed * 1000 + client));
    }),
  );
  const result = checkLinearizable(history.operations());
  if (!result.ok) assert.fail(`Seed ${seed}. ${result.explanation}`);
}

/** What concurrent clients see can have happened one after another. */
export const linearizabilityGroup: PromisedGroup = {
  name: 'linearizability',
  needs: ['atomicCas'],
  promises: [1, 2, 3].map((seed) => ({
    name: `${CLIENTS} clients, ${OPERATIONS} operations each on ${KEYS.length} keys, seed ${seed}`,
    check: (world: World) => check(world, seed),
  })),
};
