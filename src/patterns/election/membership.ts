import { orAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { randomId } from '../../core/random-id.ts';
import {
  type Lease,
  LeaseCandidate,
  type LeasePlace,
  type Observed,
  observe,
  patienceLeft,
  recordPlace,
  released,
} from '../shared/lease/index.ts';
import { groupClosed } from './errors.ts';
import type { GroupMembers } from './records.ts';
import type { Times } from './settings.ts';

/** How long what is left of a member stays: only people look at it. */
const GARBAGE_LIFE = '1d';

/** This process as a member of a group. */
export interface Member {
  readonly id: string;
  readonly lease: Lease;
}

/** A membership of anybody: the member, and the token of its lease. */
export interface MemberRef {
  readonly id: string;
  readonly token: bigint;
}

/**
 * What makes the leaders of a group give signs of life together: each process has one lease of its own, its membership, and
 * leads only while that is valid. Before anybody takes a seat from a member that is silent, it ends the membership by a
 * compare-and-swap; no sign of life can follow that. An ended one never begins again: who comes back is a new member.
 */
export class Membership {
  readonly #members: GroupMembers;
  readonly #group: string;
  readonly #environment: Environment;
  readonly #times: Times;
  readonly #observed = new Map<string, Observed>();
  #joining: Promise<Member> | undefined;
  #member: Member | undefined;
  #isClosed = false;

  constructor(members: GroupMembers, group: string, environment: Environment, times: Times) {
    this.#members = members;
    this.#group = group;
    this.#environment = environment;
    this.#times = times;
  }

  /** This process as a member, now at the latest. Errors: those of the store. */
  join(signal: AbortSignal | undefined): Promise<Member> {
    if (this.#isClosed) return Promise.reject(groupClosed(this.#group));
    if (this.#member?.lease.valid()) return Promise.resolve(this.#member);
    // For all who wait, so that no one's signal ends it.
    this.#joining ??= this.#join().finally(() => {
      this.#joining = undefined;
    });
    return orAborted(this.#joining, signal);
  }

  /** Ends it: all seats are free. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#joining?.catch(() => {});
    await this.#member?.lease.release();
  }

  /** Milliseconds until a membership is over for certain, as far as this process has watched. Errors: those of the store. */
  async patienceWith({ id, token }: MemberRef, signal: AbortSignal | undefined): Promise<number> {
    const now = await this.#ending(id).read(signal);
    const mono = this.#environment.clock.mono();
    if (now.holder === undefined || now.token !== token) {
      this.#observed.delete(id);
      return 0;
    }
    const observed = observe(this.#observed.get(id), now, mono);
    this.#observed.set(id, observed);
    return patienceLeft(observed, now, mono, this.#times.maxDriftRate);
  }

  /** Ends a membership with which there is no patience left. `false`: it gave a sign of life. Errors: those of the store. */
  async end({ id, token }: MemberRef, signal: AbortSignal | undefined): Promise<boolean> {
    const observed = this.#observed.get(id);
    let isOver = false;
    await this.#ending(id).change((now) => {
      isOver = now.holder === undefined || now.token !== token;
      if (isOver || now.beat !== observed?.beat) return undefined;
      isOver = true;
      return released(now);
    }, signal);
    return isOver;
  }

  /** The place of a membership, for who ends it: nothing of it is held again, so it may expire. */
  #ending(id: string): LeasePlace {
    return recordPlace(this.#members, { group: this.#group, id }, undefined, GARBAGE_LIFE);
  }

  async #join(): Promise<Member> {
    // The seats of who we were are free at once.
    await this.#member?.lease.release().catch(() => {});
    const { clock, random } = this.#environment;
    const id = randomId(random, 16);
    const place = { ...recordPlace(this.#members, { group: this.#group, id }), last: this.#ending(id) };
    const candidate = new LeaseCandidate(place, { environment: this.#environment, ...this.#times, holder: id });
    for (;;) {
      const lease = await candidate.tryAcquire();
      if (lease === undefined) {
        // The answer came too late.
        await clock.sleep(this.#times.pollEvery);
        continue;
      }
      this.#member = { id, lease };
      if (this.#isClosed) await lease.release();
      void lease.keep(this.#times.renewEvery, { background: true });
      return this.#member;
    }
  }
}
