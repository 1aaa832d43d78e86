import type { RecordedEvent } from '../recorded-event.ts';
import type { StreamId } from '../stream-id.ts';

/** What a handler is told besides the event. */
export interface HandlerContext {
  readonly stream: StreamId;
  /** Of the event in its stream. With the stream it names the event for ever: what a handler can remember it by. */
  readonly version: bigint;
  /**
   * The token of this worker, higher than that of every worker of this partition before: give it to a `mutate` as `fence`,
   * and a record refuses what a worker that was replaced still does. To be compared within one partition only.
   */
  readonly fence: bigint;
  readonly partition: number;
  /** 1 when the event is handed out for the first time by this worker. */
  readonly attempt: number;
  /** Fires when this worker is to end, or was replaced. */
  readonly signal: AbortSignal;
}

/**
 * Handles one event. An event is done when the function returns, or its promise resolves; it failed when it throws.
 * May be called more than once for an event.
 */
export type EventHandler<Event = RecordedEvent> = (event: Event, context: HandlerContext) => unknown;

/**
 * What becomes of an event whose handler failed: `'retry'` holds its stream back and tries again, `'park'` sets the event
 * aside and goes on, `'skip'` goes on, `'stop'` ends the subscription.
 */
export type FailureDecision = 'retry' | 'park' | 'skip' | 'stop';

/** A handler that failed, or a stream that could not be read. */
export interface HandlerFailure {
  readonly subscription: string;
  /** `undefined`: looking for streams failed. */
  readonly stream: StreamId | undefined;
  /** `undefined`: the stream itself could not be read. */
  readonly event: RecordedEvent | undefined;
  /** Tries so far. */
  readonly attempts: number;
  readonly error: unknown;
}

/** What came of handing out events of one stream, in order: how many were handled, and what stopped it. */
export interface Handed {
  readonly handled: number;
  readonly failure?: { readonly error: unknown } | undefined;
}

/** Who handles the events of a partition: some of one stream at once, in order, at least one. Never rejects. */
export type Receiver = (events: readonly RecordedEvent[], context: ReceiverContext) => Promise<Handed>;

/** What all events of one call share. */
export interface ReceiverContext extends Omit<HandlerContext, 'version'> {
  /** {@link streamKey} of the stream. */
  readonly key: string;
}
