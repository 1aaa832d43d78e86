export { Database, type OpenOptions, open, type RepositoryOf } from './database.ts';
export type { TtlOption } from './deadline.ts';
export type { DoctorOptions, DoctorProgress, DoctorReport, Finding, FindingKind } from './doctor/types.ts';
export type {
  RecallCheck,
  ReindexFailure,
  ReindexOptions,
  ReindexPhase,
  ReindexProgress,
  ReindexResult,
  ReindexStepOptions,
} from './reindex/types.ts';
export type {
  CreateManyOptions,
  DeleteManyOptions,
  Mutation,
  OutboxRepository,
  Planner,
  PutManyOptions,
  Repository,
  ScanRepository,
  VectorRepository,
  WatchRepository,
} from './repository.ts';
export { type RepositoryCall, repositoryCalls, type StoreCall, storeCalls } from './telemetry.ts';
export type { Passage } from './vectors/cut.ts';
export type {
  DeadLetter,
  DeadLetterOptions,
  DrainOptions,
  Outbox,
  OutboxCounts,
} from './vectors/outbox.ts';
export type { OutboxOptions } from './vectors/outbox-options.ts';
export type { BulkOptions, ItemResult, Progress } from './verbs/bulk.ts';
export type { CreateOptions } from './verbs/create.ts';
export type { DeleteOptions } from './verbs/delete.ts';
export type { MutateOptions } from './verbs/mutate.ts';
export type { ListOptions, Page } from './verbs/pages.ts';
export type { PlannedVector, PlanStep, WritePlan } from './verbs/plan.ts';
export type { PutOptions } from './verbs/put.ts';
export type { SearchHit, SearchOptions, SearchQuery, SearchResult } from './verbs/search-types.ts';
export type { TouchOptions } from './verbs/touch.ts';
export type { EntityChange, EntityChanges } from './verbs/watch.ts';
export type { WriteCallOptions } from './write/member.ts';
export type { Purpose } from './write/write-set.ts';
