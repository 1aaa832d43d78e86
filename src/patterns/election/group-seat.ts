import type { Environment } from '../../core/clock.ts';
import {
  isHeldBy,
  type LeaseEnd,
  type Observed,
  observe,
  patienceLeft,
  released,
  taken,
} from '../shared/lease/index.ts';
import { lost } from './errors.ts';
import type { Member, Membership } from './membership.ts';
import { BLANK, type ElectionAccess, type GroupElectionRecord } from './records.ts';
import { leaseOf, type Seat, type Tenure, type Word, writeLease } from './seat.ts';
import type { Times } from './settings.ts';

interface SeatParts {
  readonly name: string;
  readonly access: ElectionAccess<GroupElectionRecord>;
  readonly membership: Membership;
  readonly environment: Environment;
  readonly times: Times;
  /** Called with each tenure that begins. */
  readonly onTenure: (tenure: GroupTenure) => void;
}

/** A seat whose leader lives as long as its membership of the group. */
export class GroupSeat implements Seat {
  readonly word: Word;
  onHeir: ((heir: string) => void) | undefined;
  readonly #parts: SeatParts;
  #incarnation: string;
  #observed: Observed | undefined;
  #held: GroupTenure | undefined;
  #isTrying = false;
  #patience = 0;

  constructor(parts: SeatParts, candidate: string, meta: Word['meta']) {
    this.#parts = parts;
    this.#incarnation = candidate;
    this.word = { candidate, meta };
  }

  /** The member of the last try: a process that was silent for too long comes back as another one. */
  get incarnation(): string {
    return this.#incarnation;
  }

  get patience(): number {
    return this.#patience;
  }

  async tryAcquire(signal: AbortSignal | undefined): Promise<GroupTenure | undefined> {
    if (this.#isTrying || this.#held?.valid()) return undefined;
    this.#isTrying = true;
    try {
      const { access, membership } = this.#parts;
      const member = await membership.join(signal);
      this.#incarnation = member.id;
      const record = (await access.read(signal)) ?? BLANK;
      this.#patience = await this.#patienceFor(record, member, signal);
      return this.#patience > 0 ? undefined : await this.#take(record, member, signal);
    } finally {
      this.#isTrying = false;
    }
  }

  async #patienceFor(record: GroupElectionRecord, member: Member, signal: AbortSignal | undefined): Promise<number> {
    const { membership, environment, times } = this.#parts;
    const { holder } = record;
    if (holder === member.id) return 0;
    if (holder !== undefined) {
      const ref = { id: holder, token: record.membership ?? 0n };
      const left = await membership.patienceWith(ref, signal);
      if (left > 0) return left;
      return (await membership.end(ref, signal)) ? 0 : times.pollEvery;
    }
    // Blank; but it may be kept for somebody for a while.
    const lease = leaseOf(record, this.word.candidate);
    const mono = environment.clock.mono();
    this.#observed = observe(this.#observed, lease, mono);
    return patienceLeft(this.#observed, lease, mono, times.maxDriftRate);
  }

  async #take(
    judged: GroupElectionRecord,
    member: Member,
    signal: AbortSignal | undefined,
  ): Promise<GroupTenure | undefined> {
    const { access, times } = this.#parts;
    let token: bigint | undefined;
    await access.mutate((draft) => {
      const isSame = draft.token === judged.token && draft.beat === judged.beat && draft.holder === judged.holder;
      token = undefined;
      if (!isSame) return;
      writeLease(draft, taken(draft, member.id, times.ttl), this.word);
      draft.membership = member.lease.token;
      token = draft.token;
    }, signal);
    if (token === undefined) return undefined;
    const tenure = new GroupTenure(this.#parts, this, member, token);
    this.#held = tenure;
    if (!tenure.valid()) return undefined;
    this.#parts.onTenure(tenure);
    return tenure;
  }
}

/** One time of leading in a group. */
export class GroupTenure implements Tenure {
  readonly token: bigint;
  readonly seat: GroupSeat;
  readonly #parts: SeatParts;
  readonly #member: Member;
  readonly #controller = new AbortController();
  #end: LeaseEnd | undefined;

  /** By its seat only. */
  constructor(parts: SeatParts, seat: GroupSeat, member: Member, token: bigint) {
    this.#parts = parts;
    this.seat = seat;
    this.#member = member;
    this.token = token;
    const { lease } = member;
    const onLost = (): void => this.#finish(lease.end === 'released' ? 'expired' : (lease.end ?? 'expired'));
    if (lease.valid()) lease.signal.addEventListener('abort', onLost, { once: true, signal: this.signal });
    else onLost();
  }

  get name(): string {
    return this.#parts.name;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get end(): LeaseEnd | undefined {
    return this.#end;
  }

  valid(): boolean {
    return this.#end === undefined && this.#member.lease.valid();
  }

  async renew(): Promise<boolean> {
    if (!this.valid()) return false;
    let isOurs = false;
    await this.#parts.access.mutate((draft) => {
      isOurs = isHeldBy(draft, this.#member.id, this.token);
      if (isOurs) writeLease(draft, { ...draft, beat: draft.beat + 1 }, this.seat.word);
    }, this.signal);
    if (!isOurs) this.#finish('taken');
    return this.valid();
  }

  /** Signs of life are the group's; here it is only stayed awake for. */
  async keep(every: number, { background, signal }: { background: boolean; signal: AbortSignal }): Promise<void> {
    const stop = AbortSignal.any([this.signal, signal]);
    while (this.valid() && !stop.aborted) {
      await this.#parts.environment.clock.sleep(every, { signal: stop, background }).catch(() => {});
    }
  }

  async release(signal: AbortSignal | undefined): Promise<boolean> {
    this.#finish('released');
    let wasOurs = false;
    await this.#parts.access.mutate((draft) => {
      wasOurs = isHeldBy(draft, this.#member.id, this.token);
      if (wasOurs) writeLease(draft, released(draft), this.seat.word);
    }, signal);
    return wasOurs;
  }

  /** What the store says of it now: somebody may want it, or have it. */
  learn(record: GroupElectionRecord | undefined): void {
    if (this.#end !== undefined) return;
    if (record === undefined || !isHeldBy(record, this.#member.id, this.token)) this.#finish('taken');
    else if (record.heir !== undefined && record.heir !== this.seat.word.candidate) this.seat.onHeir?.(record.heir);
  }

  #finish(end: LeaseEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#controller.abort(end === 'released' ? undefined : lost(this.#parts.name, this.token));
  }
}
