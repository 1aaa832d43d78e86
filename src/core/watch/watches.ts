import { compareKeys } from '../keys/index.ts';
import type { Change, KeyRange, Watch, WatchOptions } from '../store.ts';
import { ChangeQueue } from './change-queue.ts';

interface Open {
  readonly range: KeyRange;
  readonly after: number;
  readonly queue: ChangeQueue;
}

/** The open watches of one store, each on its range. */
export class Watches {
  readonly #open = new Set<Open>();
  readonly #onEmpty: () => void;

  /** `onEmpty` is called whenever the last one has ended. */
  constructor(onEmpty: () => void = () => {}) {
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** What comes `after` a position, see {@link tell}, is for it. Errors: `aborted`, `argument.invalid`. */
  open(range: KeyRange, options: WatchOptions = {}, after = Number.NEGATIVE_INFINITY): Watch {
    const queue = new ChangeQueue(options, () => {
      this.#open.delete(open);
      if (this.isEmpty) this.#onEmpty();
    });
    const [start, end] = [Uint8Array.from(range.start), Uint8Array.from(range.end)];
    const open: Open = { range: { start, end }, after, queue };
    this.#open.add(open);
    return queue;
  }

  /** Tells all whom it concerns of one change; `at` is its position among all of the store. */
  tell(change: Change, at = Number.POSITIVE_INFINITY): void {
    for (const { range, after, queue } of this.#open) {
      const { key } = change;
      if (at <= after || compareKeys(key, range.start) < 0 || compareKeys(key, range.end) >= 0) continue;
      queue.add(change);
    }
  }

  /** Ends all of them. */
  fail(error: unknown): void {
    for (const { queue } of [...this.#open]) queue.fail(error);
  }
}
