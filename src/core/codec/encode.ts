import SuperJSON from 'superjson';
import * as zod from 'zod/v4/core';
import { escapeKey, fieldOf } from './annotations.ts';
import { Refusal } from './failures.ts';
import { issuesOf, notValid } from './issues.ts';
import type { FieldPlan, Plan, WriteGroup } from './plan.ts';
import { preflight } from './preflight.ts';
import type { UnknownFields } from './record.ts';
import { inspect } from './storable.ts';
import { isAwkward, spellOut, wordOf } from './typed-arrays.ts';

/** Apart from the shared instance, on which programs register classes. */
const superjson = new SuperJSON();

/** Validates the values and writes them as the body of a record. Errors: `validation.failed`. */
export function encodeBody(plan: Plan, values: Readonly<Record<string, unknown>>, unknown?: UnknownFields): string {
  try {
    const stored = storedForm(plan, values);
    return new BodyWriter(plan, stored).write(unknown);
  } catch (error) {
    throw notValid(plan.entity, plan.object, error);
  }
}

/** What zod makes of the values for storing: an object of our own, with the fields in order. */
function storedForm(plan: Plan, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const parts: Record<string, unknown>[] = [];
  const issues: zod.$ZodIssue[] = [];
  for (const group of plan.writing) {
    const input = inputOf(group, values);
    const result =
      group.direction === 'forward' ? zod.safeParse(group.object, input) : zod.safeEncode(group.object, input);
    if (result.success) parts.push(result.data);
    else issues.push(...result.error.issues);
  }
  if (issues.length > 0) throw new Refusal(issuesOf(issues));
  const [first = {}, second] = parts;
  if (second === undefined) return first;
  const stored: Record<string, unknown> = {};
  for (const { name } of plan.fields) stored[name] = Object.hasOwn(first, name) ? first[name] : second[name];
  return stored;
}

function inputOf({ fields }: WriteGroup, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const field of fields) {
    const value = values[field.name];
    if (value === undefined && field.isOmittable) continue;
    if (field.needsPreflight) preflight(value, field.name);
    input[field.name] = value;
  }
  return input;
}

class BodyWriter {
  readonly #plan: Plan;
  readonly #stored: Record<string, unknown>;
  /** Entries of superjson's `meta.values`, as text. */
  readonly #annotations: string[] = [];
  #hasAwkwardFloats = false;

  constructor(plan: Plan, stored: Record<string, unknown>) {
    this.#plan = plan;
    this.#stored = stored;
  }

  write(unknown: UnknownFields | undefined): string {
    for (const field of this.#plan.fields) this.#writeField(field, this.#stored[field.name]);
    let json = JSON.stringify(this.#stored, this.#hasAwkwardFloats ? spellOut : undefined);
    if (unknown !== undefined) json = this.#appendUnknown(json, unknown);
    if (this.#annotations.length === 0) return `{"json":${json}`;
    return `{"json":${json},"meta":{"values":{${this.#annotations.join(',')}},"v":1}`;
  }

  #writeField(field: FieldPlan, value: unknown): void {
    if (value === undefined) {
      // Absent would read as the default.
      if (field.makeDefault !== undefined) this.#replace(field, null, 'undefined');
    } else if (field.kind === 'date') {
      if (value !== null) this.#replace(field, (value as Date).toISOString(), 'Date'); // zod said so
    } else if (typeof value === 'number') {
      if (isAwkward(value)) this.#replace(field, wordOf(value), 'number');
    } else if (field.kind === 'rich' || (field.hasNumbers && hasMinusZero(value))) {
      this.#writeRich(field, value);
    }
  }

  #writeRich(field: FieldPlan, value: unknown): void {
    const { isJson, hasAwkwardFloats } = inspect(value, field.name);
    if (isJson) return;
    if (hasAwkwardFloats) this.#hasAwkwardFloats = true;
    const { json, meta } = superjson.serialize(value);
    this.#stored[field.name] = json;
    // Which places share one object is left out: it would make the text of equal values differ.
    const annotations: unknown = meta?.values;
    if (annotations === undefined) return;
    if (Array.isArray(annotations)) {
      this.#annotations.push(field.metaKey + JSON.stringify(annotations));
      return;
    }
    const prefix = escapeKey(field.name);
    for (const [path, tree] of Object.entries(annotations as object)) {
      this.#annotations.push(`${JSON.stringify(`${prefix}.${path}`)}:${JSON.stringify(tree)}`);
    }
  }

  #replace(field: FieldPlan, json: string | null, type: string): void {
    this.#stored[field.name] = json;
    this.#annotations.push(`${field.metaKey}["${type}"]`);
  }

  #appendUnknown(json: string, unknown: UnknownFields): string {
    const { names } = this.#plan;
    const added = Object.keys(unknown.json)
      .filter((name) => !names.has(name))
      .map((name) => `${JSON.stringify(name)}:${JSON.stringify(unknown.json[name])}`);
    for (const [path, tree] of Object.entries(unknown.values)) {
      if (!names.has(fieldOf(path))) this.#annotations.push(`${JSON.stringify(path)}:${JSON.stringify(tree)}`);
    }
    return added.length === 0 ? json : `${json.slice(0, -1)}${json === '{}' ? '' : ','}${added.join(',')}}`;
  }
}

/** In JSON whose depth is bounded by its schema or by preflight. */
function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'number') return value === 0 && 1 / value < 0;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasMinusZero);
  return Object.values(value).some(hasMinusZero);
}
