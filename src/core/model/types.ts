import type { TenantId } from '../tenant-id.ts';
import type { Version } from '../version.ts';
import type { IdPart } from './model.ts';

declare const idBrand: unique symbol;
declare const defaultBrand: unique symbol;

/**
 * Marks a field as the id, or a part of it, for the type system: `@Id() sku!: Id<string>`. A plain `string` is
 * assignable. Then `get('NORI-1')` is checked, and changing the id inside `mutate` does not compile.
 */
export type IdBrand<T extends IdPart> = T & { readonly [idBrand]?: never };

/** Marks a field that `create` need not be given: `stock: Default<number> = 0`. A plain `number` is assignable. */
// Of an intersection with an object null and undefined would vanish.
export type Default<T> = (T & { readonly [defaultBrand]?: never }) | Extract<T, null | undefined>;

// biome-ignore lint/suspicious/noExplicitAny: the widest function type, to leave methods out.
type AnyFunction = (...args: any[]) => unknown;
// `keyof any` holds every symbol, so a field typed any would pass for branded.
type IsBranded<V, B extends symbol> = 0 extends 1 & V ? false : B extends keyof NonNullable<V> ? true : false;
type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
type IsReadonly<T, K extends keyof T> = Same<{ -readonly [P in K]: T[P] }, Pick<T, K>> extends true ? false : true;
type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;
type Simplify<T> = { [K in keyof T]: T[K] };

type IsTenant<V> = [V] extends [never] ? false : 0 extends 1 & V ? false : V extends TenantId ? true : false;

/** The fields of an entity class: its data, without methods, without the version and without the tenant. */
type FieldKeys<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends AnyFunction
    ? never
    : Same<NonNullable<T[K]>, Version> extends true
      ? never
      : IsTenant<NonNullable<T[K]>> extends true
        ? never
        : K;
}[keyof T] &
  string;

type BrandedIdKeys<T> = { [K in keyof T]-?: IsBranded<T[K], typeof idBrand> extends true ? K : never }[keyof T] &
  string;

// A getter is a readonly property to the type system, so a readonly field that is no id must not be required.
type OptionalKeys<T> = {
  [K in FieldKeys<T>]: undefined extends T[K]
    ? K
    : IsBranded<T[K], typeof defaultBrand> extends true
      ? K
      : IsBranded<T[K], typeof idBrand> extends true
        ? never
        : IsReadonly<T, K> extends true
          ? K
          : never;
}[FieldKeys<T>];

/** What `create` and `put` take: every field, those with a default or `undefined` optional, no methods. */
export type EntityInput<T> = Simplify<
  { [K in Exclude<FieldKeys<T>, OptionalKeys<T>>]: T[K] } & { [K in OptionalKeys<T>]?: T[K] | undefined }
>;

/** Without `Id<…>` on a field the type system cannot tell which it is: any id compiles and is checked at run time. */
type LooseId = IdPart | { readonly [field: string]: IdPart };

/** What `get` and the other verbs take as the id: the value itself, or an object of the parts if there are several. */
export type IdOf<T> = [BrandedIdKeys<T>] extends [never]
  ? LooseId
  : IsUnion<BrandedIdKeys<T>> extends true
    ? { readonly [K in BrandedIdKeys<T>]: NonNullable<T[K]> }
    : NonNullable<T[BrandedIdKeys<T>]>;

/** What `mutate` hands to its function: the entity, its id fixed. */
export type Draft<T> = [BrandedIdKeys<T>] extends [never]
  ? T
  : Omit<T, BrandedIdKeys<T>> & { readonly [K in BrandedIdKeys<T>]: T[K] };

/** A range over an index; bounds of one side exclude each other. */
export interface Range<V> {
  readonly gt?: V | undefined;
  readonly gte?: V | undefined;
  readonly lt?: V | undefined;
  readonly lte?: V | undefined;
}

type Indexable<V> = Extract<NonNullable<V>, IdPart | boolean> extends never ? never : V;

/** Conditions for `find` and `count`: equality on leading fields of an index, a range on its last one. */
export type Where<T> = {
  readonly [K in FieldKeys<T> as Indexable<T[K]> extends never ? never : K]?:
    | T[K]
    | Range<NonNullable<T[K]>>
    | undefined;
};

