import { type $ZodType, parse } from 'zod/v4/core';
import { childrenOf, kindOf } from '../codec/schema-tree.ts';

/** Makes the value of a field that was not given. */
export type MakeDefault = () => unknown;

/** A stored field. */
interface SchemaField {
  readonly name: string;
  readonly schema: $ZodType;
}

/** Defaults of `z.….default()` and `.prefault()`, by field. */
export function schemaDefaults(fields: readonly SchemaField[]): ReadonlyMap<string, MakeDefault> {
  return new Map(
    fields
      .filter(({ schema }) => hasDefault(schema, new Set()))
      .map(({ name, schema }) => [name, () => fresh(parse(schema, undefined))]),
  );
}

/** Defaults of the initialisers of a class, by field: what a record from before the field reads as. */
export function classDefaults(
  fields: readonly SchemaField[],
  instantiate: () => object,
): ReadonlyMap<string, MakeDefault> {
  // An entity is read by field name.
  const read = (name: string) => (instantiate() as Record<string, unknown>)[name];
  const blank = instantiate();
  return new Map(
    fields
      .filter(({ name }) => Object.hasOwn(blank, name) && (blank as Record<string, unknown>)[name] !== undefined)
      .map(({ name }) => [name, () => read(name)]),
  );
}

/** Whether a schema says itself what to take when there is nothing. */
export function hasDefault(schema: $ZodType, seen: Set<$ZodType> = new Set()): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  const { def } = kindOf(schema)._zod;
  switch (def.type) {
    case 'default':
    case 'prefault':
      return true;
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'readonly':
    case 'lazy':
    case 'union':
      return childrenOf(schema).some((child) => hasDefault(child.schema, seen));
    case 'pipe':
      // zod types the side of a pipe as the wider SomeType.
      return hasDefault(def.in as $ZodType, seen);
    default:
      return false;
  }
}

/** zod copies a default only at its top, so two entities would share what is inside. */
function fresh(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fresh);
  if (value instanceof Date) return new Date(value);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [fresh(key), fresh(item)]));
  if (value instanceof Set) return new Set([...value].map(fresh));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fresh(item)]));
}
