import type { Environment } from '../../core/clock.ts';
import type { Consistency } from '../../core/store.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import type { Generations } from './generations.ts';
import type { Head } from './head.ts';
import type { CounterRecords, ShardRecord } from './records.ts';
import { bucketAt, grossOf, oldestOf, readTally } from './tally.ts';

/** All shards of a generation that still counted when at least one of them was read. */
export interface Collected {
  readonly head: Head;
  readonly shards: readonly ((ShardRecord & { readonly version?: string | undefined }) | undefined)[];
}

/** What was added and what was taken off. */
interface Gross {
  readonly up: bigint;
  readonly down: bigint;
}

/** Reads of a counter. */
export class CounterReads {
  readonly #name: string;
  readonly #records: CounterRecords;
  readonly #generations: Generations;
  readonly #environment: Environment;

  constructor(name: string, records: CounterRecords, generations: Generations, environment: Environment) {
    this.#name = name;
    this.#records = records;
    this.#generations = generations;
    this.#environment = environment;
  }

  /** Each shard, read once; `undefined` if the counter is not stored. */
  async collect(signal: AbortSignal | undefined, consistency?: Consistency): Promise<Collected | undefined> {
    let head = await this.#generations.known(signal);
    while (head !== undefined) {
      const { name, generation } = head;
      const ids = Array.from({ length: head.shards }, (_, shard) => ({ name, generation, shard }));
      const shards = await this.#records.shards.getMany(ids, { consistency, signal });
      // The next generation counts only once all are sealed.
      if (shards.some((shard) => shard?.sealed !== true)) return { head, shards };
      head = await this.#generations.after(head, signal);
    }
    return undefined;
  }

  /** Shards as they all were at one instant: two reads between which nothing changed. Errors: `conflict.exhausted`. */
  async snapshot(options: BlockCallOptions): Promise<Collected | undefined> {
    const patience = new Patience(`The counter '${this.#name}'`, this.#environment, options);
    let before = await this.collect(options.signal);
    for (;;) {
      const after = await this.collect(options.signal);
      if (isSame(before, after)) return after;
      before = after;
      await patience.next();
    }
  }

  /** Lowest and highest that the count can have been between two reads. */
  async bounds({ signal }: BlockCallOptions): Promise<{ low: bigint; high: bigint }> {
    // One instant for both reads, or a bucket could leave the window in between.
    const now = this.#environment.clock.now();
    let before = await this.collect(signal);
    for (;;) {
      const after = await this.collect(signal);
      if (before?.head.epoch === after?.head.epoch) {
        const first = gross(before, now);
        const last = gross(after, now);
        return { low: first.up - last.down, high: last.up - first.down };
      }
      before = after;
    }
  }

  valueOf(collected: Collected | undefined): bigint {
    const { up, down } = gross(collected, this.#environment.clock.now());
    return up - down;
  }
}

function isSame(one: Collected | undefined, other: Collected | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.head.generation !== other.head.generation) return false;
  return one.shards.every((shard, i) => shard?.version === other.shards[i]?.version);
}

function gross(collected: Collected | undefined, now: number): Gross {
  if (collected === undefined) return { up: 0n, down: 0n };
  const { head, shards } = collected;
  const oldest = oldestOf(head.window, bucketAt(head.window, now));
  const tallies = [head.carried, ...shards.map((shard) => readTally(shard?.counts ?? []))];
  return grossOf(tallies.flat(), oldest);
}
