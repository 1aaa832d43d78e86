import { statfsSync } from 'node:fs';
import { abortedError } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { type Applied, NorimakiError } from '../../core/errors.ts';
import { Batch } from './batch.ts';
import { fileError, full, isFull, unavailable, unreadable } from './failures.ts';
import type { Gate } from './gate.ts';
import { errorNumber } from './lmdb.ts';
import type { Tables } from './tables.ts';
import { WriteJob } from './write-job.ts';

/** Writes that one transaction takes at most, and their bytes: it runs on the thread of JavaScript. */
const MAX_JOBS = 1000;
const MAX_BYTES = 16 * 1024 * 1024;
/** How long one transaction takes further writes in, in milliseconds: whoever waits for the thread waits no longer. */
const MAX_TIME = 8;

const EIO = 5;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_CORRUPTED = -30796;

/**
 * Group commit: all writes that wait when a transaction begins share it and its sync to disk. Each gets its own
 * answer, after the commit.
 */
export class WriteQueue {
  readonly #current: () => Tables;
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #onCommit: () => void;
  readonly #jobs = new Set<WriteJob>();
  #running: Promise<void> | undefined;
  /** The highest version index that this process saw committed. */
  #seen = 0;
  #writes = 0;
  #commits = 0;

  /** `onCommit` is called when the writes of a transaction have been answered. */
  constructor(current: () => Tables, gate: Gate, clock: Clock, onCommit: () => void = () => {}) {
    this.#current = current;
    this.#gate = gate;
    this.#clock = clock;
    this.#onCommit = onCommit;
  }

  get counts(): { writes: number; commits: number; queued: number } {
    return { writes: this.#writes, commits: this.#commits, queued: this.#jobs.size };
  }

  /**
   * Queues one write. `apply` runs inside a transaction with others; it throws before it writes anything, or not at
   * all. Until then the signal takes it back.
   */
  submit<T>(apply: (batch: Batch) => T, bytes: number, signal: AbortSignal | undefined): Promise<T> {
    const job = new WriteJob(apply, bytes);
    if (signal?.aborted) {
      job.reject(abortedError(signal));
      return job.promise;
    }
    if (signal !== undefined) {
      job.heed(signal, () => {
        this.#jobs.delete(job as WriteJob);
        job.release();
        job.reject(abortedError(signal));
      });
    }
    // The queue settles jobs without looking at what they resolve to.
    this.#jobs.add(job as WriteJob);
    this.#running ??= this.#drain();
    return job.promise;
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
    const taken: WriteJob[] = [];
    let batch: Batch | undefined;
    let failure: NorimakiError | undefined;
    try {
      await tables.root.transaction(() => {
        batch = new Batch(tables, this.#clock, this.#seen);
        for (const job of this.#take()) {
          taken.push(job);
          job.run(batch);
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
    for (const job of taken) job.settle();
    this.#onCommit();
  }

  *#take(): Generator<WriteJob> {
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
