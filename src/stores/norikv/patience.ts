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

/** Of all calls in flight that one signal gives up. */
interface SharedEnd {
  readonly patiences: Set<Patience>;
  end(): void;
}

/** The patience of every call in flight, with one timer for all: they have one timeout, so the oldest is due first. */
export class Patiences {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #inFlight = new Set<Patience>();
  readonly #givenUp = new Map<AbortSignal, SharedEnd>();
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
    if (signal !== undefined) this.#endWith(signal, patience);
    this.#inFlight.add(patience);
    if (!this.#isWatching) void this.#watch();
    try {
      return await call(patience);
    } finally {
      if (signal !== undefined) this.#leave(signal, patience);
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

  /** One listener for all calls of a signal: Node takes many for a leak, and a caller may well abort thousands at once. */
  #endWith(signal: AbortSignal, patience: Patience): void {
    const known = this.#givenUp.get(signal);
    known?.patiences.add(patience);
    if (signal.aborted) patience.end(signal);
    if (signal.aborted || known !== undefined) return;
    const patiences = new Set([patience]);
    const end = (): void => {
      for (const one of patiences) one.end(signal);
    };
    this.#givenUp.set(signal, { patiences, end });
    signal.addEventListener('abort', end, { once: true });
  }

  #leave(signal: AbortSignal, patience: Patience): void {
    const shared = this.#givenUp.get(signal);
    if (!shared?.patiences.delete(patience) || shared.patiences.size > 0) return;
    signal.removeEventListener('abort', shared.end);
    this.#givenUp.delete(signal);
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    this.#isWatching = true;
    for (let wait = this.#endOverdue(); wait !== undefined && !signal.aborted; wait = this.#endOverdue()) {
      await this.#clock.sleep(wait, { signal }).catch(() => {});
    }
    this.#isWatching = false;
  }

  /**
   * How long the oldest that is left may still take. Not one loop over all with a sleep in it: a set that is being gone through
   * keeps what was deleted from it meanwhile, which is every call of ten seconds.
   */
  #endOverdue(): number | undefined {
    for (const patience of this.#inFlight) {
      const { remaining } = patience;
      if (remaining > 0 && !patience.isOver) return remaining;
      patience.end('deadline');
    }
    return undefined;
  }
}
