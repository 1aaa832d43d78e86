import { throwIfAborted } from '../../../core/abort.ts';
import type { Clock } from '../../../core/clock.ts';
import type { KeyRange, Watch, WatchOptions } from '../../../core/store.ts';
import { nextTurn } from '../../../core/turn.ts';
import { Watches, watchLost } from '../../../core/watch/index.ts';
import { closedError } from '../failures.ts';
import type { Tables } from '../tables.ts';
import type { WriteQueue } from '../write-queue.ts';
import type { Place } from './change-reader.ts';
import { changeKey } from './layout.ts';

/** Writers go on logging for so long after the last sign of somebody who watches, in milliseconds. */
const LEASE_MS = 60_000;
/** Entries that one turn of the event loop reads. */
const CHUNK = 1000;

/** Follows the log of changes for all watches of one store: at once after its own writes, and every so often. */
export class Follower {
  readonly #current: () => Tables;
  readonly #queue: WriteQueue;
  readonly #clock: Clock;
  readonly #every: number;
  readonly #watches = new Watches(() => this.#stop());
  #place: Place = { index: 0, entry: changeKey(0) };
  #running: AbortController | undefined;
  #isReading = false;
  #isClosed = false;

  /** `every`: the pause between two looks for writes of other processes, in milliseconds. */
  constructor(current: () => Tables, queue: WriteQueue, clock: Clock, every: number) {
    this.#current = current;
    this.#queue = queue;
    this.#clock = clock;
    this.#every = every;
  }

  /** Errors: `aborted`, `argument.invalid`, `store.closed`, those of a write. */
  async watch(range: KeyRange, options: WatchOptions): Promise<Watch> {
    const { signal } = options;
    let end: number | undefined;
    do {
      await this.#renew(signal);
      if (this.#isClosed) throw closedError();
      throwIfAborted(signal);
      // Nothing can come between this and the watch: both are of one turn.
      end = this.#current().changes.end(this.#clock.now());
    } while (end === undefined);
    const watch = this.#watches.open(range, options, end);
    if (this.#running === undefined) this.#start(end);
    return watch;
  }

  /** There may be something to tell. */
  wake(): void {
    if (this.#running !== undefined && !this.#isReading) void this.#read(this.#running.signal);
  }

  close(): void {
    this.#isClosed = true;
    this.#watches.fail(closedError());
  }

  #start(index: number): void {
    this.#place = { index, entry: changeKey(index + 1) };
    this.#running = new AbortController();
    void this.#follow(this.#running.signal);
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(this.#every, { signal });
        this.wake();
        const left = this.#current().changes.until() - this.#clock.now();
        // What fails is tried again in time, and what is lost in the end is told.
        if (left < LEASE_MS / 2) await this.#renew(signal).catch(() => {});
      }
    } catch (error) {
      if (!signal.aborted) this.#watches.fail(error);
    }
  }

  /** Tells all that was logged since. */
  async #read(signal: AbortSignal): Promise<void> {
    this.#isReading = true;
    try {
      // Whoever wrote is answered first.
      await undefined;
      while (!signal.aborted && this.#readChunk()) await nextTurn();
    } catch (error) {
      if (!signal.aborted) this.#watches.fail(error);
    } finally {
      this.#isReading = false;
      // Watches that began meanwhile have missed a call.
      if (signal.aborted) this.wake();
    }
  }

  /** Whether there may be more. */
  #readChunk(): boolean {
    const found = this.#current().changes.after(this.#place, CHUNK);
    if (found === undefined) throw watchLost('behind');
    this.#place = found.place;
    for (const { change, index } of found.changes) this.#watches.tell(change, index);
    return found.changes.length === CHUNK;
  }

  async #renew(signal: AbortSignal | undefined): Promise<void> {
    const until = this.#clock.now() + LEASE_MS;
    await this.#queue.submit((batch) => batch.logChanges(until), 0, signal);
  }
}
