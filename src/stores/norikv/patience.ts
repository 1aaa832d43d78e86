import { setMaxListeners } from 'node:events';
import { abortedError } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { type Applied, NorimakiError } from '../../core/errors.ts';

type End = 'deadline' | 'closed' | AbortSignal;

/** How long one call of the caller's is waited for: until its deadline, its caller's signal or the end of the store. */
export class Patience {
  /** Nearly every call ends without either: a signal for each costs more than all else that is done for it. */
  readonly #listeners: (() => void)[] = [];
  #control: AbortController | undefined;
  readonly #clock: Clock;
  readonly #started: number;
  /** By `clock.mono()`. */
  readonly deadline: number;
  #end: End | undefined;

  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#started = clock.mono();
    this.deadline = this.#started + timeout;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Fires when it is over. */
  get signal(): AbortSignal {
    if (this.#control === undefined) {
      this.#control = new AbortController();
      // A getMany waits with each of its keys.
      setMaxListeners(0, this.#control.signal);
      if (this.isOver) this.#control.abort();
    }
    return this.#control.signal;
  }

  /** Calls the listener when it is over, or at once if it is. */
  onOver(listener: () => void): void {
    if (this.isOver) listener();
    else this.#listeners.push(listener);
  }

  /** Milliseconds until the deadline. */
  get remaining(): number {
    return Math.max(0, this.deadline - this.#clock.mono());
  }

  end(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#control?.abort();
    for (const listener of this.#listeners.splice(0)) listener();
  }

  /** What the caller is told. */
  failure(applied: Applied): NorimakiError {
    if (this.#end instanceof AbortSignal) return abortedError(this.#end, applied);
    if (this.#end === 'closed') return applied === 'no' ? closedError() : closedInDoubt();
    const waited = Math.round(this.#clock.mono() - this.#started);
    const outcome = applied === 'no' ? 'nothing was written.' : 'a write may have been applied.';
    return new NorimakiError(
      'deadline.exceeded',
      `The server did not answer within ${waited} ms; ${outcome} Allow more with timeout, or look at the server.`,
      { waited, applied },
    );
  }
}

export function closedError(): NorimakiError<'store.closed'> {
  return new NorimakiError('store.closed', 'The norikv store is closed.', { store: 'norikv' });
}

/** `store.closed` would say that nothing was written. */
function closedInDoubt(): NorimakiError<'store.unavailable'> {
  return new NorimakiError(
    'store.unavailable',
    'The norikv store was closed while a write was under way; it may have been applied.',
    { applied: 'unknown' },
  );
}

/** The patience of every call in flight, with one timer for all: they have one timeout, so the oldest is due first. */
export class Patiences {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #inFlight = new Set<Patience>();
  readonly #closing = new AbortController();
  #isWatching = false;
  #onIdle: (() => void) | undefined;

  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** Errors: those of the call, `aborted`, `store.closed`. */
  async lend<T>(signal: AbortSignal | undefined, call: (patience: Patience) => Promise<T>): Promise<T> {
    const patience = new Patience(this.#clock, this.#timeout);
    const onAbort = signal && ((): void => patience.end(signal));
    if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) patience.end(signal);
    this.#inFlight.add(patience);
    if (!this.#isWatching) void this.#watch();
    try {
      return await call(patience);
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#inFlight.delete(patience);
      if (this.#inFlight.size === 0) this.#onIdle?.();
    }
  }

  /** Waits up to `grace` milliseconds for the calls in flight, then ends them. */
  async close(grace: number): Promise<void> {
    if (this.#inFlight.size > 0) {
      const answered = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      const over = new AbortController();
      await Promise.race([answered, this.#clock.sleep(grace, { signal: over.signal }).catch(() => {})]);
      over.abort();
    }
    this.#closing.abort();
    for (const patience of this.#inFlight) patience.end('closed');
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    for (const patience of this.#inFlight) {
      const { signal } = this.#closing;
      // A timer may be early.
      while (patience.remaining > 0 && this.#inFlight.has(patience) && !signal.aborted) {
        await this.#clock.sleep(patience.remaining, { signal }).catch(() => {});
      }
      if (this.#inFlight.has(patience) && !signal.aborted) patience.end('deadline');
    }
    this.#isWatching = false;
  }
}
