import { z } from 'zod';
import type { Store } from '../src/core/store.ts';
import { defineEntity, open } from '../src/index.ts';
import { Election } from '../src/patterns/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { faultStore, manualClock, seededRandom } from '../src/testing/index.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

const Lock = defineEntity('lock', z.object({ id: z.string(), count: z.number().default(0) }), { id: 'id' });

/** Leaders that die, on a clock that jumps from wait to wait. */
const DEATHS = 200;
/** Leaders that end, one after the other. */
const ELECTIONS = Number(process.env.NORIMAKI_ELECTIONS ?? 20_000);

/**
 * Elections with the times that client-go has by default, beside client-go by its rules (tools/leaderelection): a lease of 15 s,
 * a look every 2 s, in a follower up to 2.2 times as long. Its store operations are counted by its source: a get and an update.
 */
export async function electionBench(): Promise<BenchRow[]> {
  const { waits, perMinute } = await failovers();
  const theirs = clientGoFailovers();
  const calls = await callsOfOne();
  const each = await tokens();
  const row = (name: string, ours: number, theirs: number, target: number, unit: string): BenchRow => ({
    name: `election: ${name}`,
    ours,
    theirs,
    ratio: theirs / ours,
    target,
    unit,
  });
  return [
    row('failover p50', quantile(waits, 0.5), quantile(theirs, 0.5), 1, 'ms of virtual time'),
    row('failover p99', quantile(waits, 0.99), quantile(theirs, 0.99), 1, 'ms of virtual time'),
    row('writes of a leader', perMinute, 30, 1, '/ min'),
    row('calls to acquire', calls.acquire, 2, 0.6, 'calls'),
    row('calls of a follower’s look', calls.look, 1, 1, 'calls'),
    row('calls to renew', calls.renew, 2, 1, 'calls'),
    // Beside two bare writes of a repository, which is the least that taking it and giving it back can be.
    row(`${ELECTIONS} in a row, tokens in order`, each.ours, each.theirs, 0.1, 'ns'),
  ];
}

/** From the death of a leader to the work of the next one, in milliseconds of virtual time; and what a leader writes in a minute. */
async function failovers(): Promise<{ waits: number[]; perMinute: number }> {
  const clock = manualClock(0, { autoAdvance: true });
  const random = seededRandom(1);
  const store = new CountingStore(await memory().openStore({ clock, random }));
  const waits: number[] = [];
  let onLeader: (name: number) => void = () => {};
  const start = async (name: number) => {
    const faulty = faultStore<Store>(store, { random: seededRandom(name), clock });
    const db = await open(faulty, { clock, random: seededRandom(name + 1_000_000) });
    const election = new Election(db, { name: 'e', ttl: '15s', renewEvery: '4s', pollEvery: '2s' });
    const led = election.lead(async ({ signal }) => {
      onLeader(name);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    });
    led.catch(() => {});
    return faulty;
  };
  const leader = (): Promise<number> =>
    new Promise((resolve) => {
      onLeader = resolve;
    });
  const processes = new Map<number, Awaited<ReturnType<typeof start>>>();
  let next = leader();
  let name = 0;
  for (; name < 3; name++) processes.set(name, await start(name));
  let leading = await next;
  store.reset();
  await clock.sleep(600_000);
  const perMinute = store.writes / 10;
  for (let death = 0; death < DEATHS; death++) {
    await clock.sleep(20_000 + random.float() * 4000);
    next = leader();
    const at = clock.mono();
    processes.get(leading)?.crash();
    processes.set(name, await start(name++));
    leading = await next;
    waits.push(clock.mono() - at);
  }
  for (const process of processes.values()) process.crash();
  return { waits, perMinute };
}

/** The same of client-go, by its rules: no follower trusts a time of the record, and JitterUntil waits up to 2.2 periods. */
function clientGoFailovers(): number[] {
  const random = seededRandom(2);
  const waits: number[] = [];
  const [lease, period] = [15_000, 2000];
  for (let death = 0; death < 2000; death++) {
    const renewed = 0;
    const died = random.float() * period;
    const takeOvers = [0, 1].map(() => {
      let now = random.float() * period * 2.2;
      const observed = now + renewed;
      while (now <= observed + lease) now += period * (1 + 1.2 * random.float());
      return now;
    });
    waits.push(Math.min(...takeOvers) - died);
  }
  return waits;
}

/** Calls to the store, one of each kind. */
async function callsOfOne(): Promise<{ acquire: number; look: number; renew: number }> {
  const clock = manualClock(0);
  const random = seededRandom(3);
  const store = new CountingStore(await memory().openStore({ clock, random }));
  const elect = async (seed: number) =>
    new Election(await open(store, { clock, random: seededRandom(seed) }), { name: 'e', ttl: '15s' });
  const count = async (call: () => Promise<unknown>): Promise<number> => {
    const before = store.calls;
    await call();
    return store.calls - before;
  };
  const [one, two] = [await elect(4), await elect(5)];
  await (await one.tryAcquire())?.release();
  const acquire = await count(() => one.tryAcquire());
  const look = await count(() => two.tryAcquire());
  const renew = await count(async () => one.leadership?.announce(undefined));
  await one.leadership?.release();
  return { acquire, look, renew };
}

/** Elections that end at once; throws if a token is not higher than the one before. */
async function tokens(): Promise<{ ours: number; theirs: number }> {
  const store = await memory().openStore({ clock: manualClock(0), random: seededRandom(6) });
  const elections = await Promise.all(
    [1, 2, 3, 4, 5].map(async () => new Election(await open(store), { name: 'e', ttl: '15s' })),
  );
  let last = 0n;
  const began = process.hrtime.bigint();
  for (let i = 0; i < ELECTIONS; i++) {
    const leadership = await elections[i % elections.length]?.tryAcquire();
    if (leadership === undefined || leadership.token <= last) throw new Error(`No token after ${last}.`);
    last = leadership.token;
    await leadership.release();
  }
  const ended = process.hrtime.bigint();
  const locks = (await open(store)).repo(Lock);
  for (let i = 0; i < ELECTIONS; i++) {
    await locks.mutate('lock', (lock) => lock.count++, { ifAbsent: {} });
    await locks.mutate('lock', (lock) => lock.count++);
  }
  const over = process.hrtime.bigint();
  return { ours: Number(ended - began) / ELECTIONS, theirs: Number(over - ended) / ELECTIONS };
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
