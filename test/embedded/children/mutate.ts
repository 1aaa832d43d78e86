import { z } from 'zod';
import { defineEntity, open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { hear, tell } from './talk.ts';

// mutate <path> <count>: adds one, `count` times and ten at once, through a repository; once it is told to.

const Tally = defineEntity('tally', z.object({ id: z.string(), sum: z.number().int().default(0) }), { id: 'id' });

const [path = '', count = '0'] = process.argv.slice(2);
const db = await open(embedded({ path }));
const tallies = db.repo(Tally);
tell({ ready: true });
await hear();
let left = Number(count);
const add = async (): Promise<void> => {
  while (left-- > 0) {
    await tallies.mutate('one', (tally) => {
      tally.sum += 1;
    });
  }
};
await Promise.all(Array.from({ length: 10 }, add));
await db.close();
