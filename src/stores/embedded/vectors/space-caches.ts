import type { Clock } from '../../../core/clock.ts';
import { type AnnThread, startAnn } from '../ann/index.ts';
import type { WriteQueue } from '../write-queue.ts';
import type { SpaceInfo } from './layout.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { SpaceCache } from './space-cache.ts';
import type { VectorReader } from './vector-reader.ts';

/** How long closing waits for snapshots, in milliseconds. What is not saved is built again. */
const CLOSE_PATIENCE = 10_000;

/** One cache for each namespace that was searched, and the thread under them, from the first search on. */
export class SpaceCaches {
  readonly #world: { reader: () => VectorReader; queue: WriteQueue; files: SnapshotFiles };
  readonly #clock: Clock;
  readonly #caches = new Map<string, SpaceCache>();
  #thread: AnnThread | undefined;

  constructor(reader: () => VectorReader, queue: WriteQueue, files: SnapshotFiles, clock: Clock) {
    this.#world = { reader, queue, files };
    this.#clock = clock;
  }

  of(namespace: string, info: SpaceInfo): SpaceCache {
    const known = this.#caches.get(namespace);
    if (known?.id === info.id) return known;
    known?.close();
    const cache = new SpaceCache({ ...this.#world, thread: () => this.#started() }, namespace, info);
    this.#caches.set(namespace, cache);
    return cache;
  }

  known(namespace: string): SpaceCache | undefined {
    return this.#caches.get(namespace);
  }

  forget(namespace: string): void {
    this.#caches.get(namespace)?.close();
    this.#caches.delete(namespace);
  }

  /** Saves what is worth it, as far as the time allows, and ends the thread. */
  async close(): Promise<void> {
    if (this.#thread === undefined) return;
    const caches = [...this.#caches.values()];
    const done = new AbortController();
    // Also keeps the process alive to the end: a thread that is being ended does not.
    const patience = this.#clock.sleep(CLOSE_PATIENCE, { signal: done.signal }).catch(() => {});
    try {
      // What fails to be saved is built again.
      await Promise.race([Promise.allSettled(caches.map((cache) => cache.save())), patience]);
      await this.#thread.close();
    } finally {
      for (const cache of caches) cache.close();
      done.abort();
    }
  }

  #started(): AnnThread {
    this.#thread ??= startAnn();
    return this.#thread;
  }
}
