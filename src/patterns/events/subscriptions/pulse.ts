import { throwIfAborted } from '../../../core/abort.ts';
import type { Clock } from '../../../core/clock.ts';

/** Wakes those who wait for something to happen in this process. */
export class Pulse {
  readonly #clock: Clock;
  #next = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  beat(): void {
    const woken = this.#next;
    this.#next = new AbortController();
    woken.abort();
  }

  /** What the next beat fires: to be taken before looking whether there is something to wait for. */
  get signal(): AbortSignal {
    return this.#next.signal;
  }

  /** Resolves at the beat that `since` was taken for, or after so long. Errors: `aborted`. */
  async wait(ms: number, since: AbortSignal, signal: AbortSignal): Promise<void> {
    if (since.aborted) return;
    await this.#clock.sleep(ms, { signal: AbortSignal.any([since, signal]) }).catch(() => {});
    throwIfAborted(signal);
  }
}
