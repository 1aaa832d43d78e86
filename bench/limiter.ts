import { RateLimiterMemory } from 'rate-limiter-flexible';
import { open, systemEnvironment } from '../src/index.ts';
import { type AheadOptions, gcra, RateLimiter } from '../src/patterns/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { compare, median, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

interface Case {
  readonly name: string;
  /** Callers that are at work at once; each calls again as soon as it was answered. */
  readonly callers: number;
  readonly calls: number;
  readonly keys: number;
  /** So much is let through: nothing is refused, or nearly all is. */
  readonly quota: number;
  readonly rounds: number;
  readonly target: number;
  readonly ahead?: AheadOptions;
}

const PLENTY = 1e9;
const HOT = { calls: 500_000, keys: 1, quota: PLENTY, rounds: 9 };
const AHEAD: AheadOptions = { most: 10_000 };

// The target of a refused key, and of one for which room is taken ahead, is that of a Map: both are decided in the process. Where
// each call waits for the store, the target is what that may cost.
const CASES: readonly Case[] = [
  { ...HOT, name: 'one key, 1000 callers, ahead', callers: 1000, target: 1, ahead: AHEAD },
  { ...HOT, name: 'one key, one caller, ahead', callers: 1, target: 1, ahead: AHEAD },
  { ...HOT, name: 'one key, 1000 callers', callers: 1000, target: 0.5 },
  { name: 'one key, refused', callers: 64, calls: 200_000, keys: 1, quota: 5, rounds: 7, target: 1 },
  { name: 'one key, 64 callers', callers: 64, calls: 100_000, keys: 1, quota: PLENTY, rounds: 7, target: 0.2 },
  { name: 'one key, one caller', callers: 1, calls: 5_000, keys: 1, quota: PLENTY, rounds: 5, target: 0.003 },
  {
    name: '10000 keys, 1000 callers',
    callers: 1000,
    calls: 30_000,
    keys: 10_000,
    quota: PLENTY,
    rounds: 3,
    target: 0.005,
  },
];

/**
 * Decisions beside rate-limiter-flexible's limiter in memory, which counts in a Map of its process and shares it with
 * nobody. Ours decides by compare-and-swap on a record of a store, here the one in memory.
 */
export async function limiterBench(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const one of CASES) rows.push(...(await beside(one)));
  return rows;
}

async function beside({ name, callers, calls, keys, quota, rounds, target, ahead }: Case): Promise<BenchRow[]> {
  const store = new CountingStore(await memory().openStore(systemEnvironment));
  const ours = new RateLimiter(await open(store), { name, limits: [gcra({ rate: quota, per: '1h' })], ahead });
  const theirs = new RateLimiterMemory({ points: quota, duration: 3600 });
  const names = Array.from({ length: keys }, (_, i) => `user ${i}`);
  const round = (consume: (key: string) => Promise<unknown>) => () =>
    timed(calls, async () => {
      let next = 0;
      const caller = async (): Promise<void> => {
        while (next < calls) await consume(names[next++ % keys] as string);
      };
      await Promise.all(Array.from({ length: callers }, caller));
    });
  const ourRound = round((key) => ours.consume(key));
  // Theirs throws its refusals.
  const theirRound = round(
    quota === PLENTY ? (key) => theirs.consume(key) : (key) => theirs.consume(key).catch(() => undefined),
  );
  // Both warm: compiling is not what a decision costs.
  for (let i = 0; i < 2; i++) {
    await ourRound();
    await theirRound();
  }
  const before = ours.stats();
  store.reset();
  const time = await compare(rounds, ourRound, theirRound);
  const operations = store.calls;
  const total = rounds * calls;
  const { decisions, denials } = ours.stats();
  const counted = { decisions: decisions - before.decisions, denials: denials - before.denials };
  if (counted.decisions !== total || (quota === PLENTY && counted.denials > 0)) {
    throw new Error(`Of ${total} calls ${counted.decisions} were decided, and ${counted.denials} refused.`);
  }
  const alone: number[] = [];
  for (let i = 0; i < 1000; i++) alone.push(await timed(1, async () => void (await ours.consume(names[0] as string))));
  const perSecond = (ns: number): string => `${Math.round(1e9 / ns).toLocaleString('en')} decisions/s`;
  const words = [
    `${perSecond(time.ours)} beside ${perSecond(time.theirs)}`,
    `${(operations / total).toFixed(4)} store operations per decision`,
    `p50 of a call alone ${(median(alone) / 1000).toFixed(1)} µs`,
  ];
  console.log(`limiter, ${name}: ${words.join('; ')}`);
  return [{ name: `limiter, ${name}: time`, ...time, target, unit: 'ns' }];
}
