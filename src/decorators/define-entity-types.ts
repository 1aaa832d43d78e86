import type { $ZodObject, input, output } from 'zod/v4/core';
import type { KeyPart } from '../core/keys/index.ts';
import type { IdGenerator, IdPart, Shape, UniqueWhere, Where } from '../core/model/index.ts';
import type { TenantId } from '../core/tenant-id.ts';
import type { Version } from '../core/version.ts';
import type { EmbeddingOptions, TextField } from './embedding-types.ts';

type Simplify<T> = { [K in keyof T]: T[K] };
type Shaped<S extends $ZodObject> = S['_zod']['def']['shape'];

/** Names of the fields of a zod object whose values are of type `V`. */
export type FieldName<S extends $ZodObject, V = unknown> = {
  [K in keyof Shaped<S>]: output<Shaped<S>[K]> extends V ? K : never;
}[keyof Shaped<S>] &
  string;

/** Fields that can be (a part of) the id. */
export type IdName<S extends $ZodObject> = FieldName<S, IdPart>;

/** Fields that can be in an index or a unique constraint. */
type GroupName<S extends $ZodObject> = FieldName<S, KeyPart | undefined>;

/** Single fields, or lists of fields by name. */
export type GroupOption<S extends $ZodObject> =
  | readonly GroupName<S>[]
  | { readonly [name: string]: readonly GroupName<S>[] };

type DefinedSource<S extends $ZodObject> =
  | TextField<output<S>>
  | readonly TextField<output<S>>[]
  | ((entity: output<S>) => string | null | undefined);

/** Embeddings by name, which is also that of the field where a vector can be given. */
export type EmbeddingsOption<S extends $ZodObject, E extends string> = {
  readonly [K in E]: K extends FieldName<S> ? never : EmbeddingOptions<DefinedSource<S>>;
};

type Names<I> = I extends readonly (infer N)[] ? N : I;
type FieldOf<S extends $ZodObject, K> = K extends keyof Shaped<S> ? output<Shaped<S>[K]> : never;
type GeneratorOf<S extends $ZodObject, K> = IdGenerator<FieldOf<S, K> & IdPart>;

/** The generator of the id, or the generators of its parts. */
export type GenerateOption<S extends $ZodObject, I> = I extends readonly (infer N extends string)[]
  ? { readonly [K in N]?: GeneratorOf<S, K> }
  : GeneratorOf<S, I>;

type Generated<I, G> = [G] extends [never] ? never : I extends readonly unknown[] ? keyof G & Names<I> : I;

/** Where a vector can be given. */
type Vectors<E extends string> = { [K in E]?: Float32Array | undefined };

/** Shows whose an entity is. */
type Owned<T extends boolean> = [T] extends [true] ? { readonly tenant: TenantId } : unknown;

/** What a repository gives: the output of the schema, and the version. */
type DefinedEntity<S extends $ZodObject, V extends string, E extends string, T extends boolean> = Simplify<
  output<S> & { [K in V]?: Version | undefined } & Vectors<E> & Owned<T>
>;

type Required<S extends $ZodObject, I, G> = Exclude<
  {
    [K in keyof Shaped<S>]: undefined extends input<Shaped<S>[K]> | output<Shaped<S>[K]> ? never : K;
  }[keyof Shaped<S>],
  Generated<I, G>
>;

type DefinedInput<S extends $ZodObject, I, G, E extends string> = Simplify<
  { [K in Required<S, I, G>]: output<Shaped<S>[K]> } & {
    [K in Exclude<keyof Shaped<S>, Required<S, I, G>>]?: output<Shaped<S>[K]> | undefined;
  } & Vectors<E>
>;

type DefinedId<S extends $ZodObject, I> = I extends readonly (infer N extends string)[]
  ? Simplify<{ readonly [K in N]: FieldOf<S, K> }>
  : FieldOf<S, I>;

type DefinedDraft<E, I> = Simplify<
  { [K in Exclude<keyof E, Names<I>>]: E[K] } & { readonly [K in keyof E & Names<I>]: E[K] }
>;

/** The types that a repository of the definition works with. */
export interface DefinedShape<
  S extends $ZodObject,
  I,
  V extends string,
  G,
  E extends string = never,
  T extends boolean = false,
> extends Shape {
  readonly entity: DefinedEntity<S, V, E, T>;
  readonly input: DefinedInput<S, I, G, E>;
  readonly id: DefinedId<S, I>;
  readonly draft: DefinedDraft<DefinedEntity<S, V, E, T>, I>;
  readonly where: Where<DefinedEntity<S, V, E, T>>;
  readonly unique: UniqueWhere<DefinedEntity<S, V, E, T>>;
  readonly embedding: E;
}
