import type { Clock } from '../../../core/clock.ts';
import { HeldBackStreams } from './held-back.ts';
import type { Found } from './work.ts';

/** Streams that were told to have changed, beyond which all are looked at instead. */
const MAX_NOTICED = 10_000;

/** Which stream of a partition comes next: one that waited to be tried again, one that changed, or what a sweep finds. */
export class Agenda {
  readonly held = new HeldBackStreams();
  readonly #clock: Clock;
  readonly #every: number;
  readonly #sweep: () => AsyncGenerator<Found, void>;
  readonly #noticed = new Map<string, Found>();
  #sweeping: AsyncGenerator<Found, void> | undefined;
  /** When the next sweep is due, on the monotonic clock. */
  #sweepAt: number;
  #isSweptAgain = false;

  /** `sweep` finds all streams with something to do; it runs once at first, and `every` so many milliseconds. */
  constructor(clock: Clock, every: number, sweep: () => AsyncGenerator<Found, void>) {
    this.#clock = clock;
    this.#every = every;
    this.#sweep = sweep;
    this.#sweepAt = clock.mono();
  }

  /** A stream has changed; `undefined`: any may have. */
  notice(found: Found | undefined): void {
    if (found !== undefined && this.#noticed.size < MAX_NOTICED) this.#noticed.set(found.key, found);
    else if (this.#sweeping === undefined) this.#sweepAt = this.#clock.mono();
    else this.#isSweptAgain = true;
  }

  /** The next stream; `undefined`: nothing is to be done for {@link wait}. Errors: those of the sweep, which begins anew. */
  async next(): Promise<Found | undefined> {
    const due = this.held.takeDue(this.#clock.mono());
    if (due !== undefined) return due;
    if (this.held.isFull) return undefined;
    for (const [key, found] of this.#noticed) {
      this.#noticed.delete(key);
      if (!this.held.has(key)) return found;
    }
    return this.#swept();
  }

  /** Milliseconds until something is due by itself. */
  get wait(): number {
    const at = Math.min(this.#sweepAt, this.held.firstDue);
    return Math.max(0, (this.held.isFull ? this.held.firstDue : at) - this.#clock.mono());
  }

  async #swept(): Promise<Found | undefined> {
    if (this.#sweeping === undefined) {
      if (this.#clock.mono() < this.#sweepAt) return undefined;
      this.#isSweptAgain = false;
      this.#sweeping = this.#sweep();
    }
    for (;;) {
      const step = await this.#sweeping.next().catch((error: unknown) => {
        this.#sweeping = undefined;
        throw error;
      });
      if (step.done === true) break;
      if (!this.held.has(step.value.key)) return step.value;
    }
    this.#sweeping = undefined;
    this.#sweepAt = this.#clock.mono() + (this.#isSweptAgain ? 0 : this.#every);
    return this.#isSweptAgain ? this.#swept() : undefined;
  }
}
