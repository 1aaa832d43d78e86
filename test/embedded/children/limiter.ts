import type { Clock } from '../../../src/core/clock.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { open } from '../../../src/index.ts';
import { gcra, RateLimiter, slidingWindow } from '../../../src/patterns/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { norikv } from '../../../src/stores/norikv/index.ts';
import { hear, tell } from './talk.ts';

// limiter <path> <address> <calls>: asks a limiter so often, on a folder and over the wire, once it is told to; its clock
// jumps back all the time. Reports how many calls were let through.

const [path = '', address = '', calls = '0'] = process.argv.slice(2);
const { clock: machine, random } = systemEnvironment;
let offset = 0;
const clock: Clock = {
  now: () => machine.now() + offset,
  mono: () => machine.mono(),
  sleep: (...call) => machine.sleep(...call),
};
const stores = [embedded({ path, durability: 'committed' }), norikv({ nodes: [address], insecure: true })];
const databases = await Promise.all(stores.map((store) => open(store, { clock })));
tell({ ready: true });
await hear();
const allowed: number[] = [];
for (const db of databases) {
  const limiter = new RateLimiter(db, {
    name: 'shared',
    limits: [slidingWindow({ limit: 50, per: '1h' }), gcra({ rate: 60, per: '12h' })],
    blockTtl: 0,
    timeout: '1m',
  });
  let count = 0;
  let left = Number(calls);
  const ask = async (): Promise<void> => {
    while (left-- > 0) {
      offset -= Math.floor(random.float() * 120_000);
      const decision = await limiter.consume('k');
      if (decision.source !== 'store') throw new Error('The store did not decide.');
      if (decision.allowed) count++;
    }
  };
  await Promise.all([ask(), ask()]);
  allowed.push(count);
}
for (const db of databases) await db.close();
tell({ allowed });
