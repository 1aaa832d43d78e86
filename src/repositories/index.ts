export { Database, type OpenOptions, open, type RepositoryOf } from './database.ts';
export type { TtlOption } from './deadline.ts';
export type {
  CreateManyOptions,
  DeleteManyOptions,
  Mutation,
  Planner,
  PutManyOptions,
  Repository,
  ScanRepository,
} from './repository.ts';
export { type RepositoryCall, repositoryCalls, type StoreCall, storeCalls } from './telemetry.ts';
export type { BulkOptions, ItemResult, Progress } from './verbs/bulk.ts';
export type { CreateOptions } from './verbs/create.ts';
export type { DeleteOptions } from './verbs/delete.ts';
export type { MutateOptions } from './verbs/mutate.ts';
export type { ListOptions, Page } from './verbs/pages.ts';
export type { PlanStep, WritePlan } from './verbs/plan.ts';
export type { PutOptions } from './verbs/put.ts';
export type { TouchOptions } from './verbs/touch.ts';
export type { WriteCallOptions } from './write/member.ts';
export type { Purpose } from './write/write-set.ts';
