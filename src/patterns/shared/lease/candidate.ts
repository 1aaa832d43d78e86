import { randomId } from '../../../core/random-id.ts';
import { type Instant, instantOf } from './deadline.ts';
import { Lease, type LeaseTerms } from './lease.ts';
import { type Observed, observe, patienceLeft } from './observed.ts';
import type { LeasePlace } from './place.ts';
import { type LeaseState, taken } from './state.ts';

/** What {@link LeaseCandidate} is told when it is made. */
export interface LeaseCandidateOptions extends LeaseTerms {
  /** Who it is, among all that ever were; by default 128 random bits. */
  readonly holder?: string | undefined;
}

const ID_BYTES = 16;

/**
 * Somebody who wants a lease. Has to be kept between two tries: what it saw of the holder, and since when, is all that it
 * goes by. Each object is an incarnation of its own; it holds the lease at most once at a time.
 */
export class LeaseCandidate {
  /** This incarnation. */
  readonly holder: string;
  readonly #place: LeasePlace;
  readonly #terms: LeaseTerms;
  #observed: Observed | undefined;
  #held: Lease | undefined;
  #isTrying = false;
  #patience = 0;

  constructor(place: LeasePlace, options: LeaseCandidateOptions) {
    const { environment, holder } = options;
    this.#place = place;
    this.#terms = options;
    this.holder = holder ?? randomId(environment.random, ID_BYTES);
  }

  /** What it holds now. */
  get held(): Lease | undefined {
    return this.#held?.valid() ? this.#held : undefined;
  }

  /** Milliseconds after the last try in which no further one can succeed, unless the holder gives the lease back. */
  get patience(): number {
    return this.#patience;
  }

  /**
   * One try: `undefined` if somebody holds it, this candidate included. One read; if the lease is free, or its holder was
   * silent for too long while this candidate watched, one write too. Errors: those of the store.
   */
  async tryAcquire(signal?: AbortSignal): Promise<Lease | undefined> {
    // Two at once could both be told that it is theirs, as the holder would be the same.
    if (this.#isTrying || this.held !== undefined) return undefined;
    this.#isTrying = true;
    try {
      const { clock } = this.#terms.environment;
      const now = await this.#place.read(signal);
      this.#observed = observe(this.#observed, now, clock.mono());
      this.#patience = this.#patienceFor(now);
      return this.#patience > 0 ? undefined : await this.#take(signal);
    } finally {
      this.#isTrying = false;
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<Lease | undefined> {
    const { environment, ttl } = this.#terms;
    let token: bigint | undefined;
    let sent: Instant | undefined;
    await this.#place.change((now) => {
      sent = instantOf(environment.clock);
      // Only compared, not observed: what `decide` is shown may be a write of this process that never comes to be.
      const next = this.#patienceFor(now) > 0 ? undefined : taken(now, this.holder, ttl);
      token = next?.token;
      return next;
    }, signal);
    if (token === undefined || sent === undefined) return undefined;
    const lease = new Lease(this.#place, this.holder, token, sent, this.#terms);
    this.#held = lease;
    return lease.valid() ? lease : undefined;
  }

  #patienceFor(now: LeaseState): number {
    // Ours, and over: an earlier lease of this incarnation, or a try whose answer was lost.
    if (now.holder === this.holder) return 0;
    const { environment, maxDriftRate } = this.#terms;
    return patienceLeft(this.#observed, now, environment.clock.mono(), maxDriftRate);
  }
}
