import type { Environment } from '../../core/clock.ts';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { randomId } from '../../core/random-id.ts';
import type { Database } from '../../repositories/index.ts';
import { storedKey } from '../shared/limiter-key.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { Turns, type WaitLimits } from '../shared/turns.ts';
import { Holders } from './holders.ts';
import { type ConcurrencyRecords, concurrencyRecords, noSlots, type SlotsState } from './records.ts';
import { type ConcurrencyLimiterOptions, type ConcurrencySettings, concurrencySettings } from './settings.ts';
import { ConcurrencySlot, type SlotStore } from './slot.ts';

export interface AcquireOptions extends BlockCallOptions {
  /** How long to wait at most; default: for ever. */
  readonly deadline?: Duration | undefined;
}

/** What {@link ConcurrencyLimiter.tryAcquire} resolves to. A refusal is a result, not an error. */
export type TryAcquire =
  | { readonly acquired: true; readonly slot: ConcurrencySlot }
  | {
      readonly acquired: false;
      /** How many are held. */
      readonly held: number;
      /** Milliseconds after which a slot is free at the latest, unless its holder renews it. */
      readonly retryAfter: number;
    };

/**
 * Lets so many be at work at once, over all processes that share a store. A slot is renewed while it is held, and free
 * again a `ttl` after its holder crashed.
 *
 * This is no lock: a holder that was stopped for longer than its `ttl` may go on with its work beside the one that took
 * the slot. Where that does harm, protect the data itself, with `mutate` and its `fence`.
 *
 * Errors of every call: `argument.invalid`, and those of a repository's write.
 *
 * @example
 * ```ts
 * const renders = new ConcurrencyLimiter(db, { name: 'render', max: 8, ttl: '30s' });
 * await using slot = await renders.acquire('gpu', { deadline: '1m' });
 * await render(scene, { signal: slot.signal });
 * ```
 */
export class ConcurrencyLimiter {
  readonly name: string;
  readonly #settings: ConcurrencySettings;
  readonly #environment: Environment;
  readonly #records: ConcurrencyRecords;
  readonly #turns: Turns;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: ConcurrencyLimiterOptions) {
    this.#settings = concurrencySettings(options);
    requireStore('ConcurrencyLimiter', db, options, {
      cas: 'two calls at once can both take the last slot',
      ifAbsent: 'two first calls can both take the last slot',
    });
    this.name = this.#settings.name;
    this.#environment = db.environment;
    this.#records = concurrencyRecords(db);
    this.#turns = new Turns(db.environment.clock);
  }

  /** Takes a slot if one is free. */
  async tryAcquire(key: string, options: BlockCallOptions = {}): Promise<TryAcquire> {
    const stored = storedKey(key);
    const { clock, random } = this.#environment;
    const id = randomId(random, 12);
    const since = clock.mono();
    const store = this.#storeOf(stored);
    let refusal: TryAcquire | undefined;
    const take = (holders: Holders): boolean => {
      const isFull = holders.size >= this.#settings.max;
      refusal = isFull ? { acquired: false, held: holders.size, retryAfter: holders.nextAfter } : undefined;
      if (!isFull) holders.hold(id, this.#settings.ttl);
      return !isFull;
    };
    await this.#change(stored, options, take).catch((error: unknown) => {
      // It may have been taken: nobody would give it back. If that fails too, it ends after its ttl.
      store.release(id).catch(() => {});
      throw error;
    });
    return refusal ?? { acquired: true, slot: new ConcurrencySlot(key, id, store, since) };
  }

  /**
   * Waits for a slot. Callers of one process with the same key are served in the order in which they came; between
   * processes there is no order. Errors: `deadline.exceeded`, `aborted`.
   */
  async acquire(key: string, options: AcquireOptions = {}): Promise<ConcurrencySlot> {
    const { deadline, signal } = options;
    const { clock, random } = this.#environment;
    const from = clock.mono();
    const until = deadline === undefined ? undefined : from + milliseconds(deadline, 'deadline');
    const limits: WaitLimits = { signal, from, until };
    const stored = storedKey(key);
    return this.#turns.run(stored, limits, async () => {
      for (;;) {
        const tried = await this.tryAcquire(key, options);
        if (tried.acquired) return tried.slot;
        // Anywhere within the second half of the pause, so that processes do not look all at once.
        const pause = this.#settings.poll * (0.5 + random.float() / 2);
        await this.#turns.sleep(stored, Math.min(pause, tried.retryAfter), limits);
      }
    });
  }

  /**
   * Runs `work` with a slot, and gives it back whatever becomes of the work. Its signal fires when the slot is lost, or
   * when that of the options does.
   *
   * @example
   * ```ts
   * const image = await renders.run('gpu', (signal) => render(scene, { signal }));
   * ```
   */
  async run<T>(key: string, work: (signal: AbortSignal) => Promise<T> | T, options: AcquireOptions = {}): Promise<T> {
    await using slot = await this.acquire(key, options);
    const { signal } = options;
    return await work(signal === undefined ? slot.signal : AbortSignal.any([slot.signal, signal]));
  }

  /** How many slots are held, and how many are free. */
  async peek(key: string, { signal }: BlockCallOptions = {}): Promise<{ held: number; available: number }> {
    const { name, max } = this.#settings;
    const state = await this.#records.get({ name, key: storedKey(key) }, { signal });
    const held = new Holders(state ?? noSlots(), this.#environment.clock.now()).size;
    return { held, available: Math.max(0, max - held) };
  }

  #storeOf(key: string): SlotStore {
    const { clock } = this.#environment;
    const { name, ttl } = this.#settings;
    return {
      limiter: name,
      ttl,
      mono: () => clock.mono(),
      sleep: (ms, signal) => clock.sleep(ms, { signal, background: true }),
      renew: async (id) => {
        let isHeld = false;
        await this.#change(key, { retry: { deadline: ttl / 3 } }, (holders) => {
          isHeld = holders.has(id);
          if (isHeld) holders.hold(id, ttl);
          return isHeld;
        });
        return isHeld;
      },
      release: async (id) => {
        await this.#change(key, {}, (holders) => {
          const isHeld = holders.has(id);
          holders.release(id);
          return isHeld;
        });
        this.#turns.poke(key);
      },
    };
  }

  /** `change` tells whether there is anything to store. */
  async #change(
    key: string,
    { signal, retry }: BlockCallOptions,
    change: (holders: Holders) => boolean,
  ): Promise<void> {
    const { name } = this.#settings;
    const run = (draft: SlotsState): void => {
      const holders = new Holders(draft, this.#environment.clock.now());
      if (change(holders)) holders.save(draft);
    };
    await this.#records.mutate({ name, key }, run, { ifAbsent: noSlots, signal, retry });
  }
}
