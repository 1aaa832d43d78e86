import type { StreamId } from '../stream-id.ts';
import type { ParkedFilter, ParkedRecords } from './parked-records.ts';
import type { ParkedRecord } from './records.ts';

/** An event that was set aside. */
export interface ParkedEvent {
  readonly stream: StreamId;
  readonly version: bigint;
  readonly type: string;
  /** How often its handler failed since it was last handed out anew. */
  readonly attempts: number;
  /** What the handler threw the last time, shortened. */
  readonly reason: string;
  readonly parkedAt: Date;
  /** It waits to be handled again. */
  readonly isReplaying: boolean;
}

export interface ParkedCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The events that a subscription has set aside. They stay until a replay succeeds, or they are dropped.
 *
 * @example
 * ```ts
 * const { parked } = store.subscription('mailer');
 * for await (const { stream, version, reason } of parked.list()) console.log(stream.id, version, reason);
 * await parked.replay();
 * ```
 */
export class ParkedEvents {
  readonly #records: ParkedRecords;

  /** By a subscription only. */
  constructor(records: ParkedRecords) {
    this.#records = records;
  }

  /** In no particular order. */
  async *list(
    filter: ParkedFilter = {},
    { signal }: ParkedCallOptions = {},
  ): AsyncGenerator<ParkedEvent, void, undefined> {
    for await (const record of this.#records.find(filter, signal)) yield eventOf(record);
  }

  async count(filter: ParkedFilter = {}, { signal }: ParkedCallOptions = {}): Promise<number> {
    let count = 0;
    for await (const _record of this.#records.find(filter, signal)) count++;
    return count;
  }

  /**
   * Asks the workers to handle them again, whichever processes they run in. Resolves to how many, as soon as that is noted:
   * those that succeed are parked no more, those that fail again are.
   */
  async replay(filter: ParkedFilter = {}, { signal }: ParkedCallOptions = {}): Promise<number> {
    let count = 0;
    for await (const record of this.#records.find(filter, signal)) {
      if (await this.#records.askFor(record, signal)) count++;
    }
    return count;
  }

  /** Forgets them: they are not handled again. Resolves to how many. */
  async drop(filter: ParkedFilter = {}, { signal }: ParkedCallOptions = {}): Promise<number> {
    let count = 0;
    for await (const record of this.#records.find(filter, signal)) {
      if (await this.#records.delete(record, signal)) count++;
    }
    return count;
  }
}

function eventOf({ category, stream, version, type, attempts, reason, parkedAt, replay }: ParkedRecord): ParkedEvent {
  return {
    stream: { category, id: stream },
    version,
    type,
    attempts,
    reason,
    parkedAt,
    isReplaying: replay,
  };
}
