import { refuse } from './failures.ts';
import { isJsonObject } from './json.ts';
import type { Plan } from './plan.ts';

/** Whether a record of this schema has to be changed before this program reads it. */
export function hasUpcast(plan: Plan, from: number): boolean {
  return (
    from < plan.schema && Object.keys(plan.upcast).some((step) => Number(step) >= from && Number(step) < plan.schema)
  );
}

/** Takes fields step by step from an older schema to this program's. */
export function upcastFields(plan: Plan, from: number, fields: Record<string, unknown>): Record<string, unknown> {
  let current = fields;
  const steps = Object.keys(plan.upcast)
    .map(Number)
    .filter((step) => step >= from && step < plan.schema);
  for (const step of steps.sort((a, b) => a - b)) {
    const name = `upcast ${step} of the schema`;
    let next: unknown;
    try {
      next = plan.upcast[step]?.(current);
    } catch (cause) {
      refuse([], `${name} threw`, { cause });
    }
    if (!isJsonObject(next)) refuse([], `${name} returned no fields`);
    current = next;
  }
  return current;
}
