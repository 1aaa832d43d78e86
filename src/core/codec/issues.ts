import type { $ZodIssue, $ZodType } from 'zod/v4/core';
import { NorimakiError, type ValidationIssue } from '../errors.ts';
import { Refusal } from './failures.ts';
import { kindOf } from './schema-tree.ts';

/** A million wrong array elements are one mistake. */
const MAX_ISSUES = 100;
const MAX_ISSUES_IN_MESSAGE = 5;

/** zod's issues without anything that the value brought along. */
export function issuesOf(issues: readonly $ZodIssue[]): ValidationIssue[] {
  return issues.slice(0, MAX_ISSUES).map(({ code, path, message }) => ({
    path,
    // The one built-in message that repeats data: the names of the keys.
    message: code === 'unrecognized_keys' ? 'Has keys that the schema does not know' : message,
  }));
}

/** Errors: `validation.failed` for whatever went wrong while a value was written. */
export function notValid(entity: string, schema: $ZodType, error: unknown): NorimakiError<'validation.failed'> {
  const { issues, options } = explain(error);
  return new NorimakiError(
    'validation.failed',
    `${entity} is not valid: ${summary(schema, issues)}`,
    { entity, issues },
    options,
  );
}

/** Errors: `record.corrupt` for whatever went wrong while a record was read. */
export function corrupt(
  entity: string,
  describe: () => string,
  schema: $ZodType | undefined,
  error: unknown,
): NorimakiError<'record.corrupt'> {
  const { issues, options } = explain(error);
  return new NorimakiError(
    'record.corrupt',
    `${describe()} cannot be read: ${summary(schema, issues)}`,
    { entity, issues },
    options,
  );
}

function explain(error: unknown): { issues: readonly ValidationIssue[]; options: ErrorOptions } {
  if (error instanceof Refusal) {
    return { issues: error.issues, options: error.cause === undefined ? {} : { cause: error.cause } };
  }
  const message =
    error instanceof RangeError
      ? 'it is nested too deeply'
      : 'it could not be checked: a check in the schema threw or is asynchronous';
  return { issues: [{ path: [], message }], options: { cause: error } };
}

function summary(schema: $ZodType | undefined, issues: readonly ValidationIssue[]): string {
  const shown = issues.slice(0, MAX_ISSUES_IN_MESSAGE).map(({ path, message }) => {
    const place = placeOf(schema, path);
    return place === '' ? message : `${place}: ${message}`;
  });
  const more = issues.length - shown.length;
  if (more > 0) shown.push(`and ${more}${issues.length < MAX_ISSUES ? '' : ' or'} more`);
  return shown.join('; ');
}

/** The parts of a record that are not fields. */
const PARTS: ReadonlySet<PropertyKey> = new Set(['meta', 'env']);

/** The path as far as the schema names it: a key of a record is data, and messages hold no data. */
function placeOf(schema: $ZodType | undefined, path: readonly PropertyKey[]): string {
  let place = '';
  let current = schema;
  for (const key of path) {
    const next: $ZodType | undefined = current && childAt(current, key);
    if (typeof key === 'number') place += `[${key}]`;
    else if (next === undefined && !(current === schema && PARTS.has(key))) return place === '' ? '*' : `${place}.*`;
    else place += place === '' ? String(key) : `.${String(key)}`;
    current = next;
  }
  return place;
}

function childAt(schema: $ZodType, key: PropertyKey): $ZodType | undefined {
  const internals = kindOf(schema)._zod;
  const { def } = internals;
  switch (def.type) {
    case 'object':
      return typeof key === 'string' && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
    case 'array':
      return def.element;
    case 'tuple':
      return typeof key === 'number' ? ((def.items[key] ?? def.rest ?? undefined) as $ZodType | undefined) : undefined; // zod types them as the wider SomeType
    case 'union':
      return firstOf(def.options as readonly $ZodType[], key); // as above
    case 'intersection':
      return firstOf([def.left, def.right], key);
    case 'pipe':
      return firstOf([def.in, def.out], key);
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
      return childAt(def.innerType, key);
    case 'lazy':
      // Only a lazy schema has it, see childrenOf.
      return childAt((internals as { innerType: $ZodType }).innerType, key);
    default:
      return undefined;
  }
}

function firstOf(schemas: readonly $ZodType[], key: PropertyKey): $ZodType | undefined {
  for (const schema of schemas) {
    const child = childAt(schema, key);
    if (child !== undefined) return child;
  }
  return undefined;
}
