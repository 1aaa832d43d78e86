import { abortedError } from '../../core/abort.ts';
import { nextTurn } from '../../core/turn.ts';

/** Writes several items at once, and resolves to one result for each, in order. */
export type WriteTogether<Place, Item, Result> = (
  place: Place,
  items: readonly Item[],
  signal: AbortSignal | undefined,
) => Promise<readonly Result[]>;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
  isTaken: boolean;
  isGone: boolean;
}

interface Lane<Place, Item, Result> {
  readonly place: Place;
  waiting: Waiting<Item, Result>[];
  underway: readonly Waiting<Item, Result>[];
  /** Ends the write under way; only where all who share it could give it up. */
  stop: AbortController | undefined;
}

const MAX_TOGETHER = 1000;

/**
 * Items for one place that come while a write to it is under way wait for the next, and share it. There is no window of
 * time: the store's own pace is the window.
 */
export class Coalescer<Place, Item, Result> {
  readonly #write: WriteTogether<Place, Item, Result>;
  readonly #lanes = new Map<string, Lane<Place, Item, Result>>();

  constructor(write: WriteTogether<Place, Item, Result>) {
    this.#write = write;
  }

  /** `name` tells one place from another. Errors: those of the write, and `aborted`. */
  add(name: string, place: Place, item: Item, signal: AbortSignal | undefined): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortedError(signal));
        return;
      }
      const onAbort = (): void => {
        waiting.isGone = true;
        // Only reachable with a signal: it is the one that fired.
        reject(abortedError(signal as AbortSignal, waiting.isTaken ? 'unknown' : 'no'));
        if (lane.underway.every(({ isGone }) => isGone)) lane.stop?.abort();
      };
      const settled = (): void => signal?.removeEventListener('abort', onAbort);
      const waiting: Waiting<Item, Result> = {
        item,
        signal,
        resolve: (result) => {
          settled();
          resolve(result);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        isTaken: false,
        isGone: false,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const lane = this.#join(name, place, waiting);
    });
  }

  #join(name: string, place: Place, waiting: Waiting<Item, Result>): Lane<Place, Item, Result> {
    const known = this.#lanes.get(name);
    if (known !== undefined) {
      known.waiting.push(waiting);
      return known;
    }
    const lane: Lane<Place, Item, Result> = { place, waiting: [waiting], underway: [], stop: undefined };
    this.#lanes.set(name, lane);
    void this.#drain(name, lane);
    return lane;
  }

  async #drain(name: string, lane: Lane<Place, Item, Result>): Promise<void> {
    while (lane.waiting.length > 0) {
      // Those whom the last write let go on come back within the turn; without it every other write would miss them.
      await nextTurn();
      const here = lane.waiting.filter(({ isGone }) => !isGone);
      lane.underway = here.slice(0, MAX_TOGETHER);
      lane.waiting = here.slice(MAX_TOGETHER);
      if (lane.underway.length > 0) await this.#settle(lane);
      lane.underway = [];
    }
    this.#lanes.delete(name);
  }

  async #settle(lane: Lane<Place, Item, Result>): Promise<void> {
    const { place, underway } = lane;
    lane.stop = underway.every(({ signal }) => signal !== undefined) ? new AbortController() : undefined;
    for (const waiting of underway) waiting.isTaken = true;
    try {
      const items = underway.map(({ item }) => item);
      const results = await this.#write(place, items, lane.stop?.signal);
      // One for each, as the type says.
      for (const [i, waiting] of underway.entries()) waiting.resolve(results[i] as Result);
    } catch (error) {
      for (const waiting of underway) waiting.reject(error);
    }
  }
}
