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
export type { EventsOf, FollowedEvent } from './feed/events-of.ts';
export type { SubscribeToOptions } from './feed/feeds.ts';
export { type Given, given, type When } from './given.ts';
export type { Handled, HandleOptions } from './handle.ts';
export {
  defineProjection,
  type ProjectionDefinition,
  type ProjectionOptions,
  type ViewDraft,
  type ViewSource,
} from './projections/define-projection.ts';
export type { ProjectionErrorDetails } from './projections/errors.ts';
export { type Projected, ProjectedRecord, projectedFields } from './projections/projected-record.ts';
export { Projection } from './projections/projection.ts';
export type { ProjectOptions, RebuildOptions, RebuildProgress } from './projections/settings.ts';
export type { View } from './projections/view.ts';
export type { NewEvent, RecordedEvent } from './recorded-event.ts';
export type { EventStoreOptions } from './settings.ts';
export { type StreamId, stream } from './stream-id.ts';
export type { SubscriptionErrorDetails } from './subscriptions/errors.ts';
export type { EventHandler, FailureDecision, HandlerContext, HandlerFailure } from './subscriptions/handler.ts';
export type { Lag } from './subscriptions/lag.ts';
export { type ParkedCallOptions, type ParkedEvent, ParkedEvents } from './subscriptions/parked.ts';
export type { ParkedFilter } from './subscriptions/parked-records.ts';
export type { HandlerRetry, OnHandlerError, SubscribeOptions, WorkerOptions } from './subscriptions/settings.ts';
export type { SubscriptionCounts } from './subscriptions/stats.ts';
export { Subscription } from './subscriptions/subscription.ts';
export { type SubscriptionCallOptions, SubscriptionHandle } from './subscriptions/subscription-handle.ts';
