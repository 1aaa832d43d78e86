import type { RecordedEvent } from '../recorded-event.ts';
import type { StreamId } from '../stream-id.ts';

/** A stream up to some event: the last slot that lies wholly before, and the last event. */
export interface Place {
  readonly slot: number;
  readonly version: bigint;
}

export const BEGINNING: Place = { slot: 0, version: 0n };

/** The events of one slot. */
export interface FeedSlot {
  readonly slot: number;
  readonly events: readonly RecordedEvent[];
}

/** What subscriptions read of an event store. */
export interface FeedSource {
  /** Every stream of these categories (`undefined`: of all), page by page; one that is made meanwhile may be left out. */
  streams(categories: ReadonlySet<string> | undefined, signal: AbortSignal): AsyncGenerator<readonly StreamId[], void>;
  /** At most so many slots after one, as far as they are written. */
  after(stream: StreamId, slot: number, limit: number, signal: AbortSignal): Promise<FeedSlot[]>;
  /** Whether each of these streams goes on after a slot. */
  goesOn(places: readonly { stream: StreamId; slot: number }[], signal: AbortSignal): Promise<boolean[]>;
  /** Where a stream ends. */
  end(stream: StreamId, signal: AbortSignal): Promise<Place>;
  /** Streams that were written to, as they come; `undefined`: any may have been. Not where the store cannot tell. */
  readonly changes: ((signal: AbortSignal) => AsyncIterable<StreamId | undefined>) | undefined;
}
