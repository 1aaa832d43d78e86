import { setMaxListeners } from 'node:events';
import { throwIfAborted } from '../../../core/abort.ts';
import type { Lag } from '../subscriptions/lag.ts';
import { Pulse } from '../subscriptions/pulse.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import type { SubscriptionCallOptions } from '../subscriptions/subscription-handle.ts';
import { complete, KEPT_FOR, removeGeneration } from './build.ts';
import type { ProjectionParts } from './projection-parts.ts';
import type { Generations } from './records.ts';
import type { ProjectionSettings } from './settings.ts';

/** Between two looks at which generations there are, in milliseconds. */
const FOLLOW_EVERY = 1000;

/** A projection that this process keeps up to date, from `store.project()`: alone, or in turn with others. */
export class Projection implements AsyncDisposable {
  readonly name: string;
  /** Resolves when it was closed. Errors: `events.handlerFailed` with `onError: 'stop'`, what of the store waiting does not cure. */
  readonly done: Promise<void>;
  readonly #parts: ProjectionParts;
  readonly #settings: ProjectionSettings;
  readonly #stop = new AbortController();
  readonly #pulse: Pulse;
  /** The generations that are worked on. */
  readonly #running = new Map<number, Subscription>();
  /** Work that goes on beside: one for each generation that is completed, or removed. */
  readonly #chores = new Map<string, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** By an event store only. */
  constructor(parts: ProjectionParts, settings: ProjectionSettings) {
    // All generations listen to it.
    setMaxListeners(0, this.#stop.signal);
    this.name = parts.rules.name;
    this.#parts = parts;
    this.#settings = { ...settings, worker: { ...settings.worker, signal: this.#stop.signal } };
    this.#pulse = new Pulse(parts.context.environment.clock);
    const { signal } = settings.worker;
    const stop = (): void => this.#stop.abort();
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.done = this.#run().finally(() => {
      signal?.removeEventListener('abort', stop);
      this.#stop.abort();
    });
    // Whoever does not await it hears of failures by onFailure.
    this.done.catch(() => {});
  }

  /** How far the views are behind that readers see. Looks at every stream. Errors: those of `done`, `aborted`. */
  async lag({ signal = this.#stop.signal }: SubscriptionCallOptions = {}): Promise<Lag> {
    return (await this.#live(signal)).lag({ signal });
  }

  /**
   * Resolves once the views that readers see hold every event that was acknowledged before the call. Looks at every stream.
   * Errors: those of `done`, `aborted`.
   */
  async caughtUp({ signal = this.#stop.signal }: SubscriptionCallOptions = {}): Promise<void> {
    await (await this.#live(signal)).caughtUp({ signal });
  }

  /** Ends it in this process: what is under way is waited for, at most `drain`; others go on. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.done.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { log, rules } = this.#parts;
    try {
      while (!signal.aborted) {
        const beat = this.#pulse.signal;
        const generations = await log.begin(rules.version, signal);
        this.#align(generations);
        await this.#pulse.wait(FOLLOW_EVERY, beat, signal);
        if (this.#failure !== undefined) throw this.#failure.error;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#stop.abort();
      await Promise.all([...this.#running.values()].map((subscription) => subscription.close()));
      await Promise.all(this.#chores.values());
    }
  }

  /** Works on the generations that this program knows how to make, and on no others. */
  #align({ live, building, retired }: Generations): void {
    const { version } = this.#parts.rules;
    const wanted = [live, building].filter((build) => build?.version === version).map((build) => build?.generation);
    for (const [generation, subscription] of this.#running) {
      if (wanted.includes(generation)) continue;
      this.#running.delete(generation);
      this.#chore(`close ${generation}`, () => subscription.close());
    }
    for (const generation of wanted)
      if (generation !== undefined && !this.#running.has(generation)) this.#start(generation);
    const build = building?.generation;
    const subscription = build === undefined ? undefined : this.#running.get(build);
    if (build !== undefined && subscription !== undefined) {
      this.#chore(`build ${build}`, async (signal) => {
        await complete(this.#parts, build, subscription, this.#settings.onProgress, signal);
        this.#pulse.beat();
      });
    }
    for (const generation of retired) {
      this.#chore(`remove ${generation}`, async (signal) => {
        await this.#parts.context.environment.clock.sleep(KEPT_FOR, { signal });
        await removeGeneration(this.#parts, generation, signal);
      });
    }
  }

  #start(generation: number): void {
    const subscription = this.#parts.start(generation, this.#settings);
    this.#running.set(generation, subscription);
    this.#pulse.beat();
    subscription.done.catch((error: unknown) => {
      this.#failure ??= { error };
      this.#pulse.beat();
    });
  }

  /** Does what is not being done; what fails is done again at the next look. */
  #chore(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#chores.has(name)) return;
    const chore = work(this.#stop.signal)
      .catch(() => {})
      .finally(() => this.#chores.delete(name));
    this.#chores.set(name, chore);
  }

  /** The subscription that fills what readers see, perhaps in another process. */
  async #live(given: AbortSignal): Promise<Subscription> {
    const signal = AbortSignal.any([given, this.#stop.signal]);
    for (;;) {
      if (this.#stop.signal.aborted) await this.done;
      throwIfAborted(signal);
      const beat = this.#pulse.signal;
      const generations = await this.#parts.log.read(signal);
      const subscription = generations && this.#running.get(generations.live.generation);
      if (subscription !== undefined) {
        await subscription.ready({ signal });
        return subscription;
      }
      await this.#pulse.wait(FOLLOW_EVERY, beat, signal);
    }
  }
}