/** Conditions for `findOne`: the fields of a unique constraint. */
export type UniqueWhere<T> = {
  readonly [K in FieldKeys<T> as Indexable<T[K]> extends never ? never : K]?: T[K] | undefined;
};

type IsVector<V> = [V] extends [never] ? false : 0 extends 1 & V ? false : V extends Float32Array ? true : false;
type VectorKeys<T> = { [K in keyof T]-?: IsVector<NonNullable<T[K]>> extends true ? K : never }[keyof T] & string;

/** Names of the fields that hold vectors; any name if there are none, as `@Embedding` on a class needs no field. */
export type EmbeddingFields<T> = [VectorKeys<T>] extends [never] ? string : VectorKeys<T>;

/** The types that a repository works with. */
export interface Shape {
  readonly entity: object;
  readonly input: object;
  readonly id: unknown;
  readonly draft: object;
  readonly where: object;
  readonly unique: object;
  /** Names of its embeddings. */
  readonly embedding: string;
}

/** The shape of a decorated class. */
export interface ClassShape<T extends object> extends Shape {
  readonly entity: T;
  readonly input: EntityInput<T>;
  readonly id: IdOf<T>;
  readonly draft: Draft<T>;
  readonly where: Where<T>;
  readonly unique: UniqueWhere<T>;
  // Any name, as a class can have embeddings without a field; `string & {}` keeps editors completing the fields.
  readonly embedding: EmbeddingFields<T> | (string & {});
}

declare const shapeBrand: unique symbol;

/** What `defineEntity` returns: an entity without a class. */
export interface EntityDefinition<S extends Shape = Shape> {
  readonly name: string;
  /** Only a type: carries the shape to `db.repo()`. */
  readonly [shapeBrand]?: S;
}

/** A decorated class, or the result of `defineEntity`. */
export type EntitySource<S extends Shape = Shape> = (new () => S['entity']) | EntityDefinition<S>;

export type ShapeOf<Source> = Source extends { readonly prototype: infer T extends object }
  ? ClassShape<T>
  : Source extends EntityDefinition<infer S>
    ? S
    : never;

/** Whether entities belong to a tenant: they have the field that shows whose they are. */
type IsTenantScoped<Entity> = Entity extends { readonly tenant: infer V } ? IsTenant<V> : false;

declare const wrongHandle: unique symbol;

/** What the compiler shows where a handle is of the wrong kind: without a tenant, or with one. */
interface WrongHandle<Cure extends string> {
  readonly [wrongHandle]: Cure;
}

/** What `db.repo()` asks of an entity beside that it is one: of a `@TenantScoped()` one, a handle with a tenant. */
export type NeedsTenant<Source, Tenant extends string | undefined> =
  IsTenantScoped<ShapeOf<Source>['entity']> extends true
    ? undefined extends Tenant
      ? WrongHandle<'this entity belongs to a tenant: db.forTenant(name).repo(Entity)'>
      : unknown
    : unknown;

/** What `db.forTenant()` asks of its handle: to be that on the whole store, or not known to be one tenant's. */
export type OnlyOnWhole<Tenant extends string | undefined> = [Tenant] extends [string]
  ? WrongHandle<"one tenant's handle does not lead to another: ask the one that open() returned">
  : unknown;

/** The shape of an entity in one tenant: what belongs to `'acme'` cannot be taken for what belongs to `'globex'`. */
export interface TenantShape<S extends Shape, Tenant extends string> extends Shape {
  readonly entity: S['entity'] & { readonly tenant: TenantId<Tenant> };
  readonly input: S['input'] & { readonly tenant?: TenantId<Tenant> | undefined };
  readonly id: S['id'];
  readonly draft: S['draft'] & { readonly tenant: TenantId<Tenant> };
  readonly where: S['where'];
  readonly unique: S['unique'];
  readonly embedding: S['embedding'];
}

/** The shape that a repository of a handle works with. */
export type InTenant<S extends Shape, Tenant extends string | undefined> =
  IsTenantScoped<S['entity']> extends true ? TenantShape<S, Extract<Tenant, string>> : S;
