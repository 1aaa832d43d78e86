import { remembersKey, withKey } from '../shared/key-ring.ts';
import { AllowedDecision, type Decision, type DecisionSource, DeniedDecision, type LimitStatus } from './decision.ts';
import type { Limit, Meter } from './limits/limit.ts';
import { otherStates, type RateState, REMEMBERED_KEYS, readState, writeState } from './records.ts';

/** A call that wants to be let through. `id` is the hash of its idempotency key. */
export interface Consume {
  readonly cost: number;
  readonly id: string | undefined;
}

/** What else can be done to a key. */
export type Change =
  | { readonly kind: 'refund' | 'penalty'; readonly cost: number; readonly id: string | undefined }
  | { readonly kind: 'block'; readonly duration: number }
  | { readonly kind: 'reset' };

/** Room for calls to come, and how the limits stand now that it is charged. */
export interface RoomTaken {
  readonly size: number;
  readonly limits: readonly LimitStatus[];
}

/** So long a record is kept at least after it has nothing to say: for clocks that jump back, and for its keys. */
const MIN_KEPT = 60_000;

/** All limits of one key at one instant. Several calls are decided on it one after the other, and stored together. */
export class Ledger {
  readonly #limits: readonly Limit[];
  readonly #source: DecisionSource;
  /** Never before what the record has seen. */
  #now: number;
  /** How far the record's time is ahead of the clock here. */
  #lag: number;
  #stored: RateState;
  #meters: readonly Meter[];
  #blockedUntil: number;
  #keys: string;
  #isChanged = false;

  /** `clockNow` is what the clock says here. */
  constructor(limits: readonly Limit[], state: RateState, clockNow: number, source: DecisionSource) {
    const now = Math.floor(clockNow);
    this.#limits = limits;
    this.#source = source;
    this.#now = Math.max(now, state.now);
    this.#lag = this.#now - now;
    this.#stored = state;
    this.#meters = this.#read(state);
    this.#blockedUntil = state.blockedUntil;
    this.#keys = state.keys;
  }

  /** Whether there is anything to store. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** What the call would be told now; charges nothing. */
  peek(cost: number): Decision {
    const statuses = this.#statuses(cost);
    let after = 0;
    let by = '';
    for (const { name, retryAfter } of statuses) {
      if (retryAfter <= after) continue;
      after = retryAfter;
      by = name;
    }
    const blocked = this.#here(Math.max(0, this.#blockedUntil - this.#now));
    if (blocked > after) return new DeniedDecision(this.#limits, statuses, this.#source, blocked, 'block');
    if (after > 0) return new DeniedDecision(this.#limits, statuses, this.#source, after, by);
    return new AllowedDecision(this.#limits, statuses, this.#source);
  }

  /** Lets a call through and charges it, or refuses it and changes nothing. */
  consume({ cost, id }: Consume): Decision {
    if (id !== undefined && remembersKey(this.#keys, id)) {
      return new AllowedDecision(this.#limits, this.#statuses(0), this.#source, true);
    }
    for (const meter of this.#meters) if (!meter.fits(cost)) return this.peek(cost);
    if (this.#blockedUntil > this.#now) return this.peek(cost);
    if (cost > 0) this.#charge(cost);
    this.#remember(id);
    return new AllowedDecision(this.#limits, this.#statuses(0), this.#source);
  }

  /** Charges for calls to come: at most so much, and never more than half of what is left, so that others find room too. */
  takeAhead(most: number): RoomTaken {
    let size = this.#blockedUntil > this.#now ? 0 : most;
    for (const { remaining } of this.#meters) size = Math.min(size, Math.floor(remaining / 2));
    if (size > 0) this.#charge(size);
    return { size, limits: this.#statuses(0) };
  }

  /** Changes the key whatever stands there; tells what a call would be told after it. */
  apply(change: Change): Decision {
    switch (change.kind) {
      case 'refund':
      case 'penalty':
        this.#adjust(change.kind, change.cost, change.id);
        break;
      case 'block':
        this.#blockedUntil = change.duration === 0 ? 0 : this.#now + change.duration;
        this.#isChanged = true;
        break;
      case 'reset':
        this.#reset();
    }
    return this.peek(1);
  }

  /** Writes what there is to store into the record. */
  save(state: RateState): void {
    const ids = this.#limits.map(({ id }) => id);
    // Those of a program with other limits, which may run beside this one; until they say nothing any more.
    const others = otherStates(this.#stored.states, ids, this.#now);
    let until = Math.max(this.#now, this.#blockedUntil, ...others.map((other) => other.until));
    let longest = MIN_KEPT;
    const states = others.map(({ text }) => text);
    for (const [i, meter] of this.#meters.entries()) {
      const limit = this.#limits[i] as Limit; // one for each
      longest = Math.max(longest, limit.window);
      if (meter.resetAfter === 0) continue;
      until = Math.max(until, this.#now + meter.resetAfter);
      states.push(writeState(limit.id, meter.save()));
    }
    state.now = this.#now;
    state.blockedUntil = this.#blockedUntil;
    state.states = states;
    state.keys = this.#keys;
    state.expiresAt = new Date(until + longest);
  }

  #charge(cost: number): void {
    for (const meter of this.#meters) meter.charge(cost);
    this.#isChanged = true;
  }

  #adjust(kind: 'refund' | 'penalty', cost: number, id: string | undefined): void {
    if (id !== undefined && remembersKey(this.#keys, id)) return;
    for (const meter of this.#meters) {
      if (kind === 'refund') meter.refund(cost);
      else meter.charge(cost);
    }
    this.#isChanged = true;
    this.#remember(id);
  }

  #remember(id: string | undefined): void {
    if (id === undefined) return;
    this.#keys = withKey(this.#keys, id, REMEMBERED_KEYS);
    this.#isChanged = true;
  }

  #reset(): void {
    this.#now -= this.#lag;
    this.#lag = 0;
    this.#stored = { ...this.#stored, states: [] };
    this.#meters = this.#read(this.#stored);
    this.#blockedUntil = 0;
    this.#isChanged = true;
  }

  #statuses(cost: number): LimitStatus[] {
    return this.#meters.map((meter, i) => {
      // One limit for each meter.
      const { name, quota, window } = this.#limits[i] as Limit;
      return {
        name,
        quota,
        window,
        remaining: meter.remaining,
        nextAfter: this.#here(meter.nextAfter),
        resetAfter: this.#here(meter.resetAfter),
        retryAfter: cost === 0 ? 0 : this.#here(meter.retryAfter(cost)),
      };
    });
  }

  #read({ states }: RateState): Meter[] {
    return this.#limits.map((limit) => limit.meter(readState(states, limit.id), this.#now));
  }

  /** A wait in the record's time, as one by the clock here. */
  #here(wait: number): number {
    return wait === 0 || this.#lag === 0 ? wait : wait + this.#lag;
  }
}
