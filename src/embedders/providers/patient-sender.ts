import { abortedError, orAborted, throwIfAborted } from '../../core/abort.ts';
import { fullJitter } from '../../core/retry/index.ts';
import { Limiter } from './limiter.ts';
import { linkedController } from './linked.ts';
import { down, type Outcome, type Send } from './outcome.ts';
import type { ProviderSettings } from './settings.ts';

/** Sends batches, so many at a time, and waits out what passes. */
export class PatientSender {
  readonly #id: string;
  readonly #send: Send;
  readonly #settings: ProviderSettings;
  readonly #limiter: Limiter;
  /** The provider asked everybody to be quiet until this instant of `clock.mono()`. */
  #quietUntil = 0;

  constructor(id: string, settings: ProviderSettings, send: Send) {
    this.#id = id;
    this.#settings = settings;
    this.#send = send;
    this.#limiter = new Limiter(settings.concurrency);
  }

  /** `busy` and `down` mean that the time, or the tries, are used up. Rejects with `aborted`. */
  send(texts: readonly string[], signal: AbortSignal): Promise<Outcome> {
    return this.#limiter.run(() => this.#untilAnswered(texts, signal), signal);
  }

  async #untilAnswered(texts: readonly string[], signal: AbortSignal): Promise<Outcome> {
    const { environment, retry } = this.#settings;
    const { clock, random } = environment;
    const started = clock.mono();
    let failures = 0;
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal);
      const quiet = this.#quietUntil - clock.mono();
      if (quiet > 0) await clock.sleep(quiet, { signal });
      const outcome = await this.#attempt(texts, signal);
      if (outcome.kind !== 'busy' && outcome.kind !== 'down') return outcome;
      if (outcome.kind === 'down') failures++;
      if (failures >= retry.maxAttempts) return outcome;
      const asked = outcome.error.details.retryAfter;
      // What was asked to wait for comes first; chance on top, so that nobody comes back together.
      const wait = (asked ?? 0) + fullJitter(asked === undefined ? attempt : 1, retry, random);
      if (clock.mono() - started + wait > retry.deadline) return outcome;
      if (asked !== undefined) this.#quietUntil = Math.max(this.#quietUntil, clock.mono() + asked);
      await clock.sleep(wait, { signal });
    }
  }

  async #attempt(texts: readonly string[], signal: AbortSignal): Promise<Outcome> {
    const { environment, timeout } = this.#settings;
    const { controller, unlink } = linkedController(signal);
    const answered = new AbortController();
    let isLate = false;
    environment.clock.sleep(timeout, { signal: answered.signal, background: true }).then(
      () => {
        isLate = true;
        controller.abort();
      },
      // It was answered in time.
      () => {},
    );
    try {
      return await orAborted(this.#send(texts, controller.signal), controller.signal);
    } catch (error) {
      if (signal.aborted) throw abortedError(signal);
      if (isLate) return down(this.#id, `did not answer within ${timeout} ms`);
      throw error;
    } finally {
      answered.abort();
      unlink();
    }
  }
}
