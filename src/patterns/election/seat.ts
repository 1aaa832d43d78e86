import type { Environment } from '../../core/clock.ts';
import { type Lease, LeaseCandidate, type LeaseEnd, type LeaseState, recordPlace } from '../shared/lease/index.ts';
import { lost } from './errors.ts';
import type { ElectionRecord, ElectionRecords } from './records.ts';
import type { Times } from './settings.ts';

/** A leadership as the store knows it. */
export interface Tenure {
  readonly token: bigint;
  /** Fires when it is over; the reason is `election.lost`, unless it was given back. */
  readonly signal: AbortSignal;
  readonly end: LeaseEnd | undefined;
  valid(): boolean;
  /** A sign of life, with the metadata as it is now. `false`: it is over. */
  renew(): Promise<boolean>;
  keep(every: number, options: { background: boolean; signal: AbortSignal }): Promise<void>;
  release(signal: AbortSignal | undefined): Promise<boolean>;
}

/** What a leader writes with its next sign of life, or with its release. */
export interface Word {
  candidate: string;
  meta: ElectionRecord['meta'];
  /** With the release: who shall be next. */
  heir?: string | undefined;
  /** What is done: see `once`. */
  done?: number | undefined;
}

/** The place of a leader, that one candidate wants. */
export interface Seat {
  readonly incarnation: string;
  /** What it says of itself. A leader may change it. */
  readonly word: Word;
  /** Milliseconds until another try can succeed, unless the leader goes before. */
  readonly patience: number;
  /** Called when somebody asked this leader to hand over to a candidate of this name. */
  onHeir: ((heir: string) => void) | undefined;
  tryAcquire(signal: AbortSignal | undefined): Promise<Tenure | undefined>;
}

/** Stands for the candidate that a blank seat is kept for, before others. */
const RESERVED = 'reserved for ';

/** The lease of the record, as a candidate of this name is to see it. */
export function leaseOf(record: ElectionRecord, candidate: string): LeaseState {
  const { token, beat, ttl, heir } = record;
  const holder = record.holder ?? (heir === undefined || heir === candidate ? undefined : RESERVED + heir);
  return { holder, token, beat, ttl };
}

/** Writes the next state of the lease into the record, and with it what the candidate has to say. */
export function writeLease(draft: ElectionRecord, next: LeaseState, word: Word): void {
  const isTaken = next.token !== draft.token;
  const isReleased = next.holder === undefined;
  Object.assign(draft, next);
  // That of the last leader stays: it tells who led last.
  if (!isReleased) draft.candidate = word.candidate;
  draft.meta = isReleased ? undefined : word.meta;
  if (word.done !== undefined) draft.done = Math.max(draft.done ?? word.done, word.done);
  if (isTaken) draft.heir = undefined;
  if (isReleased && word.heir !== undefined) draft.heir = word.heir;
}

/** A seat whose record is its own lease. */
export class OwnSeat implements Seat {
  readonly word: Word;
  onHeir: ((heir: string) => void) | undefined;
  readonly #candidate: LeaseCandidate;

  constructor(
    records: ElectionRecords,
    environment: Environment,
    { name, candidate, meta, times }: { name: string; candidate: string | undefined; meta: Word['meta']; times: Times },
  ) {
    const place = recordPlace<string, ElectionRecord>(records, name, {
      see: (record) => {
        const { heir, holder } = record;
        if (heir !== undefined && holder === this.incarnation && heir !== this.word.candidate) this.onHeir?.(heir);
        return leaseOf(record, this.word.candidate);
      },
      write: (draft, next) => writeLease(draft, next, this.word),
    });
    const reason = (end: LeaseEnd, token: bigint, cause: unknown): unknown =>
      end === 'released' ? undefined : lost(name, token, cause);
    this.#candidate = new LeaseCandidate(place, { environment, ...times, reason });
    this.word = { candidate: candidate ?? this.#candidate.holder, meta };
  }

  get incarnation(): string {
    return this.#candidate.holder;
  }

  get patience(): number {
    return this.#candidate.patience;
  }

  tryAcquire(signal: AbortSignal | undefined): Promise<Lease | undefined> {
    return this.#candidate.tryAcquire(signal);
  }
}
