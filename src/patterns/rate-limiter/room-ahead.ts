import type { Clock } from '../../core/clock.ts';
import { recentlyUsed } from '../../core/recently-used.ts';
import { type Allowed, type LimitStatus, leastOf } from './decision.ts';
import { rateLimitHeaders } from './headers.ts';
import type { Consume, RoomTaken } from './ledger.ts';
import type { Limit } from './limits/limit.ts';
import type { AheadSettings } from './settings.ts';

/** Keys for which room is held. */
const MAX_KEYS = 10_000;

/** Room for calls to come: charged already, and not used yet. */
interface Room extends RoomTaken {
  /** On the monotonic clock, when the store was asked: no room is older than it says. */
  readonly askedAt: number;
  /** The limits that it was taken of. */
  readonly policies: readonly Limit[];
  /** The least that any limit leaves beside it. */
  readonly least: number;
  left: number;
}

/** A call that is let through by room that was taken ahead. How the limits stand is worked out where it is asked for. */
class AheadDecision implements Allowed {
  readonly allowed = true;
  readonly replayed = false;
  readonly source = 'ahead';
  readonly remaining: number;
  readonly #room: Room;
  readonly #elapsed: number;

  constructor(room: Room, now: number) {
    this.remaining = room.least + room.left;
    this.#room = room;
    this.#elapsed = Math.floor(now - room.askedAt);
  }

  get limits(): readonly LimitStatus[] {
    const elapsed = this.#elapsed;
    const { limits, least } = this.#room;
    const left = this.remaining - least;
    return limits.map((limit) => ({
      ...limit,
      remaining: limit.remaining + left,
      nextAfter: Math.max(0, limit.nextAfter - elapsed),
      resetAfter: Math.max(0, limit.resetAfter - elapsed),
    }));
  }

  headers(): Headers {
    return rateLimitHeaders(this.#room.policies, this.limits, undefined);
  }
}

/** What a round with the store may take, and what to do with it. */
export interface Order {
  readonly size: number;
  keep(taken: RoomTaken): void;
}

/**
 * Room that this process took for calls to come, while the store let others through: as long as there is some, the store is not
 * asked. It is taken for as many calls as came lately, so that a key that is rarely asked for takes none.
 */
export class RoomAhead {
  readonly #limits: readonly Limit[];
  readonly #settings: AheadSettings;
  readonly #clock: Clock;
  readonly #rooms = recentlyUsed<Room>(MAX_KEYS);
  /** A key that is asked for time and again is found without hashing it: a tenth of what a decision costs. */
  #last: { readonly key: string; readonly room: Room } | undefined;
  /** Calls that were let through. */
  used = 0;

  constructor(limits: readonly Limit[], settings: AheadSettings, clock: Clock) {
    this.#limits = limits;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Lets a call through, where there is room for it. */
  consume(key: string, cost: number): Allowed | undefined {
    const now = this.#clock.mono();
    const room = this.#roomFor(key, cost, now);
    if (room === undefined) return undefined;
    room.left -= cost;
    this.used++;
    return new AheadDecision(room, now);
  }

  /** The first of these calls, as far as there is room for them. */
  consumeAll(key: string, calls: readonly Consume[]): Allowed[] {
    const decisions: Allowed[] = [];
    for (const { cost, id } of calls) {
      const decision = id === undefined ? this.consume(key, cost) : undefined;
      if (decision === undefined) break;
      decisions.push(decision);
    }
    return decisions;
  }

  /** What {@link consume} would say. */
  peek(key: string, cost: number): Allowed | undefined {
    const now = this.#clock.mono();
    const room = this.#roomFor(key, cost, now);
    return room && new AheadDecision(room, now);
  }

  /** How much to take in a round that decides on these calls. */
  order(key: string, calls: readonly Consume[]): Order {
    const askedAt = this.#clock.mono();
    return {
      size: this.#sizeAfter(this.#rooms.get(key), askedAt, calls),
      keep: (taken) => {
        const { size: left, limits } = taken;
        const room = { ...taken, askedAt, policies: this.#limits, least: leastOf(limits), left };
        this.#last = { key, room };
        this.#rooms.set(key, room);
      },
    };
  }

  /** Somebody changed the key: what is held is of no use any more. Rounds before that change have ended, as a key is written in turn. */
  forget(key: string): void {
    this.#last = undefined;
    this.#rooms.delete(key);
  }

  #roomFor(key: string, cost: number, now: number): Room | undefined {
    const room = this.#last?.key === key ? this.#last.room : this.#rooms.get(key);
    if (room === undefined || room.left === 0 || room.left < cost) return undefined;
    return now - room.askedAt < this.#settings.for ? room : undefined;
  }

  /** What is likely to be used in time; at most twice as much as before. Nothing for a key that was not asked for lately. */
  #sizeAfter(room: Room | undefined, now: number, calls: readonly Consume[]): number {
    const { most, for: span } = this.#settings;
    const elapsed = now - (room?.askedAt ?? Number.NEGATIVE_INFINITY);
    if (room === undefined || elapsed >= 2 * span) return 0;
    const asked = calls.reduce((sum, { cost, id }) => sum + (id === undefined ? cost : 0), 0);
    const used = room.size - room.left;
    const likely = elapsed < span ? Math.min(2 * used, Math.floor((used * span) / Math.max(1, elapsed))) : used;
    return Math.min(most, Math.max(asked, likely));
  }
}
