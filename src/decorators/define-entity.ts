import type { $ZodObject, $ZodType } from 'zod/v4/core';
import type { Duration } from '../core/duration.ts';
import { NorimakiError } from '../core/errors.ts';
import type {
  EmbeddingDeclaration,
  EntityDeclaration,
  EntityDefinition,
  FieldDeclaration,
  FieldGroup,
  IdDeclaration,
  IdGenerator,
  Shape,
  TtlDeclaration,
} from '../core/model/index.ts';
import type {
  DefinedShape,
  EmbeddingsOption,
  FieldName,
  GenerateOption,
  GroupOption,
  IdName,
} from './define-entity-types.ts';
import type { EmbeddingOptions } from './embedding-types.ts';
import type { EntityOptions } from './notes.ts';

// Registered, so that two copies of this library in one tree read each other's entities.
const DECLARATION = Symbol.for('norimaki.declaration');

/** Options of `defineEntity`; each but `id` is what the decorator of its name takes. */
export interface DefineEntityOptions<
  S extends $ZodObject,
  I extends IdName<S> | readonly IdName<S>[],
  V extends string,
  G,
  E extends string = never,
  T extends boolean = false,
> extends EntityOptions {
  /** The field that is the id, or the fields that make it together, in order. */
  readonly id: I;
  /** Makes the id that `create` was not given; for a composite id by field. */
  readonly generate?: G | undefined;
  /** Name of the field that holds the version. It is not in the zod object. */
  readonly versioned?: (V & Exclude<V, FieldName<S>>) | undefined;
  readonly ttl?: Duration | TtlDeclaration | undefined;
  /** The field with a date that is the record's own deadline: `@Ttl()` on a property. */
  readonly deadline?: FieldName<S, Date | null | undefined> | undefined;
  /** Its records belong to a tenant: `@TenantScoped()`. Adds the field `tenant`, which is not in the zod object. */
  readonly tenantScoped?: T | undefined;
  /** Single fields as a list, or lists of fields by the name of the constraint. */
  readonly unique?: GroupOption<S> | undefined;
  /** Single fields as a list, or lists of fields by the name of the index. */
  readonly index?: GroupOption<S> | undefined;
  /** Options of `@Embedding` by name. The name is that of a field where a vector can be given; it is not in the zod object. */
  readonly embeddings?: EmbeddingsOption<S, E> | undefined;
}

/**
 * Makes an entity of a zod object, without decorators; its entities are plain objects. Gives the same model as a
 * decorated class.
 *
 * @example
 * ```ts
 * const Product = defineEntity('product', z.object({ sku: z.string(), stock: z.number().default(0) }), {
 *   id: 'sku',
 *   versioned: 'version',
 *   index: ['stock'],
 * });
 * const products = db.repo(Product);
 * ```
 */
export function defineEntity<
  const S extends $ZodObject,
  const I extends IdName<S> | readonly IdName<S>[],
  const V extends string = never,
  const G extends GenerateOption<S, I> = never,
  const E extends string = never,
  const T extends boolean = false,
>(
  name: string,
  schema: S,
  options: DefineEntityOptions<S, I, V, G, E, T>,
): EntityDefinition<DefinedShape<S, I, V, G, E, T>> {
  checkArguments(name, schema, options);
  const declaration: EntityDeclaration = {
    name,
    instantiate: () => ({}),
    fields: fields(schema, options),
    ids: ids(options),
    uniques: groups(options.unique),
    indexes: groups(options.index),
    embeddings: embeddings(options.embeddings),
    schema: options.schema,
    upcast: options.upcast,
    ttl:
      typeof options.ttl === 'object' ? options.ttl : options.ttl === undefined ? undefined : { duration: options.ttl },
    ring: options.ring,
    tenantScoped: options.tenantScoped,
    problems: problems(name, schema, options),
  };
  return defined(declaration);
}

