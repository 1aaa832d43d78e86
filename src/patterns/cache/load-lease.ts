import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { FREE, type Lease, LeaseCandidate, type LeasePlace, type LeaseState } from '../shared/lease/index.ts';
import { NothingToWrite } from '../shared/nothing-to-write.ts';
import type { Lookup } from './lookup.ts';
import { type CacheRecords, MARK_LIFE, newGeneration } from './records.ts';
import type { CacheSettings } from './settings.ts';

/** How long the key of a process that died stays closed, in milliseconds. */
const LEASE_TTL = 5_000;
const RENEW_EVERY = LEASE_TTL / 3;
const MAX_DRIFT_RATE = 0.01;

/** Between two looks at what another process is loading, in milliseconds. */
const FIRST_POLL = 10;
const MAX_POLL = 250;

/** Why a load may begin, or need not. */
export type Turn =
  /** `note` is what the fill will be held against. */
  | { readonly kind: 'mine'; readonly note: Lookup; readonly lease: EntryLease }
  /** Another process was faster. */
  | { readonly kind: 'loaded'; readonly lookup: Lookup }
  /** Another process has been at it for longer than a load takes. */
  | { readonly kind: 'patienceLost' };

interface Waiting {
  readonly look: () => Promise<Lookup>;
  readonly isLoaded: (lookup: Lookup) => boolean;
  readonly signal: AbortSignal;
}

/** The lease of a key, inside its entry: taken with the version that was looked at, given back with the value. */
export class EntryLease implements LeasePlace {
  readonly candidate: LeaseCandidate;
  readonly #records: CacheRecords;
  readonly #environment: Environment;
  readonly #id: { readonly name: string; readonly kind: 'entry'; readonly key: string };
  readonly #hard: number;
  #seen: Lookup;
  #lease: Lease | undefined;
  /** The value was stored, and the lease given back with it. */
  #isOver = false;

  constructor(
    { name, hard }: CacheSettings,
    key: string,
    seen: Lookup,
    records: CacheRecords,
    environment: Environment,
  ) {
    this.#hard = hard;
    this.#records = records;
    this.#environment = environment;
    this.#id = { name, kind: 'entry', key };
    this.#seen = seen;
    this.candidate = new LeaseCandidate(this, { environment, ttl: LEASE_TTL, maxDriftRate: MAX_DRIFT_RATE });
  }

  /** Waits for the turn of this process. Errors: those of the store, `aborted`. */
  async turn({ look, isLoaded, signal }: Waiting): Promise<Turn> {
    const { clock, random } = this.#environment;
    const until = clock.mono() + this.#hard;
    for (let poll = FIRST_POLL; ; poll = Math.min(poll * 1.6, MAX_POLL)) {
      this.#lease = await this.candidate.tryAcquire(signal);
      if (this.#lease !== undefined) {
        void this.#lease.keep(RENEW_EVERY, { background: true });
        return { kind: 'mine', note: this.#seen, lease: this };
      }
      if (clock.mono() >= until) return { kind: 'patienceLost' };
      await clock.sleep(Math.min(poll * (0.5 + random.float()), this.candidate.patience), { signal });
      this.#seen = await look();
      if (isLoaded(this.#seen)) return { kind: 'loaded', lookup: this.#seen };
    }
  }

  /** Ends it; `isStored`: the fill has given it back. Never rejects: a lease that is not given back runs out. */
  async end(isStored: boolean): Promise<void> {
    this.#isOver ||= isStored;
    await this.#lease?.release().catch(() => {});
  }

  read(): Promise<LeaseState> {
    return Promise.resolve(this.#seen.lease);
  }

  async change(decide: (now: LeaseState) => LeaseState | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isOver) return;
    if (this.#lease === undefined && this.#seen.version === undefined) await this.#found(decide, signal);
    else await this.#mutate(decide, signal);
  }

  /** Makes the entry, which saves a read. */
  async #found(decide: (now: LeaseState) => LeaseState | undefined, signal: AbortSignal | undefined): Promise<void> {
    const lease = decide(FREE);
    if (lease === undefined) return;
    const gen = newGeneration(this.#environment.random);
    const keptUntil = new Date(this.#environment.clock.now() + this.#hard + MARK_LIFE);
    try {
      await this.#records.create({ ...this.#id, gen, lease: { ...lease }, keptUntil }, { signal });
      this.#seen = { ...this.#seen, gen };
    } catch (error) {
      if (!NorimakiError.is(error, 'already.exists')) throw error;
      decide(BUSY);
    }
  }

  async #mutate(decide: (now: LeaseState) => LeaseState | undefined, signal: AbortSignal | undefined): Promise<void> {
    const isTaking = this.#lease === undefined;
    try {
      await this.#records.mutate(
        this.#id,
        (draft) => {
          // What was looked at is what the load will be held against.
          const isSame = !isTaking || draft.version === this.#seen.version;
          const next = decide(isSame ? (draft.lease ?? FREE) : BUSY);
          if (next === undefined) throw new NothingToWrite();
          draft.lease = { ...next };
        },
        { signal },
      );
    } catch (error) {
      // A record that is gone holds no lease.
      if (NorimakiError.is(error, 'not.found')) decide(BUSY);
      else if (!(error instanceof NothingToWrite)) throw error;
    }
  }
}

/** Somebody else's, whoever asks. */
const BUSY: LeaseState = { holder: 'somebody', token: 2n ** 63n, beat: 0, ttl: 0 };
