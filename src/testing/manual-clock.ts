import { abortedError } from '../core/abort.ts';
import type { Clock, SleepOptions } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import { idle } from './idle.ts';

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward and wakes the sleeps that fall due, in order; each sees the instant it asked for, and what it
   * does next (another sleep, say) happens before time goes on. With nobody due, time has moved when the call returns.
   */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock, back as well as forward. Sleeps and `mono()` do not notice, as on a real machine. */
  set(now: number): void;
  /** How many sleeps are pending. */
  readonly sleeping: number;
}

/** Options of {@link manualClock}. */
export interface ManualClockOptions {
  /**
   * Virtual time: as soon as everything waits, time jumps to the next sleep that is due. So a retry loop with backoff
   * runs at once and always alike. Sleeps in the background move with time but do not move it. Work that waits for
   * real I/O does not hold time back.
   */
  readonly autoAdvance?: boolean | undefined;
}

interface Sleeper {
  readonly due: number;
  readonly background: boolean;
  wake(): void;
}

/** 2025-01-01T00:00:00Z: a date like any other, so that a test that forgets the clock shows. */
const DEFAULT_START = 1_735_689_600_000;

class Manual implements ManualClock {
  readonly #autoAdvance: boolean;
  /** In order of waking: by instant, then by arrival. */
  readonly #sleepers: Sleeper[] = [];
  /** Wall-clock time at the origin of `mono()`. */
  #origin: number;
  #mono = 0;
  #jumping = false;

  constructor(start: number, autoAdvance: boolean) {
    this.#origin = start;
    this.#autoAdvance = autoAdvance;
  }

  now(): number {
    return this.#origin + this.#mono;
  }

  mono(): number {
    return this.#mono;
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }

  set(now: number): void {
    this.#origin = now - this.#mono;
  }

  sleep(ms: number, { signal, background = false }: SleepOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortedError(signal));
        return;
      }
      const onAbort = (): void => {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        // Only reachable with a signal: it is the one that fired.
        reject(abortedError(signal as AbortSignal));
      };
      const sleeper: Sleeper = {
        due: this.#mono + Math.max(0, ms),
        background,
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const later = this.#sleepers.findIndex(({ due }) => due > sleeper.due);
      this.#sleepers.splice(later === -1 ? this.#sleepers.length : later, 0, sleeper);
      if (this.#autoAdvance) void this.#jump();
    });
  }

  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) {
      throw new NorimakiError('argument.invalid', 'advance() moves time forward; set() moves the wall clock back.', {
        argument: 'ms',
      });
    }
    const target = this.#mono + ms;
    for (let due = this.#sleepers[0]?.due; due !== undefined && due <= target; due = this.#sleepers[0]?.due) {
      this.#moveTo(due);
      await idle();
    }
    this.#moveTo(target);
  }

  #moveTo(instant: number): void {
    this.#mono = Math.max(this.#mono, instant);
    while (this.#sleepers[0] !== undefined && this.#sleepers[0].due <= this.#mono) this.#sleepers.shift()?.wake();
  }

  async #jump(): Promise<void> {
    if (this.#jumping) return;
    this.#jumping = true;
    for (;;) {
      await idle();
      const next = this.#sleepers[0];
      if (next === undefined || this.#sleepers.every(({ background }) => background)) break;
      this.#moveTo(next.due);
    }
    this.#jumping = false;
  }
}

/**
 * A {@link Clock} for tests: time passes when the test says so. The wall clock starts at `start`, `mono()` at 0.
 *
 * @example
 * ```ts
 * const clock = manualClock();
 * const db = await open(memory(), { clock, random: seededRandom(1) });
 * await sessions.create({ id: 'a' });   // expires after 30 minutes
 * await clock.advance(30 * 60_000);
 * assert.equal(await sessions.get('a'), undefined);
 * ```
 */
export function manualClock(
  start: number = DEFAULT_START,
  { autoAdvance = false }: ManualClockOptions = {},
): ManualClock {
  return new Manual(start, autoAdvance);
}
