import type { Annotation } from './annotations.ts';
import { refuse } from './failures.ts';
import { type JsonObject, setOwn } from './json.ts';
import { MAX_BIGINT_DIGITS, MAX_DEPTH, MAX_NODES } from './limits.ts';
import { instantOf } from './spelled.ts';
import { FLOAT_WORDS, TYPED_ARRAYS } from './typed-arrays.ts';

/**
 * Copies the JSON of one field, with what superjson annotated turned back into dates, maps and so on.
 * superjson itself would do it in place, without bounds, and following every path that it is given.
 * Throws a Refusal for annotations that do not fit, and for JSON that is too deep or too large.
 */
export function revive(json: unknown, annotation: Annotation | undefined, field: string): unknown {
  return new Reviver(field).revive(json, annotation, 0);
}

class Reviver {
  readonly #field: string;
  #nodes = 0;

  constructor(field: string) {
    this.#field = field;
  }

  revive(json: unknown, annotation: Annotation | undefined, depth: number): unknown {
    const type = annotation?.type;
    if (type !== undefined && TYPED_ARRAYS.has(type)) return this.#typedArray(json, type);
    const copy = this.#copy(json, annotation?.children, depth);
    return type === undefined ? copy : this.#retype(copy, type);
  }

  #copy(json: unknown, children: Annotation['children'], depth: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) this.#refuse(`holds more than ${MAX_NODES} values`);
    if (typeof json !== 'object' || json === null) {
      if (children !== undefined) this.#refuse('is annotated where it has nothing');
      return json;
    }
    if (depth > MAX_DEPTH) this.#refuse(`is nested deeper than ${MAX_DEPTH} levels`);
    let annotated = 0;
    const child = (value: unknown, key: string): unknown => {
      const annotation = children?.get(key);
      if (annotation !== undefined) annotated += 1;
      return this.revive(value, annotation, depth + 1);
    };
    const copy = Array.isArray(json)
      ? json.map((item: unknown, index) => child(item, children === undefined ? '' : String(index)))
      : copyObject(json as JsonObject, child); // neither null nor an array
    if (annotated !== (children?.size ?? 0)) this.#refuse('is annotated where it has nothing');
    return copy;
  }

  #retype(value: unknown, type: string): unknown {
    switch (type) {
      case 'undefined':
        return undefined;
      case 'Date': {
        const date = new Date(typeof value === 'string' ? (instantOf(value) ?? value) : Number.NaN);
        return Number.isNaN(date.getTime()) ? this.#refuse('holds no date where one is annotated') : date;
      }
      case 'number':
        return FLOAT_WORDS.has(value) ? Number(value) : this.#refuse('holds no number where one is annotated');
      case 'bigint':
        if (typeof value !== 'string' || value.length > MAX_BIGINT_DIGITS + 1 || !/^-?\d+$/.test(value)) {
          return this.#refuse('holds no bigint where one is annotated');
        }
        return BigInt(value);
      case 'URL':
        if (typeof value !== 'string' || !URL.canParse(value))
          return this.#refuse('holds no URL where one is annotated');
        return new URL(value);
      case 'set':
        return Array.isArray(value) ? new Set(value) : this.#refuse('holds no list where a Set is annotated');
      case 'map':
        if (!Array.isArray(value) || !value.every((entry) => Array.isArray(entry) && entry.length === 2)) {
          return this.#refuse('holds no entries where a Map is annotated');
        }
        return new Map(value as [unknown, unknown][]); // pairs, as just checked
      default:
        return this.#refuse('is annotated with an unknown type');
    }
  }

  #typedArray(json: unknown, type: string): unknown {
    const elements: unknown[] = Array.isArray(json)
      ? json
      : this.#refuse('holds no list where a typed array is annotated');
    // superjson by itself writes NaN as null.
    const fits = (element: unknown): boolean =>
      typeof element === 'number' || element === null || FLOAT_WORDS.has(element);
    if (!elements.every(fits)) this.#refuse('holds something else than numbers in a typed array');
    return TYPED_ARRAYS.get(type)?.from(elements.map(Number));
  }

  #refuse(message: string): never {
    return refuse([this.#field], message);
  }
}

function copyObject(json: JsonObject, child: (value: unknown, key: string) => unknown): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(json)) setOwn(copy, key, child(json[key], key));
  return copy;
}
