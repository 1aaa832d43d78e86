import { abortedError, throwIfAborted } from '../abort.ts';
import { NorimakiError } from '../errors.ts';
import { keyName } from '../keys/index.ts';
import type { Change, Watch, WatchOptions } from '../store.ts';

const DEFAULT_BUFFER = 10_000;

type Step = IteratorResult<readonly Change[], undefined>;

interface Waiter {
  resolve(step: Step): void;
  reject(error: unknown): void;
}

/** The error of a watch that has missed changes. */
export function watchLost(reason: 'behind' | 'disconnected', cause?: unknown): NorimakiError<'watch.lost'> {
  const why =
    reason === 'behind'
      ? 'The watch fell behind: more changed than it has room for, or than is kept for it.'
      : 'What carried the watch broke.';
  const message = `${why} It has missed changes: watch anew, then read again what you keep.`;
  return new NorimakiError('watch.lost', message, { reason }, { cause });
}

/** The size of the buffer of a watch, checked. Errors: `argument.invalid`. */
function bufferOf({ buffer = DEFAULT_BUFFER }: WatchOptions): number {
  if (Number.isSafeInteger(buffer) && buffer >= 1) return buffer;
  throw new NorimakiError('argument.invalid', 'buffer is a whole number of keys from 1.', { argument: 'buffer' });
}

/**
 * A watch whose changes are put in by hand: what waits is folded, a key at a time, and bounded. Adapters return one from
 * `watch`.
 */
export class ChangeQueue implements Watch {
  readonly #buffer: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => void;
  readonly #onAbort: () => void;
  /** By the name of the key, in the order of the last change of each. */
  #changes = new Map<string, Change>();
  #waiters: Waiter[] = [];
  #isHandingOver = false;
  #isOver = false;
  /** Of a watch that failed while nobody waited. */
  #untold: { readonly error: unknown } | undefined;

  /** `onEnd` is called once, however it ends. Errors: `aborted`, `argument.invalid`. */
  constructor(options: WatchOptions = {}, onEnd: () => void = () => {}) {
    throwIfAborted(options.signal);
    this.#buffer = bufferOf(options);
    this.#signal = options.signal;
    this.#onEnd = onEnd;
    // Only reachable with a signal: it is the one that fired.
    this.#onAbort = () => this.fail(abortedError(this.#signal as AbortSignal));
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Takes one change, with a copy of its key. All that is added in one turn is handed over together. */
  add(change: Change): void {
    if (this.#isOver) return;
    const name = keyName(change.key);
    // Behind the others: it is the newest.
    this.#changes.delete(name);
    this.#changes.set(name, { ...change, key: Uint8Array.from(change.key) });
    if (this.#changes.size > this.#buffer) this.fail(watchLost('behind'));
    else if (this.#waiters.length > 0 && !this.#isHandingOver) {
      this.#isHandingOver = true;
      queueMicrotask(() => this.#handOver());
    }
  }

  /** Ends it with an error for whoever takes the next step; what waits is dropped. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    const [first, ...others] = this.#end();
    if (first === undefined) this.#untold = { error };
    else first.reject(error);
    for (const waiter of others) waiter.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<readonly Change[], undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#handOver();
    });
  }

  async return(): Promise<IteratorResult<readonly Change[], undefined>> {
    this.#untold = undefined;
    const step: Step = { done: true, value: undefined };
    if (!this.#isOver) for (const waiter of this.#end()) waiter.resolve(step);
    return step;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #handOver(): void {
    this.#isHandingOver = false;
    const [waiter] = this.#waiters;
    if (waiter === undefined || !(this.#isOver || this.#changes.size > 0)) return;
    this.#waiters.shift();
    const untold = this.#untold;
    this.#untold = undefined;
    if (untold !== undefined) waiter.reject(untold.error);
    else if (this.#isOver) waiter.resolve({ done: true, value: undefined });
    else {
      const value = [...this.#changes.values()];
      this.#changes = new Map();
      waiter.resolve({ done: false, value });
    }
  }

  /** Lets everything go; who was waiting is still to be told. */
  #end(): readonly Waiter[] {
    const waiters = this.#waiters;
    this.#isOver = true;
    this.#waiters = [];
    this.#changes.clear();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd();
    return waiters;
  }
}
