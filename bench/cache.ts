import { setTimeout as sleep } from 'node:timers/promises';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import type { CreateDriverResult, L2CacheDriver } from 'bentocache/types';
import { encodeTuple } from '../src/core/keys/index.ts';
import type { Store } from '../src/core/store.ts';
import { open, systemEnvironment } from '../src/index.ts';
import { Cache, type CacheOptions } from '../src/patterns/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { compare, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

interface User {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly visits: number;
}

const KEYS = 1_000;
const keys = Array.from({ length: KEYS }, (_, i) => `user:${i}`);

function user(key: string): User {
  return { id: key, name: 'Mia Müller', roles: ['reader', 'writer'], visits: 17 };
}

/**
 * Beside bentocache, with its memory tier of the same size, and below it the same store for both. Theirs does less: it
 * puts without a look at who else did, and its values in memory are either parsed anew each time or everybody's to change.
 */
export async function cacheBench(): Promise<BenchRow[]> {
  return [...(await hits()), ...(await tiers()), ...(await stampede())];
}

async function hits(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const { cache } = await ourCache();
  for (const key of keys) await cache.put(key, user(key));
  for (const serialize of [true, false]) {
    const theirs = bento(await openStore(), { serialize });
    for (const key of keys) await theirs.set({ key, value: user(key) });
    const kind = serialize ? '' : ', theirs shared';
    const calls = 20_000;
    const round = (call: (key: string) => Promise<unknown>) => () =>
      timed(calls, async () => {
        for (let i = 0; i < calls; i++) await call(keys[i % KEYS] as string);
      });
    const cases: readonly [string, (key: string) => Promise<unknown>, (key: string) => Promise<unknown>][] = [
      ['get', (key) => cache.get(key), (key) => theirs.get({ key })],
      [
        'get or load',
        (key) => cache.get(key, () => user(key)),
        (key) => theirs.getOrSet({ key, factory: () => user(key) }),
      ],
    ];
    for (const [name, ours, their] of cases) {
      // Both warm: compiling is not what a hit costs.
      await round(ours)();
      await round(their)();
      const time = await compare(7, round(ours), round(their));
      rows.push({ name: `in memory: ${name}${kind}`, ...time, target: 1, unit: 'ns' });
    }
    await theirs.disconnect();
  }
  return rows;
}

async function tiers(): Promise<BenchRow[]> {
  const { cache: one, store: ourStore } = await ourCache({ l1: { ttl: '1h' }, singleFlight: 'process' });
  const { cache: leased, store: leasedStore } = await ourCache({ l1: { ttl: '1h' } });
  const { cache: bare, store: bareStore } = await ourCache({ l1: false });
  const store = await openStore();
  const theirs = bento(store, { serialize: true });
  const theirBare = bento(store, { serialize: true, l1: false });
  let n = 0;
  const fresh = (): string => `key:${n++}`;
  for (const key of keys) {
    await bare.put(key, user(key));
    await theirBare.set({ key, value: user(key) });
  }
  const known = (): string => keys[n++ % KEYS] as string;
  const load = (key: string) => ({ key, factory: () => user(key) });
  interface Case {
    readonly name: string;
    readonly ours: () => Promise<unknown>;
    readonly theirs: () => Promise<unknown>;
    readonly ourStore: CountingStore;
    /** Ours reads before it writes, so that what was invalidated stays so. */
    readonly target: number;
    readonly targetCalls: number;
  }
  const theirLoad = (key: string): Promise<unknown> => theirs.getOrSet(load(key));
  const ourLoad = (cache: Cache<User>, key: string): Promise<unknown> => cache.get(key, () => user(key));
  const cases: readonly Case[] = [
    {
      name: 'load and store',
      ours: () => ourLoad(one, fresh()),
      theirs: () => theirLoad(fresh()),
      ourStore,
      target: 0.1,
      targetCalls: 0.6,
    },
    {
      name: 'the same, with a lease',
      ours: () => ourLoad(leased, fresh()),
      theirs: () => theirLoad(fresh()),
      ourStore: leasedStore,
      target: 0.03,
      targetCalls: 0.5,
    },
    {
      name: 'from the store',
      ours: () => bare.get(known()),
      theirs: () => theirBare.get({ key: known() }),
      ourStore: bareStore,
      target: 0.15,
      targetCalls: 1,
    },
    {
      name: 'put',
      ours: () => one.put(known(), user('x')),
      theirs: () => theirs.set({ key: known(), value: user('x') }),
      ourStore,
      target: 0.08,
      targetCalls: 0.4,
    },
    {
      name: 'invalidate',
      ours: () => one.invalidate(known()),
      theirs: () => theirs.delete({ key: known() }),
      ourStore,
      target: 0.05,
      targetCalls: 0.9,
    },
  ];
  const rows: BenchRow[] = [];
  for (const { name, ours, theirs, ourStore, target, targetCalls } of cases) {
    const turns = 500;
    const rounds = 5;
    const round = (call: () => Promise<unknown>) => () =>
      timed(turns, async () => {
        for (let i = 0; i < turns; i++) await call();
      });
    await round(ours)();
    await round(theirs)();
    const [ourStart, theirStart] = [ourStore.calls, store.calls];
    const time = await compare(rounds, round(ours), round(theirs));
    const per = (count: number): number => (count * 1000) / (rounds * turns);
    const [our, their] = [per(ourStore.calls - ourStart), per(store.calls - theirStart)];
    rows.push({ name: `${name}: time`, ...time, target, unit: 'ns' });
    rows.push({
      name: `${name}: calls`,
      ours: our,
      theirs: their,
      ratio: their / our,
      target: targetCalls,
      unit: '/ 1000',
    });
  }
  return rows;
}

