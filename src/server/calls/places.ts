import { NorimakiError } from '../../core/errors.ts';

/** How many calls are at work at once, over all connections. */
export class Places {
  readonly #limit: number;
  #taken = 0;
  readonly #place: Disposable = { [Symbol.dispose]: () => void this.#taken-- };

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A place until it is disposed of. Errors: `store.unavailable` when all are taken. */
  take(): Disposable {
    if (this.#taken >= this.#limit) {
      const message = `The server is at work on ${this.#limit} calls, which is all that it takes: try again.`;
      throw new NorimakiError('store.unavailable', message, { applied: 'no' });
    }
    this.#taken++;
    return this.#place;
  }
}
