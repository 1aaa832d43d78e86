import { createHash } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { abortedError, throwIfAborted } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { recentlyUsed } from '../../core/recently-used.ts';
import type { WriteOptions } from '../../core/store.ts';

const KEPT_MS = 24 * 3_600_000;
const MAX_KEY_BYTES = 1024;

/** Errors: `size.exceeded`. */
export function checkIdempotencyKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes <= MAX_KEY_BYTES) return;
  const message = `The idempotency key has ${bytes} bytes; the limit is ${MAX_KEY_BYTES}.`;
  throw new NorimakiError('size.exceeded', message, { what: 'idempotencyKey', bytes, limit: MAX_KEY_BYTES });
}

/** Answers of writes under their idempotency keys: bounded, and forgotten after a day. */
export class Answers {
  readonly #answers: LRUCache<string, Promise<unknown>>;

  constructor(max: number, clock: Clock) {
    // To the cache an instant of 0 is none.
    this.#answers = recentlyUsed(max, { ttl: KEPT_MS, ttlResolution: 0, perf: { now: () => clock.mono() + 1 } });
  }

  get size(): number {
    return this.#answers.size;
  }

  /**
   * The answer of the first delivery of this call, which others wait for; one that failed leaves no trace. `target` is what
   * it writes. What has begun ends, whoever gives it up: others may be waiting for it.
   */
  async once<T>(
    verb: string,
    target: readonly string[],
    { idempotencyKey, signal }: WriteOptions,
    write: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    if (idempotencyKey === undefined) return write(signal);
    throwIfAborted(signal);
    // Of one length, whatever is hashed; and as JSON no two calls have one text.
    const id = createHash('sha256')
      .update(JSON.stringify([verb, target, idempotencyKey]))
      .digest('base64');
    // The verb is part of the id, so the answer is of this verb's type.
    const known = this.#answers.get(id) as Promise<T> | undefined;
    const answer = known ?? write(undefined);
    if (known === undefined) {
      this.#answers.set(id, answer);
      answer.catch(() => {
        if (this.#answers.peek(id) === answer) this.#answers.delete(id);
      });
    }
    return signal === undefined ? answer : orGivenUp(answer, signal);
  }
}

/** `work`, or `aborted` as soon as the signal fires; the work goes on. */
function orGivenUp<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(signal, 'unknown'));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
