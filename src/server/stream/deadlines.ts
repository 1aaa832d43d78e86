import type { Clock } from '../../core/clock.ts';

/** What ends at an instant of `clock.mono()`. */
export interface Due {
  readonly deadline: number;
  expire(): void;
}

/** Expires what is under way when its time has come, with one timer for all: most calls end long before. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #under: () => Iterable<Due>;
  #alarm: { readonly at: number; readonly off: AbortController } | undefined;

  /** `under`: all that is under way. */
  constructor(clock: Clock, under: () => Iterable<Due>) {
    this.#clock = clock;
    this.#under = under;
  }

  now(): number {
    return this.#clock.mono();
  }

  /** Wakes up for a deadline, unless it wakes up before it anyway. */
  watch(deadline: number): void {
    if (this.#alarm !== undefined && this.#alarm.at <= deadline) return;
    this.stop();
    const off = new AbortController();
    this.#alarm = { at: deadline, off };
    const wait = Math.max(0, deadline - this.now());
    this.#clock.sleep(wait, { signal: off.signal, background: true }).then(
      () => this.#ring(),
      // Put off, or stopped.
      () => {},
    );
  }

  stop(): void {
    this.#alarm?.off.abort();
    this.#alarm = undefined;
  }

  #ring(): void {
    this.#alarm = undefined;
    const now = this.now();
    let next = Number.POSITIVE_INFINITY;
    for (const one of this.#under()) {
      if (one.deadline <= now) one.expire();
      else next = Math.min(next, one.deadline);
    }
    if (next !== Number.POSITIVE_INFINITY) this.watch(next);
  }
}
