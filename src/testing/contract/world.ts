import type { Store } from '../../core/store.ts';
import { manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import type { ContractInput, World } from './contract-case.ts';

/** Lends an empty store, and closes it in the end. */
export async function withWorld(input: ContractInput, use: (world: World) => Promise<void>): Promise<void> {
  const clock = manualClock();
  const environment = { clock, random: seededRandom(1) };
  let store: Store = await input.open(environment);
  const world: World = {
    get store() {
      return store;
    },
    clock,
    environment,
    input,
    async reopen() {
      if (input.reopen === undefined) throw new Error(`${input.name} cannot be reopened.`);
      await store.close();
      store = await input.reopen(store, environment);
    },
  };
  try {
    await use(world);
  } finally {
    await store.close();
  }
}
