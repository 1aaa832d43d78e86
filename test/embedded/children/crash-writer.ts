import { systemEnvironment } from '../../../src/core/system.ts';
import { pickInt } from '../../../src/testing/seeded-random.ts';
import { random, store } from './crash-world.ts';
import { tell } from './talk.ts';
import { createPairs, writePairs } from './write-pairs.ts';
import { writeRecords } from './write-records.ts';

// Writers that write until the process is killed: of records alone, and of records with their vectors.

await createPairs();
tell({ ready: true });
if (pickInt(random, 4) === 0) void compactNowAndThen();
await Promise.all([writeRecords(), writePairs()]);

async function compactNowAndThen(): Promise<void> {
  for (;;) {
    await systemEnvironment.clock.sleep(pickInt(random, 60));
    await store.compact();
  }
}
