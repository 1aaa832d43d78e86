import { NorimakiError } from '../../../core/errors.ts';
import type { FeedContext } from './context.ts';
import { partsOf } from './context.ts';
import { readDefinition } from './definition.ts';
import { caughtUp, type Lag, lagOf } from './lag.ts';
import { ParkedEvents } from './parked.ts';
import type { SubscriptionIdentity, SubscriptionParts } from './parts.ts';
import { Pulse } from './pulse.ts';
import { removeSubscription } from './remove.ts';

export interface SubscriptionCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A subscription as everybody sees it, in whichever process it is worked on: from `store.subscription(name)`. */
export class SubscriptionHandle {
  readonly name: string;
  /** The events that were set aside. */
  readonly parked: ParkedEvents;
  readonly #context: FeedContext;
  readonly #identity: SubscriptionIdentity;
  readonly #pulse: Pulse;

  /** By an event store only. */
  constructor(
    context: FeedContext,
    identity: SubscriptionIdentity,
    pulse: Pulse = new Pulse(context.environment.clock),
  ) {
    this.name = identity.name;
    this.#context = context;
    this.#identity = identity;
    this.#pulse = pulse;
    this.parked = new ParkedEvents(partsOf(context, identity, undefined).parked);
  }

  /** How far it is behind. Looks at every stream. Errors: `not.found` for a subscription that nobody has begun. */
  async lag({ signal = never() }: SubscriptionCallOptions = {}): Promise<Lag> {
    return lagOf(await this.#parts(signal), signal);
  }

  /**
   * Resolves once every event that was acknowledged before the call has been handled, parked or skipped, by whichever process.
   * Looks at every stream. Errors: `not.found` for a subscription that nobody has begun, `aborted`.
   *
   * @example
   * ```ts
   * await store.append(Account.stream('mia'), [Account.event('Deposited', { amount: 5 })], { expected: 'any' });
   * await store.subscription('mailer').caughtUp({ signal: AbortSignal.timeout(5000) });
   * ```
   */
  async caughtUp({ signal = never() }: SubscriptionCallOptions = {}): Promise<void> {
    await caughtUp(await this.#parts(signal), this.#pulse, signal);
  }

  /**
   * Forgets it, once nobody works on it any more, with what it has parked; subscribing under its name begins anew. `false`: there
   * was none. Waits for its workers to end. Errors: `aborted`.
   */
  async remove({ signal = never() }: SubscriptionCallOptions = {}): Promise<boolean> {
    const parts = partsOf(this.#context, this.#identity, undefined);
    const definition = await readDefinition(parts, signal);
    if (definition === undefined) return false;
    await removeSubscription(parts, definition.partitions, signal);
    return true;
  }

  async #parts(signal: AbortSignal): Promise<SubscriptionParts> {
    const parts = partsOf(this.#context, this.#identity, undefined);
    const definition = await readDefinition(parts, signal);
    if (definition === undefined) {
      const message = `Nobody has begun the subscription '${this.name}'. Subscribe first, or mend the name.`;
      throw new NorimakiError('not.found', message, { entity: 'subscription' });
    }
    return { ...parts, categories: definition.categories && new Set(definition.categories) };
  }
}

function never(): AbortSignal {
  return new AbortController().signal;
}
