import { abortedError } from '../../core/abort.ts';
import { type Applied, NorimakiError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import { pickInt } from '../seeded-random.ts';
import type { Delivery } from './delivery.ts';
import type { FaultOptions } from './fault.ts';

/** What lies between a client and its store: it holds calls up and delivers some of them late. */
export class Network {
  readonly #store: Store;
  readonly #options: FaultOptions;
  #late: { readonly due: number; readonly delivery: Delivery }[] = [];

  constructor(store: Store, options: FaultOptions) {
    this.#store = store;
    this.#options = options;
    if (options.faults?.delay !== undefined && options.clock === undefined) refuseDelay();
  }

  /** Takes a write that arrives some calls after call `now`. */
  hold(delivery: Delivery, now: number): void {
    const { random, maxLateness = 10 } = this.#options;
    this.#late.push({ due: now + 1 + pickInt(random, maxLateness), delivery });
  }

  /** Delivers what is due by call `now`. Nobody waits for the answers. */
  async deliver(now: number): Promise<void> {
    const due = this.#late.filter((held) => held.due <= now);
    this.#late = this.#late.filter((held) => held.due > now);
    for (const { delivery } of due) await this.deliverUnheard(delivery);
  }

  async deliverUnheard(delivery: Delivery): Promise<void> {
    await delivery.send(this.#store).catch(() => {});
  }

  /** Takes a while; `applied` is what an abort meanwhile can say about the call. */
  async delay(signal: AbortSignal | undefined, applied: Applied): Promise<void> {
    const { clock = refuseDelay(), random, maxDelay = 100 } = this.#options;
    try {
      await clock.sleep(pickInt(random, maxDelay + 1), { signal });
    } catch (error) {
      if (signal?.aborted) throw abortedError(signal, applied);
      throw error;
    }
  }
}

function refuseDelay(): never {
  throw new NorimakiError('argument.invalid', 'A fault store that delays calls needs a clock.', { argument: 'clock' });
}

/** The error of a call whose request or reply was lost. */
export function unavailable(applied: Applied): NorimakiError<'store.unavailable'> {
  const message =
    applied === 'no'
      ? 'An injected fault: the call did not reach the store.'
      : 'An injected fault: the reply was lost; the write may have been applied.';
  return new NorimakiError('store.unavailable', message, { applied });
}
