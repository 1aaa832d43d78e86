import { NorimakiError } from '../../core/errors.ts';
import type { Due } from './deadlines.ts';

/** A call of a `Stream` from its arrival to its answer. */
export class RunningCall implements Due {
  readonly id: number;
  readonly deadline: number;
  readonly #timeout: number;
  /** Fires when nobody waits any more. */
  readonly controller: AbortController;
  #isExpired = false;

  /** `now` and the deadline by a monotonic clock, in milliseconds. */
  constructor(id: number, now: number, timeout: number, controller: AbortController) {
    this.id = id;
    this.deadline = now + timeout;
    this.#timeout = timeout;
    this.controller = controller;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  cancel(): void {
    this.controller.abort();
  }

  expire(): void {
    this.#isExpired = true;
    this.cancel();
  }

  /** What to tell of an error: it was the time, if it was. */
  errorOf(error: unknown): unknown {
    if (!this.#isExpired || !NorimakiError.is(error, 'aborted')) return error;
    const { applied } = error.details;
    const waited = this.#timeout;
    const message = `The call was not done within ${waited} ms.`;
    return new NorimakiError('deadline.exceeded', message, { waited, applied }, { cause: error });
  }
}
