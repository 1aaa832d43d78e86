import { z } from 'zod';
import { defineEntity, NorimakiError, open } from '../../../src/index.ts';
import { Election } from '../../../src/patterns/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { hear, tell } from './talk.ts';

// candidate <path> <name> <ttl>: leads whenever it can, and writes to a record in the name of its token.

const Job = defineEntity('job', z.object({ id: z.string(), token: z.bigint() }), { id: 'id' });

const [path = '', candidate = '', ttl = '0'] = process.argv.slice(2);
const db = await open(embedded({ path, durability: 'committed' }));
const jobs = db.repo(Job);
const election = new Election(db, { name: 'e', candidate, ttl: Number(ttl), pollEvery: Number(ttl) / 10 });
const stop = new AbortController();
void hear().then(() => stop.abort());
tell({ ready: true });

await election.lead(
  async ({ token, signal }) => {
    const write = (): Promise<string> =>
      jobs
        .mutate(
          'j',
          (job) => {
            job.token = token;
          },
          { fence: token, ifAbsent: { token } },
        )
        .then(
          () => 'written',
          (error: unknown) => (error instanceof NorimakiError ? error.code : String(error)),
        );
    let late = 'written';
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      late = await write();
      // Who was stopped may be refused before it is told that it leads no more.
      if (late !== 'written') break;
      if (isFirst) tell({ leads: candidate, token: String(token) });
      tell({ wrote: candidate });
      await db.environment.clock.sleep(100, { signal }).catch(() => {});
    }
    // As if it had been held up just before a write.
    if (late === 'written') late = await write();
    tell({ ends: candidate, token: String(token), late });
  },
  { signal: stop.signal },
);
await db.close();
tell({ closed: true });
process.exit();
