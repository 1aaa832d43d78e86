import type { StreamId } from './stream-id.ts';

/** What is to be appended. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** Whatever goes with it and is no part of what happened, such as who asked for it. Anything that superjson carries. */
  readonly metadata?: unknown;
}

/** An event as it is read. It never changes, but for personal fields that were forgotten. */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  readonly stream: StreamId;
  /** Its place in the stream: 1, 2, 3 and so on, without a gap. */
  readonly version: bigint;
  /** Its own, never given twice. */
  readonly id: string;
  readonly type: Type;
  readonly data: Data;
  readonly metadata?: unknown;
  /** By the clock of who appended it. Says nothing about order. */
  readonly recordedAt: Date;
}
