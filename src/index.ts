export type { Clock, Environment, Random, SleepOptions } from './core/clock.ts';
export type { Duration } from './core/duration.ts';
export {
  type Applied,
  type CodesWithPrefix,
  type ErrorCode,
  type ErrorDetails,
  NorimakiError,
  type ValidationIssue,
} from './core/errors.ts';
export type { IdGenerator, IdPart, OnWrite, TtlDeclaration, Upcast } from './core/model/model.ts';
export type {
  ClassShape,
  Default,
  Draft,
  EntityDefinition,
  EntityInput,
  EntitySource,
  IdBrand,
  IdOf,
  Range,
  Shape,
  ShapeOf,
  UniqueWhere,
  Where,
} from './core/model/types.ts';
export type { RetryOptions } from './core/retry/index.ts';
export type { Consistency, ReadOptions, ScanStore, Store, StoreOpener, StoreSource } from './core/store.ts';
export { systemClock, systemEnvironment, systemRandom } from './core/system.ts';
export type { Version } from './core/version.ts';
export {
  type DefinedShape,
  type DefineEntityOptions,
  defineEntity,
  Entity,
  type EntityDecorator,
  type EntityOptions,
  Field,
  type FieldDecorator,
  Id,
  type IdDecorators,
  type IdOptions,
  Index,
  type RangeDecorator,
  Ttl,
  type TtlDecorator,
  type TtlOptions,
  Unique,
  uuidv7,
  Versioned,
} from './decorators/index.ts';
export * from './repositories/index.ts';
