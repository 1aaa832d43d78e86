export { defineAggregate } from './aggregate.ts';
export type {
  Aggregate,
  AggregateOptions,
  AggregateStream,
  AnyAggregate,
  EarlierEvent,
  EventIn,
  EventOf,
  EventSchemas,
  PersonalFields,
  RecordedOf,
} from './aggregate-types.ts';
export type { EventStoreErrorDetails, Expected } from './errors.ts';
export {
  type AppendOptions,
  type AppendResult,
  EventStore,
  type Loaded,
  type LoadOptions,
  type ReadStreamOptions,
} from './event-store.ts';
export type { Handled, HandleOptions } from './handle.ts';
export type { NewEvent, RecordedEvent } from './recorded-event.ts';
export type { EventStoreOptions } from './settings.ts';
export { type StreamId, stream } from './stream-id.ts';
