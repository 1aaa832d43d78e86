export type { Clock, Environment, Random, SleepOptions } from './core/clock.ts';
export type { Duration } from './core/duration.ts';
export { type Applied, type ErrorCode, type ErrorDetails, NorimakiError, type ValidationIssue } from './core/errors.ts';
export type { KeyPart } from './core/keys/index.ts';
export type { IdGenerator, IdPart, OnWrite, Upcast } from './core/model/model.ts';
export type {
  ClassShape,
  Default,
  Draft,
  EntityDefinition,
  EntityInput,
  EntitySource,
  IdOf,
  Range,
  Shape,
  ShapeOf,
  UniqueWhere,
  Where,
} from './core/model/types.ts';
export type { RetryOptions } from './core/retry/index.ts';
export type {
  Capabilities,
  CommitOperation,
  CommitStore,
  Consistency,
  Key,
  KeyRange,
  ReadOptions,
  ScanStore,
  Store,
  Stored,
  StoreOpener,
  StoreSource,
} from './core/store.ts';
export { systemClock, systemRandom } from './core/system.ts';
export type { Version } from './core/version.ts';
export * from './decorators/index.ts';
export * from './repositories/index.ts';
