import { throwIfAborted } from '../../../core/abort.ts';
import { NorimakiError } from '../../../core/errors.ts';
import { type FeedContext, partsOf } from './context.ts';
import { hasBegun, readDefinition, type Wanted } from './definition.ts';
import type { Receiver } from './handler.ts';
import type { Lag } from './lag.ts';
import type { Handling } from './partition-worker.ts';
import type { SubscriptionIdentity, SubscriptionParts } from './parts.ts';
import { Pulse } from './pulse.ts';
import type { WorkerSettings } from './settings.ts';
import { type SubscriptionCounts, SubscriptionStats } from './stats.ts';
import { type SubscriptionCallOptions, SubscriptionHandle } from './subscription-handle.ts';
import { Workers } from './workers.ts';

/** What a running subscription is made of. */
export interface Running extends Pick<Handling, 'checkpointEvery' | 'decide'>, Wanted {
  readonly categories: ReadonlySet<string> | undefined;
  readonly receiver: Receiver;
  readonly settings: WorkerSettings;
}

/** Between two looks at whether another process has begun, in milliseconds. */
const LOOK_EVERY = 100;

/** A subscription that this process works on, from `store.subscribe()`: alone, or in turn with others of its name. */
export class Subscription extends SubscriptionHandle implements AsyncDisposable {
  /** Resolves when it was closed. Errors: `events.handlerFailed`, `events.partitionsDiffer`, and what of the store waiting does not cure. */
  readonly done: Promise<void>;
  readonly #parts: SubscriptionParts;
  readonly #workers: Workers;
  readonly #stats: SubscriptionStats;
  readonly #pulse: Pulse;
  readonly #drain: number;

  /** By an event store only. */
  constructor(context: FeedContext, identity: SubscriptionIdentity, running: Running) {
    const { clock } = context.environment;
    const pulse = new Pulse(clock);
    super(context, identity, pulse);
    const { settings, categories } = running;
    const stats = new SubscriptionStats(settings.onFailure);
    this.#pulse = pulse;
    this.#stats = stats;
    this.#drain = settings.drain;
    this.#parts = partsOf(context, identity, categories);
    this.#workers = new Workers(this.#parts, { ...running, stats, onMoved: () => pulse.beat() }, running);
    const stop = (): void => this.#workers.stop();
    if (settings.signal?.aborted) stop();
    settings.signal?.addEventListener('abort', stop, { once: true });
    this.done = this.#workers.run().finally(() => {
      settings.signal?.removeEventListener('abort', stop);
      pulse.beat();
    });
    // Whoever does not await it hears of failures by onFailure.
    this.done.catch(() => {});
  }

  /** The partitions that this process works on now. */
  get partitions(): readonly number[] {
    return this.#workers.partitions;
  }

  /** What was done in this process. */
  get stats(): SubscriptionCounts {
    return { ...this.#stats.counts };
  }

  /**
   * Resolves once nothing that is appended from now on is left out: of a new subscription with `from: 'end'` that takes a walk
   * over all streams. Errors: those of `done`, `aborted`.
   */
  async ready({ signal = new AbortController().signal }: SubscriptionCallOptions = {}): Promise<void> {
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    this.done.then(end, end);
    for (;;) {
      throwIfAborted(signal);
      const beat = this.#pulse.signal;
      const definition = await readDefinition(this.#parts, signal);
      if (definition !== undefined && hasBegun(definition)) return;
      if (isOver) return this.done;
      await this.#pulse.wait(LOOK_EVERY, beat, signal);
    }
  }

  override async lag(options: SubscriptionCallOptions = {}): Promise<Lag> {
    await this.ready(options);
    return super.lag(options);
  }

  /** As of every subscription; ends too when this one does. Errors: those of `done`, `aborted`. */
  override async caughtUp({ signal }: SubscriptionCallOptions = {}): Promise<void> {
    const over = new AbortController();
    const both = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    try {
      await this.ready({ signal: both });
      await Promise.race([super.caughtUp({ signal: both }), this.#closed()]);
    } finally {
      over.abort();
    }
  }

  /** Rejects when it has ended. */
  async #closed(): Promise<never> {
    await this.done;
    const message = `The subscription '${this.name}' was closed in this process before it had caught up.`;
    throw new NorimakiError('aborted', message, { applied: 'no' });
  }

  /**
   * Ends it in this process: the handler under way is waited for, its place stored, and the partitions are given to whoever
   * waits. Resolves after `drain` at the latest; a handler that goes on for longer may be handed out again elsewhere.
   */
  async close(): Promise<void> {
    this.#workers.stop();
    const { clock } = this.#parts.environment;
    const late = new AbortController();
    const timer = clock.sleep(this.#drain, { signal: late.signal, background: true }).catch(() => {});
    await Promise.race([this.done.catch(() => {}), timer]);
    late.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
