import type { WriteQueue } from '../write-queue.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import type { VectorReader } from './vector-reader.ts';

/** Entries that one transaction deletes at most. */
const BATCH = 500;

/** Deletes in the background, a few at a time, what dropped namespaces left; also what an earlier process did not finish. */
export class Leftovers {
  readonly #reader: () => VectorReader;
  readonly #queue: WriteQueue;
  readonly #files: SnapshotFiles;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(reader: () => VectorReader, queue: WriteQueue, files: SnapshotFiles) {
    this.#reader = reader;
    this.#queue = queue;
    this.#files = files;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Begins, unless it is at it. What fails is tried again at the next drop and at the next opening. */
  sweep(): void {
    this.#running ??= this.#run()
      .catch(() => {
        if (!this.#stop.signal.aborted) this.#failures += 1;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    await this.#files.clean(this.#reader);
    for (let left = this.#dropped(); left.length > 0; left = this.#dropped()) {
      for (const space of left) {
        await this.#files.removeOf(space);
        let isMore = true;
        while (isMore && !signal.aborted) {
          isMore = await this.#queue.submit(
            (batch) => batch.changeVectors((vectors) => vectors.sweep(space, BATCH)),
            0,
            signal,
          );
        }
      }
    }
  }

  #dropped(): number[] {
    return this.#stop.signal.aborted ? [] : this.#reader().dropped();
  }
}
