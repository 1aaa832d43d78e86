import * as zod from 'zod/v4/core';
import { type Annotations, annotationsOf, readAnnotations } from './annotations.ts';
import { Refusal, refuse } from './failures.ts';
import { corrupt, issuesOf } from './issues.ts';
import { isJsonObject, type JsonObject, setOwn } from './json.ts';
import type { FieldPlan, Plan } from './plan.ts';
import type { DecodedFields, OpenedRecord, UnknownFields } from './record.ts';
import { refuseMissingCopies } from './references.ts';
import { revive } from './revive.ts';
import { hasUpcast, upcastFields } from './upcast.ts';

/** Revives and validates the fields of a record. Errors: `record.corrupt`. */
export function decodeFields(plan: Plan, record: OpenedRecord, describe: () => string): DecodedFields {
  try {
    const { json, meta } = record;
    if (!isJsonObject(json)) refuse([], 'it has no fields');
    const annotations = readAnnotations(meta);
    for (const name of annotations.keys()) {
      if (!Object.hasOwn(json, name)) refuse(['meta'], 'annotates a field that is not there');
    }
    refuseMissingCopies(json, meta);
    return hasUpcast(plan, record.envelope.schema)
      ? decodeOlder(plan, record.envelope.schema, json, meta, annotations)
      : decodeCurrent(plan, json, meta, annotations);
  } catch (error) {
    throw corrupt(plan.entity, describe, plan.object, error);
  }
}

/** Whether these are all the fields of the plan, in its order: so nearly every record was written. */
function isWhole(plan: Plan, names: readonly string[]): boolean {
  return names.length === plan.fields.length && plan.fields.every(({ name }, i) => name === names[i]);
}

/** With nothing missing and nothing unknown only what needs reviving has to be looked at. */
function decodeWhole(plan: Plan, json: JsonObject, annotations: Annotations): DecodedFields {
  const input = new Input(plan, { ...json });
  for (const field of plan.fields) {
    const { name, isRevived } = field;
    const annotation = annotations.get(name);
    if (isRevived || annotation !== undefined) input.add(field, revive(json[name], annotation, name));
  }
  return { values: input.decode(), unknown: undefined };
}

function decodeCurrent(plan: Plan, json: JsonObject, meta: unknown, annotations: Annotations): DecodedFields {
  const names = Object.keys(json);
  if (isWhole(plan, names)) return decodeWhole(plan, json, annotations);
  // A copy with the unknown fields in it, which zod leaves out, takes less time than one field by field.
  const input = new Input(plan, { ...json });
  let known = 0;
  for (const field of plan.fields) {
    const { name, isRevived } = field;
    const raw = json[name];
    const annotation = annotations.get(name);
    if (raw === undefined) input.addMissing(field);
    else known += 1;
    if (annotation !== undefined || (raw !== undefined && isRevived)) {
      input.add(field, revive(raw, annotation, name));
    }
  }
  const unknown = names.length === known ? undefined : keepUnknown(plan, names, json, meta, annotations);
  return { values: input.decode(), unknown };
}

function decodeOlder(
  plan: Plan,
  from: number,
  json: JsonObject,
  meta: unknown,
  annotations: Annotations,
): DecodedFields {
  const revived: Record<string, unknown> = {};
  const before = new Map<string, unknown>();
  for (const name of Object.keys(json)) {
    const value = revive(json[name], annotations.get(name), name);
    before.set(name, value);
    if (name !== '__proto__') revived[name] = value;
  }
  const fields = upcastFields(plan, from, revived);
  const input = new Input(plan, {});
  for (const field of plan.fields) {
    if (Object.hasOwn(fields, field.name)) input.add(field, fields[field.name]);
    else input.addMissing(field);
  }
  // What an upcast removed or changed is no longer somebody else's.
  const untouched = [...before].filter(
    ([name, value]) => name === '__proto__' || (Object.hasOwn(fields, name) && Object.is(fields[name], value)),
  );
  const names = untouched.map(([name]) => name);
  return { values: input.decode(), unknown: keepUnknown(plan, names, json, meta, annotations) };
}

/** The fields on their way to zod. */
class Input {
  readonly #plan: Plan;
  readonly #fields: Record<string, unknown>;
  readonly #undefined: string[] = [];

  constructor(plan: Plan, fields: Record<string, unknown>) {
    this.#plan = plan;
    this.#fields = fields;
  }

  add(field: FieldPlan, value: unknown): void {
    if (value !== undefined || !field.isOmittable) {
      this.#fields[field.name] = value;
      return;
    }
    delete this.#fields[field.name];
    this.#undefined.push(field.name);
  }

  addMissing(field: FieldPlan): void {
    const { makeDefault } = field;
    if (makeDefault !== undefined) this.add(field, asStored(field, makeDefault()));
    else if (!field.isOmittable) this.#fields[field.name] = undefined;
  }

  decode(): Record<string, unknown> {
    const result = zod.safeParse(this.#plan.object, this.#fields);
    if (!result.success) throw new Refusal(issuesOf(result.error.issues));
    const values = result.data;
    for (const name of this.#undefined) if (!Object.hasOwn(values, name)) values[name] = undefined;
    return values;
  }
}

/** A default is what the entity holds, while zod is about to decode what is stored. */
function asStored(field: FieldPlan, value: unknown): unknown {
  if (!field.hasCodec || value === undefined) return value;
  const result = zod.safeEncode(field.schema, value);
  if (!result.success) refuse([field.name], 'is missing, and its default is not valid');
  return result.data;
}

function keepUnknown(
  plan: Plan,
  names: readonly string[],
  json: JsonObject,
  meta: unknown,
  annotations: Annotations,
): UnknownFields | undefined {
  const kept = names.filter((name) => !plan.names.has(name));
  if (kept.length === 0) return undefined;
  const fields: Record<string, unknown> = {};
  for (const name of kept) {
    // Not for what it returns: what comes back from here is written again.
    revive(json[name], annotations.get(name), name);
    setOwn(fields, name, json[name]);
  }
  const wanted = new Set(kept);
  return { json: fields, values: annotationsOf(meta, (name) => wanted.has(name)) };
}
