import { setMaxListeners } from 'node:events';
import type { Environment } from '../../../core/clock.ts';
import { type Deadline, deadlineOf, type Instant, instantOf, isAhead } from './deadline.ts';
import type { LeasePlace } from './place.ts';
import { isHeldBy, released, renewed } from './state.ts';

/** Why a lease is over: `expired` its time ran out here, `taken` the store says that it is not ours any more. */
export type LeaseEnd = 'expired' | 'taken' | 'released';

/** What all leases of a candidate share. Times are milliseconds. */
export interface LeaseTerms {
  readonly environment: Environment;
  readonly ttl: number;
  readonly maxDriftRate: number;
  /** What `signal.reason` shall be; `undefined`: an `AbortError`. `cause` is the last failure of the store, if there was one. */
  readonly reason?: ((end: LeaseEnd, token: bigint, cause: unknown) => unknown) | undefined;
}

export interface KeepOptions {
  readonly background?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How often a look at the clocks is taken in one ttl: a machine that slept must not take a whole ttl to notice. */
const LOOKS = 8;

/** A lease that was acquired. It is over for good once `valid()` was `false`. */
export class Lease {
  /** Higher than that of every holder before. */
  readonly token: bigint;
  readonly #place: LeasePlace;
  readonly #holder: string;
  readonly #terms: LeaseTerms;
  readonly #controller = new AbortController();
  #deadline: Deadline;
  #end: LeaseEnd | undefined;
  #trouble: unknown;

  /** By {@link LeaseCandidate} only. `sent` is an instant before the write that acquired it left. */
  constructor(place: LeasePlace, holder: string, token: bigint, sent: Instant, terms: LeaseTerms) {
    this.#place = place;
    this.#holder = holder;
    this.token = token;
    this.#terms = terms;
    this.#deadline = deadlineOf(sent, terms.ttl, terms.maxDriftRate);
    // Everything that is done under the lease listens to it.
    setMaxListeners(0, this.signal);
    void this.#watch();
  }

  /** Fires when the lease is over: at the latest at its deadline, though no answer comes from the store. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why it is over. */
  get end(): LeaseEnd | undefined {
    return this.#end;
  }

  /** Milliseconds that it holds without another sign of life. */
  get remaining(): number {
    return this.valid() ? this.#deadline.mono - this.#terms.environment.clock.mono() : 0;
  }

  /** Whether nobody else can hold it at this instant. What is done after it was asked may come too late: only a fence helps. */
  valid(): boolean {
    if (this.#end !== undefined) return false;
    if (isAhead(this.#deadline, instantOf(this.#terms.environment.clock))) return true;
    this.#finish('expired');
    return false;
  }

  /** A sign of life. `false`: it is over. Errors: those of the store; the lease may hold on, ask again. */
  async renew(): Promise<boolean> {
    if (!this.valid()) return false;
    const { environment, ttl, maxDriftRate } = this.#terms;
    let sent: Instant | undefined;
    try {
      await this.#place.change((now) => {
        const isOurs = isHeldBy(now, this.#holder, this.token) && this.#end === undefined;
        sent = isOurs ? instantOf(environment.clock) : undefined;
        return isOurs ? renewed(now) : undefined;
      }, this.signal);
    } catch (error) {
      if (!this.valid()) return false;
      this.#trouble = error;
      throw error;
    }
    if (sent === undefined) this.#finish('taken');
    // An answer after the deadline is too late: others were told that it is over.
    if (sent === undefined || !this.valid()) return false;
    this.#trouble = undefined;
    const deadline = deadlineOf(sent, ttl, maxDriftRate);
    if (deadline.mono > this.#deadline.mono) this.#deadline = deadline;
    return true;
  }

  /**
   * Renews `every` so many milliseconds until the lease is over, or the signal fires; never rejects. A store that fails is
   * asked again, more often. In the background it does not keep the process alive.
   */
  async keep(every: number, { background = false, signal }: KeepOptions = {}): Promise<void> {
    const { clock, random } = this.#terms.environment;
    const stop = signal === undefined ? this.signal : AbortSignal.any([this.signal, signal]);
    let wait = every;
    while (this.valid()) {
      await clock.sleep(wait, { signal: stop, background }).catch(() => {});
      if (stop.aborted || !this.valid()) return;
      try {
        await this.renew();
        wait = every;
      } catch {
        // Many holders may have lost the same store.
        wait = (every / 4) * (0.5 + random.float());
      }
    }
  }

  /**
   * Gives it back, so that the next one need not wait. `false`: it was somebody else's already. It is over at once,
   * whatever becomes of the call. Errors: those of the store; then it runs out by itself.
   */
  async release(signal?: AbortSignal): Promise<boolean> {
    // First: as soon as the write leaves, somebody else may hold it.
    this.#finish('released');
    let wasOurs = false;
    await (this.#place.last ?? this.#place).change((now) => {
      wasOurs = isHeldBy(now, this.#holder, this.token);
      return wasOurs ? released(now) : undefined;
    }, signal);
    return wasOurs;
  }

  #finish(end: LeaseEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#controller.abort(this.#terms.reason?.(end, this.token, this.#trouble));
  }

  async #watch(): Promise<void> {
    const { environment, ttl } = this.#terms;
    while (this.valid()) {
      const wait = Math.ceil(Math.min(this.remaining, ttl / LOOKS));
      await environment.clock.sleep(wait, { signal: this.signal, background: true }).catch(() => {});
    }
  }
}
