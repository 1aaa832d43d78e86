import type { Random } from '../../core/clock.ts';
import type { Watch, WatchOptions } from '../../core/store.ts';
import { type ChangeQueue, watchLost } from '../../core/watch/index.ts';
import { relayWatch } from '../relay-watch.ts';
import { pickInt } from '../seeded-random.ts';
import { SimulatedCrash } from './fault.ts';

/** What a fault store lends its watches. */
export interface WatchFaults {
  readonly random: Random;
  isHealed(): boolean;
  /** Holds a step up for a while, if chance will have it. */
  delay(): Promise<void>;
}

/** A watch that is lost tells so many steps before, at most. */
const MOST_STEPS = 4;

/** The watches of a fault store: they come late, break and crash, and never lose anything silently. */
export class FaultyWatches {
  readonly #faults: WatchFaults;
  readonly #open = new Set<ChangeQueue>();

  constructor(faults: WatchFaults) {
    this.#faults = faults;
  }

  /** `isDoomed`: it ends with `watch.lost` after some steps. */
  wrap(inner: Watch, options: WatchOptions, isDoomed: boolean): Watch {
    let left = isDoomed ? pickInt(this.#faults.random, MOST_STEPS) : Number.POSITIVE_INFINITY;
    const queue: ChangeQueue = relayWatch(
      inner,
      options,
      async (changes) => {
        await this.#faults.delay();
        if (left <= 0 && !this.#faults.isHealed()) throw watchLost('disconnected');
        left -= 1;
        for (const change of changes) queue.add(change);
      },
      () => this.#open.delete(queue),
    );
    this.#open.add(queue);
    return queue;
  }

  crash(): void {
    for (const queue of [...this.#open]) queue.fail(new SimulatedCrash());
  }
}
