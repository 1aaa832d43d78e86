export interface StreamId {
  readonly category: string;
  readonly id: string;
}
export interface RecordedEvent {
  readonly stream: StreamId;
  readonly version: bigint;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly id: string;
  readonly recordedAt: Date;
}
