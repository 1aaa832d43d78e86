import { NorimakiError } from '../../core/errors.ts';
import { lost } from './errors.ts';

/** What a slot does to the record of its key. */
export interface SlotStore {
  readonly limiter: string;
  readonly ttl: number;
  mono(): number;
  /** In the background: does not keep the process alive. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** `false`: the slot is not held any more. */
  renew(id: string): Promise<boolean>;
  release(id: string): Promise<void>;
}

/** A place that is held: renewed in the background until it is released. */
export class ConcurrencySlot implements AsyncDisposable {
  readonly key: string;
  readonly #id: string;
  readonly #store: SlotStore;
  readonly #held = new AbortController();
  readonly #done = new AbortController();
  #released: Promise<void> | undefined;
  /** When the call was sent that renewed it last, on the monotonic clock. */
  #renewed: number;
  #failure: unknown;

  /** `since` is when the call that took it was sent, on the monotonic clock. Use {@link ConcurrencyLimiter.acquire}. */
  constructor(key: string, id: string, store: SlotStore, since: number) {
    this.key = key;
    this.#id = id;
    this.#store = store;
    this.#renewed = since;
    void this.#renew();
    void this.#expire();
  }

  /** Fires when the slot is lost, with `concurrencyLimit.lost` as its reason: others may hold it now. */
  get signal(): AbortSignal {
    return this.#held.signal;
  }

  /** Gives the slot back; harmless twice. If the store does not answer it ends by itself after its ttl. Errors: those of a repository's write. */
  release(): Promise<void> {
    this.#done.abort();
    this.#released ??= this.#store.release(this.#id);
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Three tries before the slot would end. Ends when it is released or lost. */
  async #renew(): Promise<void> {
    const { signal } = this.#done;
    for (;;) {
      await this.#store.sleep(this.#store.ttl / 3, signal).catch(() => {});
      if (signal.aborted) return;
      const sent = this.#store.mono();
      try {
        if (await this.#store.renew(this.#id)) this.#renewed = sent;
        else this.#lose();
      } catch (error) {
        this.#failure = error;
        if (NorimakiError.is(error, 'store.closed')) this.#lose();
      }
    }
  }

  /** Apart from renewing, which may hang for longer than the slot lasts. */
  async #expire(): Promise<void> {
    const { signal } = this.#done;
    while (!signal.aborted) {
      const left = this.#renewed + this.#store.ttl - this.#store.mono();
      if (left <= 0) this.#lose();
      else await this.#store.sleep(left, signal).catch(() => {});
    }
  }

  #lose(): void {
    if (this.#done.signal.aborted) return;
    this.#done.abort();
    this.#held.abort(lost(this.#store.limiter, this.#failure));
  }
}
