import * as zod from 'zod/v4/core';
import type { Upcast } from '../model/model.ts';
import { escapeKey } from './annotations.ts';
import { kindOf } from './schema-tree.ts';
import { isDate, mayBeUndefined, surveyOf } from './survey.ts';

/** What a codec is compiled from. The schemas are ones in which `schemaProblems` finds nothing. */
export interface CodecOptions {
  readonly entity: string;
  /** The schema version of this program. */
  readonly schema: number;
  /** Turns stored fields (as codecs wrote them) of version `n` into those of `n + 1`; a missing step changes nothing. */
  readonly upcast?: Readonly<Record<number, Upcast>> | undefined;
  /** In the order in which they are written. */
  readonly fields: readonly { readonly name: string; readonly schema: zod.$ZodType }[];
  /** Values for fields that a record does not have, as the entity holds them. */
  readonly defaults?: ReadonlyMap<string, () => unknown> | undefined;
}

/**
 * How a field becomes JSON: `json` is JSON already and bounded by its schema; `deep` is JSON of any depth;
 * `date` is a date, null or nothing; `rich` takes superjson.
 */
type FieldKind = 'json' | 'deep' | 'date' | 'rich';

/** One field, looked at once. */
export interface FieldPlan {
  readonly name: string;
  /** The name in a path of superjson's, as JSON, up to the colon: `"name":`. */
  readonly metaKey: string;
  readonly schema: zod.$ZodType;
  readonly kind: FieldKind;
  /** Looked through on reading even where nothing is annotated. */
  readonly isRevived: boolean;
  /** May hold -0, which is JSON but not for `JSON.stringify`. */
  readonly hasNumbers: boolean;
  readonly needsPreflight: boolean;
  readonly hasCodec: boolean;
  /** Takes values for storing; narrower than `schema` in that it puts no default in place of a missing value. */
  readonly writer: zod.$ZodType;
  readonly isSymmetric: boolean;
  readonly isSameZod: boolean;
  /** `undefined` is the same as absence, also to zod. */
  readonly isOmittable: boolean;
  readonly makeDefault: (() => unknown) | undefined;
}

type FieldsSchema = zod.$ZodType<Record<string, unknown>, Record<string, unknown>>;

/** Fields that are validated together when they are written. */
export interface WriteGroup {
  readonly fields: readonly FieldPlan[];
  readonly object: FieldsSchema;
  /** Backward is zod's way to encode; forward does the same where the schemas are symmetric. */
  readonly direction: 'forward' | 'backward';
}

/** A model as its codec sees it. */
export interface Plan {
  readonly entity: string;
  readonly schema: number;
  readonly upcast: Readonly<Record<number, Upcast>>;
  readonly fields: readonly FieldPlan[];
  readonly names: ReadonlySet<string>;
  /** All fields, as they are read. */
  readonly object: FieldsSchema;
  readonly writing: readonly WriteGroup[];
}

/** Looks at every schema of a model. */
export function planOf({ entity, schema, upcast = {}, fields: declared, defaults }: CodecOptions): Plan {
  const fields = declared.map((field) => planField(field.name, field.schema, defaults?.get(field.name)));
  return {
    entity,
    schema,
    upcast,
    fields,
    names: new Set(fields.map((field) => field.name)),
    object: objectOf(fields, 'schema'),
    writing: [
      groupOf(
        fields.filter((field) => field.isSymmetric),
        'forward',
      ),
      groupOf(
        fields.filter((field) => !field.isSymmetric),
        'backward',
      ),
    ].filter((group) => group.fields.length > 0),
  };
}

function groupOf(fields: readonly FieldPlan[], direction: WriteGroup['direction']): WriteGroup {
  return { fields, object: objectOf(fields, 'writer'), direction };
}

/** Missing in zod before 4.4, and wrong for the schemas of another zod, whose classes may mean something else. */
const compile: typeof zod.compile | undefined = zod.compile;

function objectOf(fields: readonly FieldPlan[], side: 'schema' | 'writer'): FieldsSchema {
  const shape = Object.fromEntries(fields.map((field) => [field.name, field[side]]));
  const object = new zod.$ZodObjectJIT({ type: 'object', shape });
  return compile !== undefined && fields.every((field) => field.isSameZod) ? compile(object) : object;
}

function planField(name: string, schema: zod.$ZodType, makeDefault: (() => unknown) | undefined): FieldPlan {
  const { json, numbers, dropsProto, codecs, recursive, sameZod } = surveyOf(schema);
  const writer = withoutDefault(schema);
  const kind = isDate(schema) ? 'date' : !json ? 'rich' : recursive ? 'deep' : 'json';
  return {
    name,
    metaKey: `${JSON.stringify(escapeKey(name))}:`,
    schema,
    writer,
    isSymmetric: surveyOf(writer).symmetric,
    isSameZod: sameZod,
    kind,
    isRevived: kind === 'rich' || kind === 'deep',
    hasNumbers: numbers,
    needsPreflight: dropsProto || recursive,
    hasCodec: codecs,
    isOmittable: mayBeUndefined(schema),
    makeDefault,
  };
}

/** Encoding passes by a default on the outside. */
function withoutDefault(schema: zod.$ZodType): zod.$ZodType {
  const { def } = kindOf(schema)._zod;
  const isDefault = (def.type === 'default' || def.type === 'prefault') && (def.checks ?? []).length === 0;
  return isDefault ? withoutDefault(def.innerType) : schema;
}
