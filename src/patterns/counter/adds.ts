import type { Environment } from '../../core/clock.ts';
import { keyHash } from '../shared/key-ring.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { overflow } from './errors.ts';
import { loansFor } from './escrow.ts';
import type { Generations } from './generations.ts';
import type { Head } from './head.ts';
import { homeOf } from './key-ring.ts';
import type { Collected, CounterReads } from './reads.ts';
import type { ShardWrites } from './shard-writes.ts';

/** What an add did. */
export type Added =
  | { readonly ok: true; readonly shard: number; readonly replayed: boolean }
  | { readonly ok: false; readonly remaining: bigint };

export interface AddOptions extends BlockCallOptions {
  /** Repeating the call with the same key, in any process, counts once, while its shard remembers the key. */
  readonly idempotencyKey?: string | undefined;
}

/** What one counter did in this process. */
export interface CounterStats {
  /** Adds that were counted. */
  readonly adds: number;
  /** Writes to the store that this took. */
  readonly writes: number;
  /** Adds that met another process at their shard. */
  readonly conflicts: number;
  /** Adds whose key was counted before. */
  readonly replays: number;
  /** Adds that a bound refused. */
  readonly refusals: number;
  /** Times that shards lent another one room below a bound. */
  readonly loans: number;
}

/** After so many tries without room that must be somewhere: it was lost on its way. */
const TRIES_BEFORE_REPLACING = 3;

/** Adds to a counter. */
export class CounterAdds {
  readonly #name: string;
  readonly #generations: Generations;
  readonly #reads: CounterReads;
  readonly #writes: ShardWrites;
  readonly #environment: Environment;
  /** Where among the shards this process adds: at one of them, so that its adds share writes, until it meets another there. */
  #place: number;
  readonly #stats = { adds: 0, conflicts: 0, replays: 0, refusals: 0, loans: 0 };

  constructor(
    name: string,
    generations: Generations,
    reads: CounterReads,
    writes: ShardWrites,
    environment: Environment,
  ) {
    this.#name = name;
    this.#generations = generations;
    this.#reads = reads;
    this.#writes = writes;
    this.#environment = environment;
    this.#place = environment.random.float();
  }

  get stats(): CounterStats {
    return { ...this.#stats, writes: this.#writes.writes };
  }

  async add(amount: bigint, options: AddOptions): Promise<Added> {
    const { idempotencyKey, signal } = options;
    const key = idempotencyKey === undefined ? undefined : keyHash(idempotencyKey);
    let patience: Patience | undefined;
    // Awaiting what is known would cost a hot counter a tenth of its speed.
    let head = this.#generations.latest ?? (await this.#generations.stored(signal));
    let lent = 0n;
    for (let shortages = 0; ; ) {
      const shard = key === undefined ? Math.floor(this.#place * head.shards) : homeOf(key, head.shards);
      const place = this.#place;
      const { outcome, hadConflict } = await this.#writes.add(head, shard, { amount, key, lent }, options);
      lent = 0n;
      if (hadConflict) this.#stats.conflicts++;
      if (hadConflict && key === undefined && this.#place === place) this.#place = this.#environment.random.float();
      switch (outcome) {
        case 'counted':
          this.#stats.adds++;
          return { ok: true, shard, replayed: false };
        case 'replayed':
          this.#stats.replays++;
          return { ok: true, shard, replayed: true };
        case 'overflow':
          throw overflow(this.#name);
        case 'sealed':
          head = await this.#generations.after(head, signal);
          break;
        case 'short': {
          const collected = await this.#reads.collect(signal);
          if (collected?.head.generation !== head.generation) {
            head = await this.#generations.stored(signal);
          } else if (isBeyond(collected, this.#reads.valueOf(collected), amount)) {
            const refusal = await this.#refusal(amount, options);
            if (refusal !== undefined) return refusal;
          } else {
            const loans = loansFor(collected, shard, amount);
            if (loans === undefined) shortages++;
            else lent = await this.#writes.borrow(head, loans, amount > 0n, options);
            if (lent > 0n) this.#stats.loans++;
            if (lent > 0n) continue;
            if (shortages >= TRIES_BEFORE_REPLACING) head = await this.#recover(head, options);
          }
        }
      }
      patience ??= new Patience(`The counter '${this.#name}'`, this.#environment, options);
      await patience.next();
    }
  }

  /** A refusal that rests on one instant at which there was no room; `undefined` if there is room by then. */
  async #refusal(amount: bigint, options: AddOptions): Promise<Added | undefined> {
    const collected = await this.#reads.snapshot(options);
    const value = this.#reads.valueOf(collected);
    if (collected === undefined || !isBeyond(collected, value, amount)) return undefined;
    this.#stats.refusals++;
    const { min, max } = collected.head.bounds;
    const remaining = amount > 0n ? (max ?? value) - value : value - (min ?? value);
    return { ok: false, remaining };
  }

  /** New shards, among which all the room there is was dealt out anew. */
  #recover({ generation }: Head, options: AddOptions): Promise<Head> {
    return this.#generations.replace(
      (head) => (head.generation === generation ? { shards: head.shards, isReset: false } : undefined),
      options,
    );
  }
}

function isBeyond({ head }: Collected, value: bigint, amount: bigint): boolean {
  const { min, max } = head.bounds;
  const then = value + amount;
  return amount > 0n ? max !== undefined && then > max : min !== undefined && then < min;
}
