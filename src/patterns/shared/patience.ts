import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { CONFLICT_POLICY, fullJitter, type RetryPolicy, retryPolicy } from '../../core/retry/index.ts';
import type { BlockCallOptions } from './options.ts';

/** How often and how long one call goes on when others are faster. */
export class Patience {
  readonly #what: string;
  readonly #environment: Environment;
  readonly #policy: RetryPolicy;
  readonly #signal: AbortSignal | undefined;
  readonly #started: number;
  #attempts = 0;

  /** `what` begins the message of the error. */
  constructor(what: string, environment: Environment, { retry, signal }: BlockCallOptions) {
    this.#what = what;
    this.#environment = environment;
    this.#policy = retryPolicy(retry, CONFLICT_POLICY);
    this.#signal = signal;
    this.#started = environment.clock.mono();
  }

  /** Waits for a random while before the next try. Errors: `conflict.exhausted` when there is none left, `aborted`. */
  async next(): Promise<void> {
    const { clock, random } = this.#environment;
    this.#attempts++;
    const waited = clock.mono() - this.#started;
    if (this.#attempts >= this.#policy.maxAttempts || waited > this.#policy.deadline) {
      throw new NorimakiError(
        'conflict.exhausted',
        `${this.#what} was changed by others at each of ${this.#attempts} tries in ${Math.round(waited)} ms. Try later, or allow more with retry.`,
        { entity: this.#what, attempts: this.#attempts, waited },
      );
    }
    await clock.sleep(fullJitter(this.#attempts, this.#policy, random), { signal: this.#signal });
  }
}
