import type { Environment } from '../../core/clock.ts';
import type { Database } from '../../repositories/index.ts';
import { type Lease, LeaseCandidate, type LeaseEnd, recordPlace } from '../shared/lease/index.ts';
import type { BlockOptions } from '../shared/options.ts';
import { checkName, refuse } from '../shared/options.ts';
import { isPassing } from './campaign.ts';
import { requireElectionStore } from './election.ts';
import { lost } from './errors.ts';
import { semaphoreRecords } from './records.ts';
import { type LeaseTimes, type Times, timesOf } from './settings.ts';

/** What a semaphore is told when it is made. */
export interface SemaphoreOptions extends BlockOptions, LeaseTimes {
  /** How many may hold it at once, 1 to 256. All programs that share it say the same number. */
  readonly permits: number;
}

const MAX_PERMITS = 256;

/** One of the permits of a semaphore, held. */
export class Permit implements AsyncDisposable {
  /** Which of them, from 0: no two hold the same at once. */
  readonly seat: number;
  /** Higher than that of every holder of this seat before: the fence of what belongs to the seat. */
  readonly token: bigint;
  readonly #lease: Lease;

  /** By a semaphore only. */
  constructor(seat: number, lease: Lease) {
    this.seat = seat;
    this.token = lease.token;
    this.#lease = lease;
  }

  /** Fires when it is over: given back, or lost (`reason` is `election.lost`). */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Whether nobody else holds this seat at this instant. */
  valid(): boolean {
    return this.#lease.valid();
  }

  /** Gives it back; `false` if it was over before. */
  release({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    return this.#lease.release(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release().then(() => {});
  }
}

/**
 * Lets so many processes at once hold it. Each permit is one of its seats, a lease of its own with tokens of its own; a holder
 * that dies is replaced after `ttl`.
 *
 * @example
 * ```ts
 * const exports = new Semaphore(db, { name: 'exports', permits: 3 });
 * await using permit = await exports.acquire({ signal });
 * ```
 */
export class Semaphore {
  readonly name: string;
  readonly permits: number;
  readonly #seats: readonly LeaseCandidate[];
  readonly #times: Times;
  readonly #environment: Environment;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: SemaphoreOptions) {
    const { permits } = options;
    this.name = checkName('Semaphore', options.name);
    if (!Number.isSafeInteger(permits) || permits < 1 || permits > MAX_PERMITS) {
      refuse('permits', `permits is a whole number from 1 to ${MAX_PERMITS}.`);
    }
    requireElectionStore('Semaphore', db, options);
    const times = timesOf(options);
    const { environment } = db;
    const records = semaphoreRecords(db);
    const reason = (end: LeaseEnd, token: bigint, cause: unknown): unknown =>
      end === 'released' ? undefined : lost(this.name, token, cause);
    this.permits = permits;
    this.#times = times;
    this.#environment = environment;
    this.#seats = Array.from({ length: permits }, (_, seat) => {
      const place = recordPlace(records, { name: this.name, seat });
      return new LeaseCandidate(place, { environment, ...times, reason });
    });
  }

  /** A permit, or `undefined` if all are held. Reads as many records as there are permits, at most. */
  async tryAcquire({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Permit | undefined> {
    // From a seat that chance picks, so that all do not meet at the first.
    const first = Math.floor(this.#environment.random.float() * this.permits);
    for (let i = 0; i < this.permits; i++) {
      const seat = (first + i) % this.permits;
      const lease = await this.#seats[seat]?.tryAcquire(signal);
      if (lease === undefined) continue;
      void lease.keep(this.#times.renewEvery, { background: true });
      return new Permit(seat, lease);
    }
    return undefined;
  }

  /** Waits for a permit; not in the order of asking. Errors: `aborted`, and those of the store that waiting does not cure. */
  async acquire({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Permit> {
    const { clock, random } = this.#environment;
    for (;;) {
      try {
        const permit = await this.tryAcquire({ signal });
        if (permit !== undefined) return permit;
      } catch (error) {
        if (signal?.aborted || !isPassing(error)) throw error;
      }
      const patience = Math.min(...this.#seats.map((seat) => seat.patience || Number.POSITIVE_INFINITY));
      const poll = this.#times.pollEvery * (0.5 + 0.5 * random.float());
      await clock.sleep(Math.min(poll, Math.ceil(patience)), { signal });
    }
  }
}
