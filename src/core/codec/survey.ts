import { type $ZodType, version } from 'zod/v4/core';
import { childrenOf, isCodec, kindOf } from './schema-tree.ts';

/** What the values of a schema can be, as far as storing them is concerned. */
export interface Survey {
  /** Every stored value is JSON already, but for `-0`. */
  json: boolean;
  /** A stored value may hold a number, so also `-0`. */
  numbers: boolean;
  /** zod drops the key `__proto__` from some part of it without a word. */
  dropsProto: boolean;
  /** What is stored differs from what the entity holds. */
  codecs: boolean;
  /** The schema does not bound how deep its values nest. */
  recursive: boolean;
  /** Parsing a value gives the same as encoding it, which takes zod several times as long. */
  symmetric: boolean;
  /** Made by the zod that we import, not by another copy of it. */
  sameZod: boolean;
}

/** Looks once at a schema and everything in it. */
export function surveyOf(schema: $ZodType): Survey {
  const survey: Survey = {
    json: true,
    numbers: false,
    dropsProto: false,
    codecs: false,
    recursive: false,
    symmetric: true,
    sameZod: true,
  };
  walk(schema, true, survey, { stored: new Map(), entity: new Map() });
  return survey;
}

type Visits = Readonly<Record<'stored' | 'entity', Map<$ZodType, 'open' | 'done'>>>;

function walk(schema: $ZodType, stored: boolean, survey: Survey, visits: Visits): void {
  const visited = visits[stored ? 'stored' : 'entity'];
  const visit = visited.get(schema);
  if (visit === 'open') survey.recursive = true;
  if (visit !== undefined) return;
  visited.set(schema, 'open');
  note(schema, stored, survey);
  const children = childrenOf(schema);
  const isPipe = kindOf(schema)._zod.def.type === 'pipe';
  for (const [index, child] of children.entries())
    walk(child.schema, stored && !(isPipe && index === 1), survey, visits);
  visited.set(schema, 'done');
}

function note(schema: $ZodType, stored: boolean, survey: Survey): void {
  if (isCodec(schema)) survey.codecs = true;
  if (!isSymmetric(schema)) survey.symmetric = false;
  if (!isSameVersion(schema._zod.version)) survey.sameZod = false;
  const { def } = kindOf(schema)._zod;
  if (def.type === 'record' || (def.type === 'object' && def.catchall)) survey.dropsProto = true;
  if (!stored) return;
  switch (def.type) {
    case 'number':
      survey.numbers = true;
      return;
    case 'literal':
      // `z.literal(0)` accepts -0.
      if (def.values.includes(0)) survey.numbers = true;
      if (!def.values.every(isJsonPrimitive)) survey.json = false;
      return;
    case 'enum':
      if (Object.values(def.entries).includes(0)) survey.numbers = true;
      return;
    case 'array':
    case 'tuple':
    case 'intersection':
      // JSON turns an `undefined` in an array into null. Of an object it drops the key, which an optional key may be,
      // but zod does not see that the intersection of two optionals is one.
      if (childrenOf(schema).some((child) => mayBeUndefined(child.schema))) survey.json = false;
      return;
    case 'string':
    case 'boolean':
    case 'null':
    case 'never':
    case 'template_literal':
    case 'object':
    case 'record':
    case 'union':
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'pipe':
    case 'lazy':
      return;
    default:
      survey.json = false;
  }
}

/** Encoding gives no defaults, freezes nothing, and checks last of all that what a check replaced still fits. */
function isSymmetric(schema: $ZodType): boolean {
  const { def } = kindOf(schema)._zod;
  if (['pipe', 'default', 'prefault', 'readonly'].includes(def.type)) return false;
  return (def.checks ?? []).every(({ _zod: check }) => {
    if (check.def.check === 'overwrite') return false;
    // A refinement only looks; any other custom check may replace the value.
    return (
      check.def.check !== 'custom' || (check as { traits?: ReadonlySet<string> }).traits?.has('$ZodCustom') === true
    ); // zod declares traits on schemas only
  });
}

function isSameVersion({ major, minor, patch }: typeof version): boolean {
  return major === version.major && minor === version.minor && patch === version.patch;
}

function isJsonPrimitive(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

/** Whether a key of an object may be left out, which is also where `undefined` is taken for its absence. */
export function mayBeUndefined(schema: $ZodType): boolean {
  return schema._zod.optin !== undefined;
}

/** Whether each stored value is a date, null or nothing. */
export function isDate(schema: $ZodType): boolean {
  const { def } = kindOf(schema)._zod;
  switch (def.type) {
    case 'date':
      return true;
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
      return isDate(def.innerType);
    case 'pipe':
      return isDate(def.in);
    default:
      return false;
  }
}
