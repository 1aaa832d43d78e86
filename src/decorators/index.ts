export { declarationOf } from './declaration.ts';
export { type DefineEntityOptions, defineEntity } from './define-entity.ts';
export type { DefinedShape } from './define-entity-types.ts';
export { Embedding } from './embedding.ts';
export type {
  EmbeddingClassDecorator,
  EmbeddingFieldDecorator,
  EmbeddingOptions,
  GivenEmbeddingOptions,
  TextEmbeddingOptions,
} from './embedding-types.ts';
export { Entity, type EntityDecorator } from './entity.ts';
export { Field } from './field.ts';
export { Id, type IdDecorators, type IdOptions } from './id.ts';
export { Index } from './indexed.ts';
export { modelOf } from './model-of.ts';
export type { EntityOptions } from './notes.ts';
export { renamed } from './renamed.ts';
export { TenantScoped, type TenantScopedDecorator } from './tenant-scoped.ts';
export { Ttl, type TtlDecorator, type TtlOptions } from './ttl.ts';
export type { FieldDecorator, RangeDecorator } from './types.ts';
export { Unique } from './unique.ts';
export { uuidv7 } from './uuidv7.ts';
export { Versioned } from './versioned.ts';
