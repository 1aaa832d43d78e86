import type { Batch } from './batch.ts';

/** One write in the queue. A class without functions of its own, as it lives until the commit: see `listOf`. */
export class WriteJob<T = unknown> {
  readonly bytes: number;
  readonly promise: Promise<T>;
  readonly #apply: (batch: Batch) => T;
  #resolve: ((answer: T) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #release: (() => void) | undefined;
  #answer: T | undefined;
  #refusal: unknown;
  #isRefused = false;

  constructor(apply: (batch: Batch) => T, bytes: number) {
    this.#apply = apply;
    this.bytes = bytes;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Calls `takeBack` when the signal fires, until the job is released. */
  heed(signal: AbortSignal, takeBack: () => void): void {
    signal.addEventListener('abort', takeBack, { once: true });
    this.#release = () => signal.removeEventListener('abort', takeBack);
  }

  release(): void {
    this.#release?.();
  }

  /** Runs inside the transaction. A refusal is an answer, and the others go on. */
  run(batch: Batch): void {
    try {
      this.#answer = this.#apply(batch);
    } catch (error) {
      this.#refusal = error;
      this.#isRefused = true;
    }
  }

  /** Answers after the commit of the transaction that it ran in. */
  settle(): void {
    if (this.#isRefused) this.reject(this.#refusal);
    // It has run, and was not refused.
    else this.#resolve?.(this.#answer as T);
  }

  reject(error: unknown): void {
    this.#reject?.(error);
  }
}