/** 4 processes, 250 callers each, one key that nobody has. */
async function stampede(): Promise<BenchRow[]> {
  const store = await openStore();
  const [ours, theirs] = [[] as Cache<number>[], [] as ReturnType<typeof bento>[]];
  for (let i = 0; i < 4; i++) {
    ours.push(new Cache<number>(await open(store), { name: 'stampede' }));
    theirs.push(bento(store, { serialize: true }));
  }
  const loads = { ours: 0, theirs: 0 };
  const load = (whose: 'ours' | 'theirs') => async (): Promise<number> => {
    loads[whose] += 1;
    await sleep(50);
    return 1;
  };
  const callers = Array.from({ length: 250 });
  await Promise.all(ours.flatMap((cache) => callers.map(() => cache.get('hot', load('ours')))));
  await Promise.all(
    theirs.flatMap((cache) => callers.map(() => cache.getOrSet({ key: 'hot', factory: load('theirs') }))),
  );
  const ratio = loads.theirs / loads.ours;
  return [{ name: '4 processes, 1000 callers', ...loads, ratio, target: 4, unit: 'loads' }];
}

async function openStore(): Promise<CountingStore> {
  return new CountingStore(await memory().openStore(systemEnvironment));
}

async function ourCache(options: Partial<CacheOptions> = {}): Promise<{ cache: Cache<User>; store: CountingStore }> {
  const store = await openStore();
  const cache = new Cache<User>(await open(store), { name: 'users', l1: { ttl: '1h' }, ...options });
  return { cache, store };
}

function bento(store: CountingStore, { serialize, l1 = true }: { serialize: boolean; l1?: boolean }) {
  const below = bentostore().useL2Layer(storeDriver(store));
  const tiers = l1 ? below.useL1Layer(memoryDriver({ maxItems: 10_000, serialize })) : below;
  return new BentoCache({ default: 'users', stores: { users: tiers }, ttl: '5m' });
}

/** One of our stores below bentocache, used as it uses its own. */
function storeDriver(store: Store): CreateDriverResult<L2CacheDriver> {
  const place = (key: string) => encodeTuple(['bento', key]);
  const driver: L2CacheDriver = {
    type: 'l2',
    namespace: () => driver,
    get: async (key) => {
      const found = await store.get(place(key));
      return found && Buffer.from(found.value).toString();
    },
    pull: async () => undefined,
    set: async (key, value, ttl) => {
      const expiresAt = ttl === undefined ? undefined : Date.now() + ttl;
      await store.put(place(key), Buffer.from(value), { expiresAt });
      return true;
    },
    clear: async () => {},
    delete: (key) => store.delete(place(key)),
    deleteMany: async () => true,
    disconnect: async () => {},
  };
  return { options: {}, factory: () => driver };
}
