/**
 * Building blocks on repositories: each takes what `open` returned, or one tenant's part of it.
 *
 * @packageDocumentation
 */

export type { LoadMany, LoadManyContext } from './cache/batch.ts';
export type { CacheBus, CacheMessage } from './cache/bus.ts';
export { Cache, type Cached, type CacheGetOptions, type CachePutOptions } from './cache/cache.ts';
export type { CacheErrorDetails } from './cache/errors.ts';
export { type Absent, absent, type LoadContext, type Loader } from './cache/loader.ts';
export type { CacheOptions, CacheTimeouts, L1Options } from './cache/settings.ts';
export type { CacheStats } from './cache/stats.ts';
export type { AnyRepository, EntityOf, ThroughOptions } from './cache/through/through.ts';
export {
  type AcquireOptions,
  ConcurrencyLimiter,
  type TryAcquire,
} from './concurrency-limiter/concurrency-limiter.ts';
export type { ConcurrencyLimitErrorDetails } from './concurrency-limiter/errors.ts';
export type { ConcurrencyLimiterOptions } from './concurrency-limiter/settings.ts';
export type { ConcurrencySlot } from './concurrency-limiter/slot.ts';
export type { AddOptions, CounterStats } from './counter/adds.ts';
export {
  Counter,
  type CounterAdd,
  type CounterReadOptions,
  type ResetOptions,
  type TryAdd,
} from './counter/counter.ts';
export type { CounterErrorDetails } from './counter/errors.ts';
export type { CounterOptions } from './counter/settings.ts';
export type {
  CalibrateOptions,
  Calibration,
  Curve as CalibrationCurve,
  LabelledPair,
  Rates as CalibrationRates,
} from './dedup/calibrate.ts';
export { Deduplicator, type SubmitManyOptions } from './dedup/deduplicator.ts';
export type { DedupErrorDetails } from './dedup/errors.ts';
export type { DeduplicatorOptions, NearOptions, SemanticOptions } from './dedup/settings.ts';
export type { SweepOptions, SweepProgress, SweepReport } from './dedup/sweep.ts';
export type { Banding } from './dedup/text/min-hash.ts';
export type {
  Cluster,
  DocumentInput,
  Duplicate,
  DuplicateKind,
  Match as DuplicateMatch,
  OnDuplicate,
  ReviewPair,
  SubmitOptions,
  Submitted,
  TextFieldOf,
  TextOf,
  Verdict,
} from './dedup/types.ts';
export { Candidacy, type LeadOptions } from './election/candidacy.ts';
export { Election } from './election/election.ts';
export type { ElectionErrorDetails } from './election/errors.ts';
export { ElectionGroup } from './election/group.ts';
export type { Fenceable, Leadership, SealOptions } from './election/leadership.ts';
export type { ElectionState, Leader } from './election/observe.ts';
export type { OnceResult } from './election/once.ts';
export { type Resource, resource } from './election/resource.ts';
export { type Permit, Semaphore, type SemaphoreOptions } from './election/semaphore.ts';
export type { ElectionOptions, LeaseTimes } from './election/settings.ts';
export { defineAggregate } from './events/aggregate.ts';
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
} from './events/aggregate-types.ts';
export type { AppendOptions, AppendResult, Loaded, LoadOptions, ReadStreamOptions } from './events/call-options.ts';
export type { EventStoreErrorDetails, Expected } from './events/errors.ts';
export { EventStore } from './events/event-store.ts';
export type { EventsOf, FollowedEvent } from './events/feed/events-of.ts';
export type { SubscribeToOptions } from './events/feed/feeds.ts';
export { type Given, given, type When } from './events/given.ts';
export type { Handled, HandleOptions } from './events/handle.ts';
export {
  defineProjection,
  type ProjectionDefinition,
  type ProjectionOptions,
  type ViewDraft,
  type ViewSource,
} from './events/projections/define-projection.ts';
export type { ProjectionErrorDetails } from './events/projections/errors.ts';
export { type Projected, ProjectedRecord, projectedFields } from './events/projections/projected-record.ts';
export { Projection } from './events/projections/projection.ts';
export type { ProjectOptions, RebuildOptions, RebuildProgress } from './events/projections/settings.ts';
export type { View } from './events/projections/view.ts';
export type { NewEvent, RecordedEvent } from './events/recorded-event.ts';
export type { EventStoreOptions } from './events/settings.ts';
export { type StreamId, stream } from './events/stream-id.ts';
export type { SubscriptionErrorDetails } from './events/subscriptions/errors.ts';
export type { EventHandler, FailureDecision, HandlerContext, HandlerFailure } from './events/subscriptions/handler.ts';
export type { Lag } from './events/subscriptions/lag.ts';
export { type ParkedCallOptions, type ParkedEvent, ParkedEvents } from './events/subscriptions/parked.ts';
export type { ParkedFilter } from './events/subscriptions/parked-records.ts';
export type { HandlerRetry, OnHandlerError, SubscribeOptions, WorkerOptions } from './events/subscriptions/settings.ts';
export type { SubscriptionCounts } from './events/subscriptions/stats.ts';
export { Subscription } from './events/subscriptions/subscription.ts';
export { type SubscriptionCallOptions, SubscriptionHandle } from './events/subscriptions/subscription-handle.ts';
export type { AuditFinding, AuditOptions, AuditProblem, AuditReport } from './inventory/audit.ts';
export type { InventoryErrorDetails, Shortfall } from './inventory/errors.ts';
export type { StockHeld, TryReserve } from './inventory/held.ts';
export {
  Inventory,
  type InventoryCallOptions,
  type ReserveOptions,
  type StockOptions,
  type StockRules,
} from './inventory/inventory.ts';
export type { StockLevel } from './inventory/level.ts';
export type { Line } from './inventory/lines.ts';
export type { Allocation, InventoryOptions } from './inventory/settings.ts';
export { type StockBook, type StockFields, StockRecord, stockFields } from './inventory/stock-record.ts';
export type { StockDefinition, StockInput, StockOf, StockShape, StockSource } from './inventory/types.ts';
export type { Allowed, Decision, DecisionSource, Denied, LimitStatus } from './rate-limiter/decision.ts';
export type { RateLimitErrorDetails } from './rate-limiter/errors.ts';
export { type FixedWindowOptions, fixedWindow } from './rate-limiter/limits/fixed-window.ts';
export { type GcraOptions, gcra } from './rate-limiter/limits/gcra.ts';
export type { Limit, Meter, MeterState } from './rate-limiter/limits/limit.ts';
export { type SlidingWindowOptions, slidingWindow } from './rate-limiter/limits/sliding-window.ts';
export {
  type AdjustOptions,
  type ConsumeOptions,
  type RateLimitCallOptions,
  RateLimiter,
  type RateLimiterStats,
  type WaitOptions,
} from './rate-limiter/rate-limiter.ts';
export type { AheadOptions, OnStoreError, RateLimiterOptions } from './rate-limiter/settings.ts';
export type {
  ItemOptions,
  RecommendOptions,
  SimilarOptions as SimilarItemOptions,
} from './recommender/call-options.ts';
export type { RecommenderErrorDetails } from './recommender/errors.ts';
export type { EvaluateOptions } from './recommender/evaluate/call.ts';
export type { Contender, Evaluation } from './recommender/evaluate/evaluate.ts';
export type { Quality } from './recommender/evaluate/metrics.ts';
export type { MetItem, UserProfile } from './recommender/profile-view.ts';
export { Recommender, type RecordOptions } from './recommender/recommender.ts';
export type { Recorded } from './recommender/recordings.ts';
export type { CoVisitOptions, PopularOptions, RecommenderOptions } from './recommender/settings.ts';
export type {
  Because,
  ItemIdOf,
  ItemOf,
  Recommendation,
  SimilarItem,
  Strategy,
  UserEvent,
} from './recommender/types.ts';
export type { SearchErrorDetails } from './semantic-index/errors.ts';
export { SemanticIndex } from './semantic-index/semantic-index.ts';
export type {
  Analyzer,
  FindOptions,
  HybridWeights,
  Lack,
  LexicalField,
  LexicalOptions,
  LexicalReport,
  LexicalStats,
  LexicalWhy,
  ReadyOptions,
  ReadyProgress,
  SearchableRepository,
  SearchDoctorOptions,
  SearchDoctorReport,
  SearchPage,
  SemanticHit,
  SemanticIndexOptions,
  SimilarOptions,
  VectorWhy,
} from './semantic-index/types.ts';
export type { SessionCreateOptions } from './sessions/create.ts';
export type { SessionErrorDetails } from './sessions/errors.ts';
export type { RevokeAllOptions, SessionRef } from './sessions/revoke.ts';
export type { RotateSettings } from './sessions/rotate.ts';
export {
  type Flash,
  type NextSession,
  type SessionFields,
  SessionRecord,
  sessionFields,
} from './sessions/session-record.ts';
export { type IssuedSession, type RotateOptions, Sessions } from './sessions/sessions.ts';
export type { SessionsOptions, SessionTtl } from './sessions/settings.ts';
export type { Secret } from './sessions/tokens.ts';
export type {
  ManagedField,
  SessionDefinition,
  SessionDraft,
  SessionInput,
  SessionMutation,
  SessionOf,
  SessionShape,
  SessionSource,
} from './sessions/types.ts';
export type { ValidateOptions } from './sessions/validate.ts';
export type { BlockCallOptions, BlockOptions } from './shared/options.ts';
export type { AcrossEvent, AcrossOptions, AcrossResult, Audit } from './tenants/across.ts';
export type { TenantEncryption, TenantKeys } from './tenants/encryption.ts';
export type { TenantErrorDetails } from './tenants/errors.ts';
export type { ExportOptions } from './tenants/export.ts';
export type { ImportOptions } from './tenants/import.ts';
export type { PurgeOptions, PurgeProgress } from './tenants/purge.ts';
export type { ReconcileOptions } from './tenants/reconcile.ts';
export type { ByteSize, PlanLimits, TenantsOptions } from './tenants/settings.ts';
export { type TenantContext, tenantContext } from './tenants/tenant-context.ts';
export { Tenants } from './tenants/tenants.ts';
export type {
  CreateTenantOptions,
  ListTenantsOptions,
  SuspendOptions,
  Tenant,
  TenantDbOptions,
  TenantUsage,
} from './tenants/types.ts';
export type { Metric as TenantMetric } from './tenants/usage.ts';
