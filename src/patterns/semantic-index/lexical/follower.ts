import type { Environment } from '../../../core/clock.ts';
import { fullJitter, type RetryPolicy } from '../../../core/retry/index.ts';
import type { Version } from '../../../core/version.ts';
import type { EntityChanges } from '../../../repositories/index.ts';

/** What a follower keeps in step. */
export interface Followed {
  /** An entity was written; `version` is `undefined` if it was deleted. */
  changed(id: unknown, version: Version | undefined): void;
  /** Looks at all records. Errors: those of a read. */
  rescan(signal: AbortSignal): Promise<unknown>;
}

/** Between tries to look at all records, or to watch again, in milliseconds. */
const WAITS: RetryPolicy = {
  maxAttempts: Number.POSITIVE_INFINITY,
  deadline: Number.POSITIVE_INFINITY,
  base: 200,
  cap: 10_000,
};

/** Keeps something in step with what everybody writes: by a watch, and by a look at all records wherever that has a gap. */
export class Follower {
  readonly #watch: (signal: AbortSignal) => EntityChanges;
  readonly #followed: Followed;
  readonly #environment: Environment;
  readonly #ending = new AbortController();
  #work: Promise<unknown> = Promise.resolve();
  #starts = 0;
  #rescanned = 0;
  #isLost = false;
  #rescans = 0;

  constructor(watch: (signal: AbortSignal) => EntityChanges, followed: Followed, environment: Environment) {
    this.#watch = watch;
    this.#followed = followed;
    this.#environment = environment;
  }

  /** Whether something that others wrote may be missing. */
  get isBehind(): boolean {
    return this.#isLost || this.#rescanned < this.#starts;
  }

  /** After the first, which `start` has made. */
  get rescans(): number {
    return this.#rescans;
  }

  /** Resolves when it has begun, and `first` has looked at all records. Errors: those of a watch, and of `first`. */
  async start(first: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const { signal } = this.#ending;
    const changes = this.#watch(signal);
    try {
      await changes.next();
      this.#starts = 1;
      const following = this.#follow(changes);
      this.#work = following;
      // What comes meanwhile is heard.
      await first(signal);
      this.#rescanned = Math.max(this.#rescanned, 1);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#work.catch(() => {});
  }

  async #follow(begun: EntityChanges): Promise<void> {
    const { signal } = this.#ending;
    let changes = begun;
    let rescanning: Promise<void> = Promise.resolve();
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        for await (const change of changes) {
          attempt = 1;
          if (change.type === 'put') this.#followed.changed(change.id, change.version);
          else if (change.type === 'delete') this.#followed.changed(change.id, undefined);
          else if (change.type === 'lost') this.#isLost = true;
          else {
            this.#starts += 1;
            this.#isLost = false;
            rescanning = this.#afterAll(rescanning);
          }
        }
      } catch {
        // A tenant that is suspended, a store that is away for long: it is behind until the watch begins again.
        if (signal.aborted) break;
      }
      this.#isLost = true;
      if (!(await this.#wait(attempt))) break;
      changes = this.#watch(signal);
    }
    await rescanning;
  }

  /** Looks at all records until that has worked; those before have to end first. */
  async #afterAll(before: Promise<void>): Promise<void> {
    await before;
    const { signal } = this.#ending;
    for (let attempt = 1; this.#rescanned < this.#starts && !signal.aborted; attempt++) {
      const starts = this.#starts;
      try {
        await this.#followed.rescan(signal);
        this.#rescanned = starts;
        this.#rescans += 1;
      } catch {
        // The store is away, or it is closed: it stays behind.
        if (!(await this.#wait(attempt))) return;
      }
    }
  }

  /** `false` when it has ended. */
  async #wait(attempt: number): Promise<boolean> {
    const { clock, random } = this.#environment;
    const ms = fullJitter(attempt, WAITS, random);
    return clock.sleep(ms, { signal: this.#ending.signal, background: true }).then(
      () => true,
      () => false,
    );
  }
}
