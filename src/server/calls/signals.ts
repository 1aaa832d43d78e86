import { getEventListeners } from 'node:events';

/** Enough for the calls that are at work at once on a busy server. */
const MAX_SPARE = 256;

/**
 * A signal for each call. Making one takes longer than a put into memory, and nearly none of them fires: one that has not,
 * and that nobody listens to any more, serves another call.
 */
export class Signals {
  readonly #spare: AbortController[] = [];

  take(): AbortController {
    return this.#spare.pop() ?? new AbortController();
  }

  /** To be called once the call is over, by whoever may abort it, and never does from now on. */
  giveBack(controller: AbortController): void {
    const { signal } = controller;
    if (signal.aborted || this.#spare.length >= MAX_SPARE || getEventListeners(signal, 'abort').length > 0) return;
    this.#spare.push(controller);
  }
}
