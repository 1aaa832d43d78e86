import { setMaxListeners } from 'node:events';
import { NorimakiError } from '../../../core/errors.ts';
import { partitionOf, streamKey } from '../feed/stream-key.ts';
import { define, type Wanted } from './definition.ts';
import { giveBack, PartitionLeases } from './partition-lease.ts';
import { type Handling, PartitionWorker } from './partition-worker.ts';
import type { SubscriptionParts } from './parts.ts';

/** Between two tries to be told of changes, in milliseconds. */
const LISTEN_AGAIN = 1000;

/** The workers of a subscription in this process: at most one for each partition, and nowhere else another. */
export class Workers {
  readonly #parts: SubscriptionParts;
  readonly #handling: Handling;
  readonly #wanted: Wanted;
  readonly #stop = new AbortController();
  readonly #working = new Map<number, PartitionWorker>();
  #partitions = 0;

  constructor(parts: SubscriptionParts, handling: Handling, wanted: Wanted) {
    this.#parts = parts;
    this.#handling = handling;
    this.#wanted = wanted;
    // All workers listen to it.
    setMaxListeners(0, this.#stop.signal);
  }

  /** The partitions that are worked on in this process. */
  get partitions(): number[] {
    return [...this.#working.keys()].sort((a, b) => a - b);
  }

  /** Asks all to end. */
  stop(): void {
    this.#stop.abort();
  }

  /** Works until it is stopped. Errors: `events.partitionsDiffer`, `events.handlerFailed`, those of the store that waiting does not cure. */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    const listening = new AbortController();
    try {
      this.#partitions = (await define(this.#parts, this.#wanted, signal)).partitions;
      const over = AbortSignal.any([signal, listening.signal]);
      void this.#listen(over);
      void this.#listenForReplays(over);
      const working = Array.from({ length: this.#partitions }, (_, partition) => this.#workOn(partition));
      // The first that fails ends the others, and is told once they have ended.
      for (const work of working) work.catch(() => this.stop());
      const results = await Promise.allSettled(working);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } catch (error) {
      // Whoever stopped it wants to hear nothing more.
      if (!signal.aborted || !NorimakiError.is(error, 'aborted')) throw error;
    } finally {
      listening.abort();
    }
  }

  async #workOn(partition: number): Promise<void> {
    const { settings } = this.#handling;
    const { clock } = this.#parts.environment;
    const leases = new PartitionLeases(this.#parts, partition, settings.times);
    for (;;) {
      const lease = await leases.acquire(this.#stop.signal);
      if (lease === undefined) return;
      const parts = { partition, partitions: this.#partitions, lease, stop: this.#stop.signal };
      const worker = new PartitionWorker(this.#parts, this.#handling, parts);
      this.#working.set(partition, worker);
      try {
        const stopped = await worker.run();
        if (stopped !== undefined) throw stopped;
      } finally {
        this.#working.delete(partition);
        await giveBack(lease, clock, settings.drain);
      }
    }
  }

  /** Tells the workers what was written to. What it misses their sweeps find. */
  async #listen(over: AbortSignal): Promise<void> {
    const { source, categories } = this.#parts;
    const { changes } = source;
    if (changes === undefined) return;
    await this.#again(over, async () => {
      for await (const stream of changes(over)) {
        if (stream === undefined) for (const worker of this.#working.values()) worker.notice(undefined);
        else if (categories?.has(stream.category) ?? true) {
          const key = streamKey(stream);
          this.#workerOf(key)?.notice({ stream, key });
        }
      }
    });
  }

  async #listenForReplays(over: AbortSignal): Promise<void> {
    const { records, store, id } = this.#parts;
    const { parkedChanges } = records;
    if (parkedChanges === undefined) return;
    await this.#again(over, async () => {
      for await (const change of parkedChanges(over)) {
        if (change.type !== 'put') continue;
        if (change.id.store === store && change.id.subscription === id) this.#workerOf(change.id.key)?.noticeReplay();
      }
    });
  }

  async #again(over: AbortSignal, listen: () => Promise<void>): Promise<void> {
    const { clock } = this.#parts.environment;
    while (!over.aborted) {
      await listen().catch(() => {});
      await clock.sleep(LISTEN_AGAIN, { signal: over, background: true }).catch(() => {});
    }
  }

  #workerOf(key: string): PartitionWorker | undefined {
    return this.#working.get(partitionOf(key, this.#partitions));
  }
}
