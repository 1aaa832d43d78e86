import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeTuple } from '../src/core/keys/index.ts';
import type { Key, Store } from '../src/core/store.ts';
import { NorimakiError, open, systemEnvironment } from '../src/index.ts';
import { Counter } from '../src/patterns/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { compare, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

/** After so many tries the seed gives up; here it goes on with the same wait, so that both do the same work. */
const SEED_RETRIES = 10;

interface Case {
  readonly writers: number;
  /** Adds of one writer in a round. */
  readonly turns: number;
  readonly rounds: number;
  /** The guide's own number is 10; on 1 it is the bare loop on one hot record, which takes minutes where writes are durable. */
  readonly seedShards: number;
  /** What we promise of the time. A lone writer has nobody to share a write with: it pays for the exactness. */
  readonly target: number;
}

const CASES: readonly Case[] = [
  { writers: 1, turns: 200, rounds: 5, seedShards: 10, target: 0.05 },
  { writers: 16, turns: 20, rounds: 5, seedShards: 10, target: 2 },
  { writers: 64, turns: 20, rounds: 5, seedShards: 10, target: 5 },
  { writers: 64, turns: 1, rounds: 15, seedShards: 1, target: 20 },
];

/** One hot counter, beside the loop of the guide that this project grew from: get, put if unchanged, back off. */
export async function counterBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const stores: readonly [string, Store][] = [
    ['memory', await memory().openStore(systemEnvironment)],
    ['embedded', await embedded({ path: folder }).openStore(systemEnvironment)],
  ];
  try {
    const rows: BenchRow[] = [];
    for (const [kind, store] of stores) {
      for (const one of CASES)
        if (kind === 'memory' || one.seedShards > 1) rows.push(...(await beside(kind, store, one)));
    }
    return rows;
  } finally {
    for (const [, store] of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

async function beside(
  kind: string,
  store: Store,
  { writers, turns, rounds, seedShards, target }: Case,
): Promise<BenchRow[]> {
  const name = `${writers} writers, ${seedShards}`;
  const ours = new CountingStore(store);
  const theirs = new CountingStore(store);
  const counter = new Counter(await open(ours), { name });
  // Both warm: what the first add looks up is not what a hot counter costs.
  await counter.add(0n);
  ours.reset();
  const seed = new SeedCounter(theirs, name, seedShards);
  const round = (add: () => Promise<unknown>) => () =>
    timed(writers * turns, async () => {
      await Promise.all(
        Array.from({ length: writers }, async () => {
          for (let turn = 0; turn < turns; turn++) await add();
        }),
      );
    });
  const time = await compare(
    rounds,
    round(() => counter.add(1n)),
    round(() => seed.increment()),
  );
  const label = `${kind}, ${writers} on ${seedShards}`;
  const total = rounds * writers * turns;
  const perThousand = (count: number): number => (count * 1000) / total;
  const row = (what: string, one: number, other: number): BenchRow => ({
    name: `${label}: ${what}`,
    ours: perThousand(one),
    theirs: perThousand(other),
    ratio: other / one,
    target: writers === 1 ? 0.9 : 5,
    unit: '/ 1000 adds',
  });
  const rows: BenchRow[] = [
    { name: `${label}: time`, ...time, target, unit: 'ns' },
    row('writes', ours.writes, theirs.writes),
    row('calls', ours.reads + ours.writes, theirs.reads + theirs.writes),
  ];
  const values = [await counter.value(), await seed.value()].map(Number);
  if (values.some((value) => value !== total))
    throw new Error(`Of ${total} adds ${values.join(' and ')} were counted.`);
  return rows;
}

/** The seed's DistributedCounter, word for word but for its first write, which lost counts. */
class SeedCounter {
  readonly #store: Store;
  readonly #keys: readonly Key[];

  constructor(store: Store, name: string, shards: number) {
    this.#store = store;
    this.#keys = Array.from({ length: shards }, (_, shard) => encodeTuple(['seed', name, shard]));
  }

  async increment(): Promise<void> {
    const key = this.#keys[Math.floor(Math.random() * this.#keys.length)] as Key;
    for (let attempt = 0; ; attempt++) {
      const found = await this.#store.get(key);
      const count = found === undefined ? 0 : Number(Buffer.from(found.value).toString());
      const value = Buffer.from(String(count + 1));
      try {
        await this.#store.put(key, value, found === undefined ? { ifAbsent: true } : { ifMatch: found.version });
        return;
      } catch (error) {
        const isConflict = NorimakiError.is(error, 'version.mismatch') || NorimakiError.is(error, 'already.exists');
        if (!isConflict) throw error;
      }
      await sleep(2 ** Math.min(attempt, SEED_RETRIES - 1) * 10 + Math.random() * 10);
    }
  }

  async value(): Promise<number> {
    const found = await this.#store.getMany(this.#keys);
    return found.reduce((sum, shard) => sum + Number(Buffer.from(shard?.value ?? '0').toString()), 0);
  }
}
