import { abortedError } from '../../core/abort.ts';
import { nextTurn } from '../../core/turn.ts';

/** Writes several items at once, and resolves to one result for each, in order. */
export type WriteTogether<Place, Item, Result> = (
  place: Place,
  items: readonly Item[],
  signal: AbortSignal | undefined,
) => Promise<readonly Result[]>;

/** Items that share a write. All who wait for one follow one promise, which costs less than one for each. */
class Batch<Item, Result> {
  readonly items: Item[] = [];
  readonly results: Promise<readonly (Result | undefined)[]>;
  isTaken = false;
  /** Ends the write under way; only where all who share it could give it up. */
  #stop: AbortController | undefined;
  #settle: { resolve(results: readonly (Result | undefined)[]): void; reject(error: unknown): void } | undefined;
  /** How many could give up, and which did. */
  #abortable = 0;
  readonly #gone = new Set<number>();
  #told = 0;
  /** Who follows a promise is told in the order of asking: one function does for all. */
  readonly #next = (results: readonly (Result | undefined)[]): Result => results[this.#told++] as Result; // one for each

  constructor() {
    this.results = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** The result of an item, once the batch was written. */
  add(item: Item, signal: AbortSignal | undefined): Promise<Result> {
    const at = this.items.push(item) - 1;
    const own = this.results.then(this.#next);
    return signal === undefined ? own : this.#orGone(at, own, signal);
  }

  async write(
    work: (items: readonly Item[], signal: AbortSignal | undefined) => Promise<readonly Result[]>,
  ): Promise<void> {
    this.isTaken = true;
    const { items } = this;
    const skipped = this.#gone.size === 0 ? undefined : new Set(this.#gone);
    const here = skipped === undefined ? items : items.filter((_, at) => !skipped.has(at));
    if (here.length === 0) return;
    if (this.#abortable === items.length) this.#stop = new AbortController();
    try {
      const results = await work(here, this.#stop?.signal);
      let next = 0;
      const spread =
        skipped === undefined ? results : items.map((_, at) => (skipped.has(at) ? undefined : results[next++]));
      this.#settle?.resolve(spread);
    } catch (error) {
      this.#settle?.reject(error);
    }
  }

  #orGone(at: number, own: Promise<Result>, signal: AbortSignal): Promise<Result> {
    this.#abortable++;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        reject(abortedError(signal, this.isTaken ? 'unknown' : 'no'));
        this.#gone.add(at);
        if (this.#gone.size === this.items.length) this.#stop?.abort();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      own.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }
}

const MAX_TOGETHER = 1000;

/**
 * Items for one place that come while a write to it is under way wait for the next, and share it. There is no window of
 * time: the store's own pace is the window.
 */
export class Coalescer<Place, Item, Result> {
  readonly #write: WriteTogether<Place, Item, Result>;
  /** What waits for each place: the last takes more. Of a place where a write is under way, perhaps none. */
  readonly #lanes = new Map<string, Batch<Item, Result>[]>();
  #last: { readonly name: string; readonly lane: Batch<Item, Result>[] } | undefined;

  constructor(write: WriteTogether<Place, Item, Result>) {
    this.#write = write;
  }

  /** `name` tells one place from another. Errors: those of the write, and `aborted`. */
  add(name: string, place: Place, item: Item, signal: AbortSignal | undefined): Promise<Result> {
    if (signal?.aborted) return Promise.reject(abortedError(signal));
    const lane = this.#laneOf(name, place);
    let batch = lane[lane.length - 1];
    if (batch === undefined || batch.items.length >= MAX_TOGETHER) {
      batch = new Batch();
      lane.push(batch);
    }
    return batch.add(item, signal);
  }

  /** Whether items for this place wait for a write that is not under way. */
  isWaiting(name: string): boolean {
    return this.#lanes.size > 0 && (this.#lanes.get(name)?.length ?? 0) > 0;
  }

  #laneOf(name: string, place: Place): Batch<Item, Result>[] {
    // A place that is asked for time and again is found without hashing its name.
    if (this.#last !== undefined && this.#last.name === name) return this.#last.lane;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = [];
      this.#lanes.set(name, lane);
      void this.#drain(name, place, lane);
    }
    this.#last = { name, lane };
    return lane;
  }

  async #drain(name: string, place: Place, lane: Batch<Item, Result>[]): Promise<void> {
    do {
      // Those whom the last write let go on come back within the turn; without it every other write would miss them.
      await nextTurn();
      await lane.shift()?.write((items, signal) => this.#write(place, items, signal));
    } while (lane.length > 0);
    this.#lanes.delete(name);
    if (this.#last?.lane === lane) this.#last = undefined;
  }
}
