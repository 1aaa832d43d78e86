import type { $ZodType, output } from 'zod/v4/core';
import type { IdBrand, IdGenerator, IdPart } from '../core/model/index.ts';
import { noteSchema } from './field.ts';
import { noteField, type PropertyArguments } from './notes.ts';
import type { FieldDecorator, RangeDecorator } from './types.ts';

/** Options of `@Id`. */
export interface IdOptions<V extends IdPart = IdPart> {
  /** Makes the id of an entity that `create` was given without one, such as `uuidv7`. */
  readonly generate?: IdGenerator<V> | undefined;
}

/** The type of an id field, for the type system: see {@link IdBrand}. A plain `string` is assignable. */
export type Id<T extends IdPart> = IdBrand<T>;

/** The ways to call `@Id`. */
export interface IdDecorators {
  <S extends $ZodType>(schema: S, options?: IdOptions<output<S> & IdPart>): FieldDecorator<S>;
  <V extends IdPart = never>(options?: IdOptions<V>): RangeDecorator<V, IdPart>;
}

/**
 * Makes a field the id, or a part of it: several make a composite id, in order of declaration. Without a schema it
 * takes whatever a key can hold.
 *
 * @example
 * ```ts
 * @Id() sku!: Id<string>;
 * @Id(z.uuid(), { generate: uuidv7 }) id!: Default<Id<string>>;
 * ```
 */
export const Id: IdDecorators = (first?: $ZodType | IdOptions, second?: IdOptions) => {
  const [schema, options] = first !== undefined && '_zod' in first ? [first, second] : [undefined, first];
  return (...args: PropertyArguments) => {
    noteField('@Id', args, (field, _name, problem) => {
      if (field.id !== undefined) problem('has @Id twice. Keep one.');
      field.id = { generate: options?.generate };
      if (schema !== undefined) noteSchema(field, schema, problem);
    });
  };
};
