import type { $ZodType } from 'zod/v4/core';
import { type FieldNotes, noteField, type PropertyArguments } from './notes.ts';
import type { FieldDecorator } from './types.ts';

/**
 * Stores a field. The schema validates what is read and written; its output is the type of the field.
 * A codec (`z.codec`) stores another form than the field holds; a one-way `.transform()` is refused.
 *
 * @example
 * ```ts
 * @Field(z.string().min(1)) name!: string;
 * @Field(z.number().int()) stock: Default<number> = 0;
 * ```
 */
export function Field<S extends $ZodType>(schema: S): FieldDecorator<S> {
  return (...args: PropertyArguments) => {
    noteField('@Field', args, (field, _name, problem) => noteSchema(field, schema, problem));
  };
}

/** Gives the field its one schema. */
export function noteSchema(field: FieldNotes, schema: $ZodType, problem: (text: string) => void): void {
  if (field.schema === undefined) field.schema = schema;
  else problem('has two schemas. Keep one @Field(schema), or on an id one @Id(schema).');
}
