import type { SlotsState } from './records.ts';

/** So long a record is kept at least after its last slot ended: for clocks that jump back. */
const MIN_KEPT = 60_000;

/** Who holds the slots of a key at one instant. */
export class Holders {
  /** Never before what the record has seen. */
  readonly #now: number;
  /** How far the record's time is ahead of the clock here. */
  readonly #lag: number;
  readonly #until = new Map<string, number>();

  /** `clockNow` is what the clock says here. */
  constructor({ now, slots }: SlotsState, clockNow: number) {
    this.#now = Math.max(Math.floor(clockNow), now);
    this.#lag = this.#now - Math.floor(clockNow);
    for (const slot of slots) {
      const at = slot.indexOf('=');
      const until = Number(slot.slice(at + 1));
      if (until > this.#now) this.#until.set(slot.slice(0, at), until);
    }
  }

  get size(): number {
    return this.#until.size;
  }

  /** Milliseconds by the clock here until the first of them ends, if it is not renewed. */
  get nextAfter(): number {
    const first = Math.min(...this.#until.values());
    return first === Number.POSITIVE_INFINITY ? 0 : first - this.#now + this.#lag;
  }

  has(id: string): boolean {
    return this.#until.has(id);
  }

  /** Holds a slot for so long from now. */
  hold(id: string, ttl: number): void {
    this.#until.set(id, this.#now + ttl);
  }

  release(id: string): void {
    this.#until.delete(id);
  }

  save(state: SlotsState): void {
    state.now = this.#now;
    state.slots = [...this.#until].map(([id, until]) => `${id}=${until}`);
    state.expiresAt = new Date(Math.max(this.#now, ...this.#until.values()) + MIN_KEPT);
  }
}
