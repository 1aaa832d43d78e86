import { abortedError, orAborted } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { CONFLICT_POLICY, type RetryOptions, type RetryPolicy, retryPolicy } from '../../core/retry/index.ts';
import type { Consistency } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { Operation, RecordState } from './operation.ts';

/** What every write of a repository takes. */
export interface WriteCallOptions {
  /** Gives up waiting; what is already on its way to the store may still be applied. */
  readonly signal?: AbortSignal | undefined;
  /** How often and how long to try again after a version conflict; default 64 tries in 30 seconds. */
  readonly retry?: RetryOptions | undefined;
}

/** How far one operation came in one folding of its batch. */
export type Fold = Changed | Failed;

// Classes, as they live until the write is acknowledged: see `listOf`.

class Changed {
  readonly before: RecordState;
  readonly after: RecordState;

  constructor(before: RecordState, after: RecordState) {
    this.before = before;
    this.after = after;
  }
}

export class Failed {
  readonly before: RecordState;
  readonly error: unknown;

  constructor(before: RecordState, error: unknown) {
    this.before = before;
    this.error = error;
  }
}

/** The queue that a member waits in. */
export interface MemberHost {
  readonly clock: Clock;
  apply(operation: Operation, state: RecordState): RecordState | Promise<RecordState>;
  onMemberAborted(): void;
}

/** One caller in the queue of a key: an operation, its patience, and the promise it waits on. */
export class Member<R = unknown> {
  readonly operation: Operation<R>;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal | undefined;
  readonly consistency: Consistency | undefined;
  readonly promise: Promise<R>;
  attempts = 0;
  /** A write that holds this operation is on its way to the store. */
  inFlight = false;
  isSettled = false;

  readonly #host: MemberHost;
  readonly #started: number;
  #resolve: ((result: R) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(
    operation: Operation<R>,
    options: WriteCallOptions & { consistency?: Consistency | undefined },
    host: MemberHost,
  ) {
    this.operation = operation;
    this.policy = retryPolicy(options.retry, CONFLICT_POLICY);
    this.signal = options.signal;
    this.consistency = options.consistency;
    this.#host = host;
    this.#started = host.clock.mono();
    this.promise = new Promise<R>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (options.signal !== undefined) this.#heed(options.signal);
  }

  #heed(signal: AbortSignal): void {
    const abort = (): void => {
      this.reject(abortedError(signal, this.inFlight ? 'unknown' : 'no'));
      this.#host.onMemberAborted();
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    this.promise.catch(() => {}).finally(() => signal.removeEventListener('abort', abort));
  }

  get waited(): number {
    return this.#host.clock.mono() - this.#started;
  }

  get remaining(): number {
    return this.policy.deadline - this.waited;
  }

  /**
   * Applies the operation, at once unless that itself takes time. A function that takes longer than the caller's deadline
   * counts as failed.
   */
  fold(before: RecordState): Fold | Promise<Fold> {
    try {
      const after = this.#host.apply(this.operation, before);
      return after instanceof Promise ? this.#foldInTime(before, after) : new Changed(before, after);
    } catch (error) {
      return new Failed(before, error);
    }
  }

  async #foldInTime(before: RecordState, work: Promise<RecordState>): Promise<Fold> {
    try {
      return new Changed(before, await this.#inTime(work));
    } catch (error) {
      return new Failed(before, error);
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const timer = this.#host.clock.sleep(Math.max(0, this.remaining), { signal: done.signal }).then(
      () => {
        const waited = this.waited;
        const message = `The function given to mutate took longer than its deadline (${Math.round(waited)} ms); nothing was written for it. If it waits for another write to the same record, it waits for itself.`;
        throw new NorimakiError('deadline.exceeded', message, { waited, applied: 'no' });
      },
      () => undefined as never,
    );
    // Once the work is done the aborted timer has nobody to tell.
    timer.catch(() => {});
    try {
      return await orAborted(Promise.race([work, timer.then(() => work)]), this.signal);
    } finally {
      done.abort();
    }
  }

  /** Whether to try (again); a caller that has run out of patience is told so. */
  isPatient(entity: string): boolean {
    if (this.isSettled) return false;
    const { attempts, policy, waited } = this;
    if (attempts < policy.maxAttempts && waited <= policy.deadline) return true;
    const error =
      attempts === 0
        ? new NorimakiError(
            'deadline.exceeded',
            `The write to ${entity} waited ${Math.round(waited)} ms behind others and was never tried.`,
            { waited, applied: 'no' },
          )
        : new NorimakiError(
            'conflict.exhausted',
            `${entity} was changed by others at each of ${attempts} tries in ${Math.round(waited)} ms; nothing was written. Try later, or allow more with retry.`,
            { entity, attempts, waited },
          );
    this.reject(error);
    return false;
  }

  /** Settles after the batch was committed, or after it turned out that there was nothing to commit. */
  settle(fold: Fold, version: Version | undefined): void {
    if (fold instanceof Failed) {
      this.reject(fold.error);
      return;
    }
    if (this.isSettled) return;
    try {
      const result = this.operation.result(fold.before, fold.after, version);
      this.isSettled = true;
      this.#resolve?.(result);
    } catch (error) {
      this.reject(error);
    }
  }

  reject(error: unknown): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#reject?.(error);
  }
}
