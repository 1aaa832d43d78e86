import { statfsSync } from 'node:fs';
import { abortedError, throwIfAborted } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { type Applied, NorimakiError } from '../../core/errors.ts';
import { Batch } from './batch.ts';
import { fileError, full, isFull, unavailable, unreadable } from './failures.ts';
import type { Gate } from './gate.ts';
import { errorNumber } from './lmdb.ts';
import type { Tables } from './tables.ts';

/** Writes that one transaction takes at most, and their bytes: it runs on the thread of JavaScript. */
const MAX_JOBS = 1000;
const MAX_BYTES = 16 * 1024 * 1024;
/** How long one transaction takes further writes in, in milliseconds: whoever waits for the thread waits no longer. */
const MAX_TIME = 8;

const EIO = 5;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_CORRUPTED = -30796;

interface Job {
  readonly bytes: number;
  readonly run: (batch: Batch) => () => void;
  readonly reject: (error: unknown) => void;
  readonly release: () => void;
}

/**
 * Group commit: all writes that wait when a transaction begins share it and its sync to disk. Each gets its own
 * answer, after the commit.
 */
export class WriteQueue {
  readonly #current: () => Tables;
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #jobs = new Set<Job>();
  #running: Promise<void> | undefined;
  /** The highest version index that this process saw committed. */
  #seen = 0;
  #writes = 0;
  #commits = 0;

  constructor(current: () => Tables, gate: Gate, clock: Clock) {
    this.#current = current;
    this.#gate = gate;
    this.#clock = clock;
  }

  get counts(): { writes: number; commits: number; queued: number } {
    return { writes: this.#writes, commits: this.#commits, queued: this.#jobs.size };
  }

  /**
   * Queues one write. `apply` runs inside a transaction with others; it throws before it writes anything, or not at
   * all. Until then the signal takes it back.
   */
  submit<T>(apply: (batch: Batch) => T, bytes: number, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      throwIfAborted(signal);
      const onAbort = (): void => {
        this.#jobs.delete(job);
        job.release();
        // Only reachable with a signal: it is the one that fired.
        reject(abortedError(signal as AbortSignal));
      };
      const job: Job = {
        bytes,
        run: (batch) => {
          const answer = apply(batch);
          return () => resolve(answer);
        },
        reject,
        release: () => signal?.removeEventListener('abort', onAbort),
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#jobs.add(job);
      this.#running ??= this.#drain();
    });
  }

  /** Resolves once every write queued so far is answered. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    // Never ends before `submit` has noted that it runs.
    await undefined;
    while (this.#jobs.size > 0) {
      try {
        if (!this.#gate.enter()) {
          await this.#gate.whenOpen();
          continue;
        }
      } catch (error) {
        this.#rejectAll(fileError(error, 'Announcing a write in the folder'));
        continue;
      }
      try {
        await this.#commit();
      } finally {
        this.#gate.leave();
      }
    }
    this.#running = undefined;
  }

  async #commit(): Promise<void> {
    const tables = this.#current();
    // lmdb-js never settles a transaction that LMDB refuses to begin.
    if (isGivenUp(tables)) return this.#rejectAll(givenUp('no'));
    const taken: Job[] = [];
    const answers: (() => void)[] = [];
    let batch: Batch | undefined;
    let failure: NorimakiError | undefined;
    try {
      await tables.root.transaction(() => {
        batch = new Batch(tables, this.#clock, this.#seen);
        for (const job of this.#take()) {
          taken.push(job);
          answers.push(answerOf(job, batch));
          // LMDB does not commit after what it refused. If it ever did, the version must be right.
          if (batch.error !== undefined) break;
        }
        batch.finish();
      });
      this.#seen = batch?.index ?? this.#seen;
    } catch (error) {
      failure = await this.#failureOf(tables, error, batch?.error);
    }
    if (failure !== undefined) {
      if (taken.length === 0) this.#rejectAll(failure);
      for (const job of taken) job.reject(failure);
      return;
    }
    this.#commits += 1;
    this.#writes += taken.length;
    for (const answer of answers) answer();
  }

  *#take(): Generator<Job> {
    let [count, bytes] = [0, 0];
    const end = this.#clock.mono() + MAX_TIME;
    for (const job of this.#jobs) {
      count += 1;
      bytes += job.bytes;
      if (count > 1 && (count > MAX_JOBS || bytes > MAX_BYTES || this.#clock.mono() > end)) return;
      this.#jobs.delete(job);
      job.release();
      yield job;
    }
  }

  #rejectAll(error: NorimakiError): void {
    for (const job of this.#jobs) {
      this.#jobs.delete(job);
      job.release();
      job.reject(error);
    }
  }

  async #failureOf(tables: Tables, error: unknown, refused: unknown): Promise<NorimakiError> {
    if (error instanceof NorimakiError) return error;
    const cause = refused ?? (await rootOf(error));
    const code = errorNumber(cause);
    if (isGivenUp(tables)) return givenUp('unknown', cause);
    if (code === MDB_PAGE_NOTFOUND || code === MDB_CORRUPTED) return unreadable(cause);
    // LMDB writes its meta page last, and gives the file up if that fails: so the transaction left nothing behind.
    const hasNoSpace = isFull(code) || (code === EIO && isDiskFull(tables));
    return hasNoSpace
      ? full(cause)
      : unavailable('LMDB could not commit a transaction; nothing was written.', 'no', cause);
  }
}

/** Runs one write; a refusal is its answer, and the others go on. */
function answerOf(job: Job, batch: Batch): () => void {
  try {
    return job.run(batch);
  } catch (error) {
    return () => job.reject(error);
  }
}

/** lmdb-js says only that a commit failed, and hangs the reason on as a promise. */
async function rootOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
    return error;
  } catch (root) {
    return root;
  }
}

function isGivenUp(tables: Tables): boolean {
  try {
    tables.lastVersion();
    return false;
  } catch {
    return true;
  }
}

function givenUp(applied: Applied, cause?: unknown): NorimakiError {
  return unavailable(
    'The disk failed while the embedded store finished a transaction. Check the disk, close the store and open it again.',
    applied,
    cause,
  );
}

/** A write that was cut short is EIO to LMDB, whatever cut it. */
function isDiskFull({ file }: Tables): boolean {
  const { bavail, bsize } = statfsSync(file);
  return bavail * bsize < MAX_BYTES;
}
