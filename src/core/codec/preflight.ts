import { refuse } from './failures.ts';
import { MAX_DEPTH, MAX_NODES } from './limits.ts';

/**
 * Looks at a value before zod does: a recursive schema would follow it as deep as it goes, and records leave out the
 * key `__proto__` without a word, also where a codec makes them from a Map. Throws a Refusal.
 */
export function preflight(value: unknown, field: string): void {
  new Preflight(field).visit(value, 0);
}

class Preflight {
  readonly #path: PropertyKey[];
  #nodes = 0;

  constructor(field: string) {
    this.#path = [field];
  }

  visit(value: unknown, depth: number): void {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) refuse(this.#path, `holds more than ${MAX_NODES} values`);
    if (typeof value !== 'object' || value === null) return;
    const entries = entriesOf(value);
    if (entries === undefined) return;
    if (depth > MAX_DEPTH) refuse(this.#path, `is nested deeper than ${MAX_DEPTH} levels`);
    for (const [key, item] of entries) {
      if (key === '__proto__') refuse(this.#path, 'has a key named __proto__, which zod leaves out');
      this.#path.push(typeof key === 'string' || typeof key === 'number' ? key : '*');
      this.visit(item, depth + 1);
      this.#path.pop();
    }
  }
}

function entriesOf(value: object): Iterable<[unknown, unknown]> | undefined {
  if (Array.isArray(value) || value instanceof Map) return value.entries();
  if (value instanceof Set) return [...value].entries();
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.entries(value) : undefined;
}
