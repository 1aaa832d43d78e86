import type { Database } from '../../repositories/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type AddOptions, CounterAdds, type CounterStats } from './adds.ts';
import { epochChanged, outOfRange } from './errors.ts';
import { Generations } from './generations.ts';
import { CounterReads } from './reads.ts';
import { counterRecords } from './records.ts';
import { type CounterOptions, checkBigint, checkShards, settingsOf } from './settings.ts';
import { ShardWrites } from './shard-writes.ts';

/** Where an add was counted. */
export interface CounterAdd {
  /** The shard that counts it. */
  readonly shard: number;
  /** An earlier call with the same key had been counted; this one was not. */
  readonly replayed: boolean;
}

/** What {@link Counter.tryAdd} resolves to; `remaining` is how much the bound still leaves room for. */
export type TryAdd = ({ readonly ok: true } & CounterAdd) | { readonly ok: false; readonly remaining: bigint };

export interface CounterReadOptions extends BlockCallOptions {
  /**
   * - `'strong'` (default): each shard is read once. While others add, the value is one between that at the call and that
   *   at its end if nobody takes off.
   * - `'eventual'`: the same, of shards that may be stale.
   * - `'snapshot'`: the value at one instant. Reads twice, and again while somebody writes: `conflict.exhausted`.
   */
  readonly read?: 'strong' | 'eventual' | 'snapshot' | undefined;
}

export interface ResetOptions extends BlockCallOptions {
  /** Reset only if nobody has since this epoch: see {@link Counter.epoch}. Errors: `counter.epochChanged`. */
  readonly ifEpoch?: number | undefined;
}

/**
 * A counter that many processes add to at once, spread over several records so that they seldom meet. An acknowledged add
 * is counted exactly once, whatever answers of the store are lost.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `conflict.exhausted`, `outcome.unknown`,
 * `store.unavailable`, `store.closed`, `aborted`.
 *
 * @example
 * ```ts
 * const views = new Counter(db, { name: 'page-views' });
 * await views.add(1n, { idempotencyKey: requestId });
 * console.log(await views.value());
 * ```
 */
export class Counter {
  readonly name: string;
  readonly #generations: Generations;
  readonly #reads: CounterReads;
  readonly #adds: CounterAdds;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: CounterOptions) {
    const settings = settingsOf(options);
    const { name } = settings;
    requireStore('Counter', db, options, {
      cas: 'of two adds at once one can be lost',
      ifAbsent: 'of two first adds one can be lost',
    });
    const { environment } = db;
    const records = counterRecords(db);
    this.name = name;
    this.#generations = new Generations(settings, records, environment);
    this.#reads = new CounterReads(name, records, this.#generations, environment);
    const writes = new ShardWrites(records, environment);
    this.#adds = new CounterAdds(name, this.#generations, this.#reads, writes, environment);
  }

  /**
   * Adds an amount, or takes it off if it is negative. Adds of one process that wait at the same time share a write.
   * Errors: `counter.outOfRange` with `min` or `max`, `counter.overflow`.
   */
  async add(amount: bigint = 1n, options: AddOptions = {}): Promise<CounterAdd> {
    checkBigint(amount, 'amount');
    const added = await this.#adds.add(amount, options);
    if (!added.ok) throw outOfRange(this.name, added.remaining);
    return { shard: added.shard, replayed: added.replayed };
  }

  /**
   * The same, where a bound may say no: that is a result, not an error. It says no only if there was an instant at which
   * the amount did not fit.
   *
   * @example
   * ```ts
   * const seats = new Counter(db, { name: 'seats', min: 0n, max: 500n });
   * const booked = await seats.tryAdd(3n);
   * if (!booked.ok) console.log(`only ${booked.remaining} left`);
   * ```
   */
  async tryAdd(amount: bigint = 1n, options: AddOptions = {}): Promise<TryAdd> {
    checkBigint(amount, 'amount');
    return this.#adds.add(amount, options);
  }

  /** The count. */
  async value({ read = 'strong', ...options }: CounterReadOptions = {}): Promise<bigint> {
    const collected =
      read === 'snapshot' ? await this.#reads.snapshot(options) : await this.#reads.collect(options.signal, read);
    return this.#reads.valueOf(collected);
  }

  /**
   * An interval that holds the value at some instant of the call, however many write meanwhile; never gives up for them.
   * Where nobody writes both ends are the value.
   */
  bounds(options: BlockCallOptions = {}): Promise<{ low: bigint; high: bigint }> {
    return this.#reads.bounds(options);
  }

  /**
   * Spreads the counter over another number of shards, 1 to 256, while others count. Loses no count and forgets no key.
   * Also deals out anew, among bounded shards, what room there is.
   */
  async resize(shards: number, options: BlockCallOptions = {}): Promise<void> {
    const wanted = checkShards(shards);
    await this.#generations.replace(
      (head) => (head.shards === wanted ? undefined : { shards: wanted, isReset: false }),
      options,
    );
  }

  /** How often the counter was reset. */
  async epoch({ signal }: BlockCallOptions = {}): Promise<number> {
    return (await this.#generations.read(signal))?.epoch ?? 0;
  }

  /**
   * Begins again at 0 and resolves to the new epoch. What was counted at that instant is gone; what is counted later is
   * not. Keys stay remembered. Errors: `counter.epochChanged`.
   */
  async reset({ ifEpoch, ...options }: ResetOptions = {}): Promise<number> {
    let epoch = 0;
    await this.#generations.replace((head) => {
      if (ifEpoch !== undefined && head.epoch !== ifEpoch) throw epochChanged(this.name, ifEpoch, head.epoch);
      epoch = head.epoch + 1;
      return { shards: head.shards, isReset: true };
    }, options);
    return epoch;
  }

  /** What this object did so far. */
  stats(): CounterStats {
    return this.#adds.stats;
  }
}
