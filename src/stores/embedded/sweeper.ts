import type { Clock } from '../../core/clock.ts';
import type { Tables } from './tables.ts';
import type { WriteQueue } from './write-queue.ts';

export interface SweepSchedule {
  /** Pause between two sweeps, in milliseconds. */
  readonly every: number;
  /** Records and vectors that one transaction deletes, or a few more vectors. */
  readonly batch: number;
}

/**
 * Deletes records whose deadline has come, and the vectors that end with them, in the background and a few at a time. They
 * are invisible before. Also what is left of the log of changes when nobody watches any more.
 */
export class Sweeper {
  readonly #current: () => Tables;
  readonly #queue: WriteQueue;
  readonly #clock: Clock;
  readonly #schedule: SweepSchedule;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #swept = 0;
  #failures = 0;

  constructor(current: () => Tables, queue: WriteQueue, clock: Clock, schedule: SweepSchedule) {
    this.#current = current;
    this.#queue = queue;
    this.#clock = clock;
    this.#schedule = schedule;
    this.#done = this.#run();
  }

  get counts(): { swept: number; failures: number } {
    return { swept: this.#swept, failures: this.#failures };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(this.#schedule.every, { signal, background: true });
        while (!signal.aborted && (await this.#sweepBatch()));
        while (!signal.aborted && (await this.#sweepChanges()));
      } catch {
        // Nobody waits for a sweep: a full disk or a closed gate is tried again at the next one, and told by `stats()`.
        if (!signal.aborted) this.#failures += 1;
      }
    }
  }

  /** Whether there may be more to delete. */
  async #sweepBatch(): Promise<boolean> {
    const { batch } = this.#schedule;
    const due = this.#current().due(this.#clock.now(), batch);
    if (due.length === 0) return false;
    const { seen, swept } = await this.#queue.submit((write) => write.sweep(due, batch), 0, this.#stop.signal);
    this.#swept += swept;
    return due.length === batch || seen < due.length;
  }

  /** Whether there may be more to delete. */
  async #sweepChanges(): Promise<boolean> {
    if (!this.#current().changes.isLeft(this.#clock.now())) return false;
    return this.#queue.submit((write) => write.sweepChanges(this.#schedule.batch), 0, this.#stop.signal);
  }
}