/** What `defineEntity` returns, of a declaration; its shape is only a type. */
export function defined<S extends Shape>(declaration: EntityDeclaration): EntityDefinition<S> {
  return Object.freeze({ name: declaration.name, [DECLARATION]: declaration });
}

/** For programs without types. The compiler of the model says what is wrong inside. */
function checkArguments(name: string, schema: unknown, options: unknown): void {
  const isGiven = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (isGiven(schema) && '_zod' in schema && isGiven(options)) return;
  const problem =
    "defineEntity takes a name, a z.object() and options: defineEntity('film', z.object({ … }), { id: 'id' }).";
  throw new NorimakiError('model.invalid', problem, { entity: String(name), problems: [problem] });
}

/** The declaration inside the result of `defineEntity`. */
export function definitionOf(source: unknown): EntityDeclaration | undefined {
  if (typeof source !== 'object' || source === null || !Object.hasOwn(source, DECLARATION)) return undefined;
  return (source as { [DECLARATION]: EntityDeclaration })[DECLARATION];
}

/** The options, without the types that only the caller needs. */
interface PlainOptions {
  readonly id: string | readonly string[];
  readonly generate?: unknown;
  readonly versioned?: string | undefined;
  readonly deadline?: string | undefined;
}

function fields(schema: $ZodObject, { versioned, deadline }: PlainOptions): FieldDeclaration[] {
  const shape = Object.entries<$ZodType>(shapeOf(schema));
  const stored = shape.map(([name, schema]) => ({ name, schema, deadline: name === deadline }));
  return versioned === undefined ? stored : [...stored, { name: versioned, versioned: true }];
}

function shapeOf(schema: $ZodObject): Readonly<Record<string, $ZodType>> {
  return schema._zod.def.type === 'object' ? schema._zod.def.shape : {};
}

function ids({ id, generate }: PlainOptions): IdDeclaration[] {
  // A program without types may leave it out; the compiler of the model says so.
  const names = typeof id === 'string' ? [id] : (id ?? []);
  return names.map((name) => ({ name, generate: generatorOf(generate, name) }));
}

function generatorOf(generate: unknown, name: string): IdGenerator | undefined {
  if (typeof generate === 'object') return (generate as Record<string, IdGenerator | undefined>)[name]; // GenerateOption
  return generate as IdGenerator | undefined; // GenerateOption
}

function groups(option: readonly string[] | Readonly<Record<string, readonly string[]>> | undefined): FieldGroup[] {
  if (Array.isArray(option)) return option.map((name) => ({ name, fields: [name] }));
  return Object.entries(option ?? {}).map(([name, fields]) => ({ name, fields }));
}

function embeddings(option: Readonly<Record<string, EmbeddingOptions>> = {}): EmbeddingDeclaration[] {
  return Object.entries(option).map(([name, options]) => ({ ...options, name, isField: true }));
}

function problems(entity: string, schema: $ZodObject, { versioned, deadline }: PlainOptions): string[] {
  const { type, checks = [], catchall } = schema._zod.def;
  if (type !== 'object') {
    return [`${entity} is defined by a schema of type ${type}. Pass a z.object().`];
  }
  const found: string[] = [];
  if (checks.length > 0) {
    found.push(`${entity} has a check on the whole object, which would never run. Put checks on its fields.`);
  }
  if (catchall !== undefined && catchall._zod.def.type !== 'never') {
    found.push(`${entity} takes unknown fields (z.looseObject or catchall). Name every field.`);
  }
  if (versioned !== undefined && Object.hasOwn(shapeOf(schema), versioned)) {
    found.push(
      `${entity}.${versioned} is both in the zod object and the field of the version. The version is not stored: take it out of the object.`,
    );
  }
  if (deadline !== undefined && !Object.hasOwn(shapeOf(schema), deadline)) {
    found.push(`${entity} has no field ${deadline}, which its deadline names. Name one of its fields.`);
  }
  return found;
}
