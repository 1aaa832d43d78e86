import type { Clock, SleepOptions } from '../../../src/core/clock.ts';

/** The two clocks of one machine, beside the true time that a test moves. */
export interface ProcessClock extends Clock {
  /** Sets the wall clock forward, or back. */
  jump(ms: number): void;
  /** Lets the machine sleep for so long in true time: its monotonic clock stands still, its wall clock goes on. */
  suspend(ms: number): void;
  /** The process does nothing for so long in true time, though its clocks go on. */
  pause(ms: number): void;
  /** Resolves once the process may run. */
  running(): Promise<void>;
}

/** Clocks that run at `rate` of true time, with an offset. */
export function processClock(truth: Clock, { rate = 1, offset = 0 } = {}): ProcessClock {
  let monoLost = 0;
  let jumped = offset;
  let asleep: { from: number; until: number } | undefined;
  let pausedUntil = 0;

  /** True time during which the monotonic clock stood still. */
  const stood = (): number => {
    if (asleep === undefined) return monoLost;
    const until = Math.min(truth.mono(), asleep.until);
    const sofar = monoLost + until - asleep.from;
    if (truth.mono() >= asleep.until) {
      monoLost = sofar;
      asleep = undefined;
    }
    return sofar;
  };
  const mono = (): number => (truth.mono() - stood()) * rate;
  const running = async (): Promise<void> => {
    for (;;) {
      const until = Math.max(pausedUntil, asleep?.until ?? 0);
      if (truth.mono() >= until) return;
      await truth.sleep(until - truth.mono());
    }
  };
  return {
    now: () => truth.now() + truth.mono() * (rate - 1) + jumped,
    mono,
    async sleep(ms: number, options: SleepOptions = {}) {
      const due = mono() + Math.max(0, ms);
      // At least once, as a timer does.
      do {
        await truth.sleep(Math.max(0, due - mono()) / rate, options);
        await running();
      } while (mono() < due - 1e-6);
    },
    jump(ms) {
      jumped += ms;
    },
    suspend(ms) {
      stood();
      asleep = { from: asleep?.from ?? truth.mono(), until: truth.mono() + ms };
    },
    pause(ms) {
      pausedUntil = truth.mono() + ms;
    },
    running,
  };
}
