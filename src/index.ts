export type { Clock, Environment, Random, SleepOptions } from './core/clock.ts';
export type { Duration } from './core/duration.ts';
export type { Embedded, Embedder, EmbedOptions } from './core/embedder.ts';
export {
  type Applied,
  type CodesWithPrefix,
  type ErrorCode,
  type ErrorDetails,
  NorimakiError,
  type ValidationIssue,
} from './core/errors.ts';
export type {
  ChunkOptions,
  EmbeddingMode,
  EmbeddingSource,
  IdGenerator,
  IdPart,
  OnWrite,
  TtlDeclaration,
  Upcast,
} from './core/model/model.ts';
export type {
  ClassShape,
  Default,
  Draft,
  EmbeddingFields,
  EntityDefinition,
  EntityInput,
  EntitySource,
  IdBrand,
  IdOf,
  InTenant,
  NeedsTenant,
  OnlyOnWhole,
  Range,
  Shape,
  ShapeOf,
  TenantShape,
  UniqueWhere,
  Where,
} from './core/model/types.ts';
export type { RetryOptions } from './core/retry/index.ts';
export type {
  Consistency,
  ReadOptions,
  ScanStore,
  Store,
  StoreOpener,
  StoreSource,
  WatchOptions,
  WatchStore,
} from './core/store.ts';
export { systemClock, systemEnvironment, systemRandom } from './core/system.ts';
export { TenantId, type TenantName } from './core/tenant-id.ts';
export type { Metric, VectorIndexType } from './core/vectors/index.ts';
export type { Version } from './core/version.ts';
export {
  type DefinedShape,
  type DefineEntityOptions,
  defineEntity,
  Embedding,
  type EmbeddingClassDecorator,
  type EmbeddingFieldDecorator,
  type EmbeddingOptions,
  Entity,
  type EntityDecorator,
  type EntityOptions,
  Field,
  type FieldDecorator,
  type GivenEmbeddingOptions,
  Id,
  type IdDecorators,
  type IdOptions,
  Index,
  type RangeDecorator,
  TenantScoped,
  type TenantScopedDecorator,
  type TextEmbeddingOptions,
  Ttl,
  type TtlDecorator,
  type TtlOptions,
  Unique,
  uuidv7,
  Versioned,
} from './decorators/index.ts';
export * from './repositories/index.ts';
