import { abortedError } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';

/** How long one caller waits. */
export interface WaitLimits {
  readonly signal: AbortSignal | undefined;
  /** When the wait began, on the monotonic clock. */
  readonly from: number;
  /** When it ends at the latest; `undefined` is never. */
  readonly until: number | undefined;
}

interface Line {
  readonly waiting: (() => void)[];
  /** Wakes the first of the line, which sleeps. */
  poke: AbortController;
}

/** One line of waiting callers for each key: whoever came first is served first. */
export class Turns {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `serve` once all who came before have been served. Errors: `aborted`, `deadline.exceeded`. */
  async run<T>(key: string, limits: WaitLimits, serve: () => Promise<T>): Promise<T> {
    if (limits.signal?.aborted) throw abortedError(limits.signal);
    const line = this.#lines.get(key);
    if (line === undefined) this.#lines.set(key, { waiting: [], poke: new AbortController() });
    else await this.#turn(line, limits);
    try {
      return await serve();
    } finally {
      this.#next(key);
    }
  }

  /** For who is served: sleeps so long, or until {@link poke}. Errors: `aborted`, `deadline.exceeded`. */
  async sleep(key: string, ms: number, limits: WaitLimits): Promise<void> {
    const { signal, until } = limits;
    const line = this.#lines.get(key);
    if (line === undefined) return;
    line.poke = new AbortController();
    const woken = line.poke.signal;
    const left = until === undefined ? Number.POSITIVE_INFINITY : until - this.#clock.mono();
    const both = signal === undefined ? woken : AbortSignal.any([signal, woken]);
    await this.#clock.sleep(Math.min(ms, left), { signal: both }).catch((error: unknown) => {
      if (signal?.aborted) throw abortedError(signal);
      if (!woken.aborted) throw error;
    });
    if (until !== undefined && this.#clock.mono() >= until) throw late(this.#clock, limits);
  }

  /** Something has become free in this process. */
  poke(key: string): void {
    this.#lines.get(key)?.poke.abort();
  }

  #turn(line: Line, limits: WaitLimits): Promise<void> {
    const { signal, until } = limits;
    return new Promise<void>((resolve, reject) => {
      const done = new AbortController();
      const settle = (): void => {
        done.abort();
        signal?.removeEventListener('abort', onAbort);
      };
      const leave = (error: unknown): void => {
        line.waiting.splice(line.waiting.indexOf(enter), 1);
        settle();
        reject(error);
      };
      const enter = (): void => {
        settle();
        resolve();
      };
      // Only called with a signal: it is the one that fired.
      const onAbort = (): void => leave(abortedError(signal as AbortSignal));
      signal?.addEventListener('abort', onAbort, { once: true });
      line.waiting.push(enter);
      if (until === undefined) return;
      const left = Math.max(0, until - this.#clock.mono());
      this.#clock.sleep(left, { signal: done.signal }).then(
        () => leave(late(this.#clock, limits)),
        () => {},
      );
    });
  }

  #next(key: string): void {
    const next = this.#lines.get(key)?.waiting.shift();
    if (next === undefined) this.#lines.delete(key);
    else next();
  }
}

/** The error of who will have waited as long as they would. */
export function late(clock: Clock, { from }: WaitLimits): NorimakiError<'deadline.exceeded'> {
  const waited = clock.mono() - from;
  const message = `Nothing becomes free before the deadline of the wait; given up after ${Math.round(waited)} ms, nothing was taken. Wait longer, or raise the limit.`;
  return new NorimakiError('deadline.exceeded', message, { waited, applied: 'no' });
}
