// A cache in front of something slow: two processes that share a store, a stampede, an invalidation that races a load,
// a source that breaks down, and entities read through it.
import { setTimeout as sleep } from 'node:timers/promises';
import { defineEntity, open, systemEnvironment } from 'norimaki';
import { Cache } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

interface Price {
  readonly sku: string;
  readonly yen: number;
}

// Two processes on one store, played by two handles.
const store = await memory().openStore(systemEnvironment);
await using one = await open(store);
await using two = await open(store);
const options = { name: 'prices', ttl: '5m', stale: '1h' } as const;
const [here, there] = [new Cache<Price>(one, options), new Cache<Price>(two, options)];

// The slow source.
const source = new Map([['NORI-1', 480]]);
let queries = 0;
async function query(sku: string, signal: AbortSignal): Promise<Price | undefined> {
  queries++;
  const yen = source.get(sku);
  await sleep(30, undefined, { signal });
  return yen === undefined ? undefined : { sku, yen };
}
const price = (cache: Cache<Price>, sku: string) =>
  cache.get(sku, async ({ signal, absent }) => (await query(sku, signal)) ?? absent('30s'), { tags: ['list:spring'] });

// 400 requests in two processes at once: one query.
const asked = Array.from({ length: 200 }, () => [price(here, 'NORI-1'), price(there, 'NORI-1')]).flat();
const seen = new Set((await Promise.all(asked)).map((found) => found?.yen));
console.log(`400 requests saw ${[...seen].join()} yen with ${queries} query`);

// What does not exist is remembered, too.
await price(here, 'NORI-9');
console.log(`NORI-9: ${await price(there, 'NORI-9')}, with ${queries - 1} query more`);

// A price changes while the old one is on its way: the old one is not stored.
await here.invalidate('NORI-1');
const late = price(there, 'NORI-1');
await sleep(10);
source.set('NORI-1', 520);
await here.invalidateTags(['list:spring']);
console.log(`asked before the change: ${(await late)?.yen}, after it: ${(await price(here, 'NORI-1'))?.yen}`);

// The source breaks down: the last known price, for up to an hour.
await here.expire('NORI-1');
const broken = await here.get('NORI-1', () => {
  throw new Error('connection refused');
});
console.log(`while the source is down: ${broken.yen}`);

// Entities, with the types of their repository.
const Film = defineEntity('film', z.object({ id: z.string(), title: z.string(), seen: z.int() }), { id: 'id' });
const films = here.through(one.repo(Film));
await films.create({ id: 'f1', title: 'Tampopo', seen: 0 });
await Promise.all(Array.from({ length: 50 }, () => films.mutate('f1', (film) => film.seen++)));
console.log(`${(await films.getOrThrow('f1')).title} was seen ${(await films.getOrThrow('f1')).seen} times`);

const { loads, l1Hits } = here.stats();
console.log(`here: ${loads > 0 ? 'some' : 'no'} loads, ${l1Hits > 0 ? 'some' : 'no'} hits in memory`);
