/**
 * Hands the thread round: whoever has long work asks for a turn between slices of it. One is served in each turn of the
 * event loop, first come first served, so that a message that arrives waits for one slice at most.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  /** Whether somebody was served in this turn of the event loop. */
  #isTaken = false;

  next(): Promise<void> {
    if (this.#isTaken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    setImmediate(this.#serve);
    return Promise.resolve();
  }

  readonly #serve = (): void => {
    const next = this.#waiting.shift();
    this.#isTaken = next !== undefined;
    if (next === undefined) return;
    next();
    setImmediate(this.#serve);
  };
}
