import { setTimeout } from 'node:timers/promises';
import { systemEnvironment } from '../../../src/core/system.ts';
import { NorimakiError, open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { faultStore } from '../../../src/testing/index.ts';
import { startWares } from '../../patterns/support/recommender-shop.ts';
import { hear, tell } from './talk.ts';

// clicker <path> <number> <clicks>: so many views of two users on a folder whose answers are lost now and then, once it is told to;
// each item is this process's own. Reports each that is acknowledged.

const [path = '', number = '0', clicks = '0'] = process.argv.slice(2);
const store = await embedded({ path, durability: 'committed' }).openStore(systemEnvironment);
const db = await open(faultStore(store, { ...systemEnvironment, faults: { errorAfter: 0.05 } }));
const wares = startWares(db);
tell({ ready: true });
await hear();
for (let i = 0; i < Number(clicks); i += 5) {
  // Or whoever clicks for ever would push the keys of the others out of the profile.
  await setTimeout(5);
  await Promise.all(
    Array.from({ length: 5 }, async (_, lane) => {
      const n = i + lane;
      const user = n % 2 === 0 ? 'mia' : 'tom';
      for (;;) {
        try {
          await wares.record(user, `${number}`, 'view', { at: 1_000_000, idempotencyKey: `${number}/${n}` });
          break;
        } catch (error) {
          // Under its key it can be asked for again, whatever became of it.
          if (!['store.', 'conflict.', 'outcome.'].some((kind) => NorimakiError.match(error, kind))) throw error;
        }
      }
      tell({ user });
    }),
  );
}
await db.close();
