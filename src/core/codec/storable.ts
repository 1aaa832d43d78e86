import { RESERVED_KEYS } from './annotations.ts';
import { refuse } from './failures.ts';
import { MAX_BIGINT_DIGITS, MAX_DEPTH, MAX_NODES } from './limits.ts';
import { isAwkward, TYPED_ARRAYS } from './typed-arrays.ts';

/** What was seen in a value that superjson can carry. */
export interface Inspection {
  /** JSON writes it as it is, and reads it as it was. */
  readonly isJson: boolean;
  /** A typed array holds numbers that JSON cannot write. */
  readonly hasAwkwardFloats: boolean;
}

/**
 * Checks that superjson carries a value there and back. It would throw on some keys, overflow on deep values, and
 * quietly flatten instances of classes. Throws a Refusal.
 */
export function inspect(value: unknown, field: string): Inspection {
  const inspector = new Inspector(field);
  inspector.visit(value, 0);
  return inspector;
}

const BIGINT_LIMIT = 10n ** BigInt(MAX_BIGINT_DIGITS);

class Inspector implements Inspection {
  isJson = true;
  hasAwkwardFloats = false;
  readonly #path: PropertyKey[];
  readonly #ancestors: object[] = [];
  #nodes = 0;

  constructor(field: string) {
    this.#path = [field];
  }

  visit(value: unknown, depth: number): void {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) this.#refuse(`holds more than ${MAX_NODES} values`);
    if (typeof value === 'function' || typeof value === 'symbol') {
      this.#refuse(`is a ${typeof value}, which cannot be stored`);
    }
    if (typeof value === 'bigint' && (value <= -BIGINT_LIMIT || value >= BIGINT_LIMIT)) {
      this.#refuse(`is a bigint of more than ${MAX_BIGINT_DIGITS} digits`);
    }
    if (typeof value === 'object' && value !== null) this.#visitObject(value, depth);
    else if (value === undefined || typeof value === 'bigint' || (typeof value === 'number' && isAwkward(value))) {
      this.isJson = false;
    }
  }

  #visitObject(value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    this.isJson &&= prototype === Object.prototype || prototype === Array.prototype || prototype === null;
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) this.#refuse('is an invalid date');
      return;
    }
    if (prototype === URL.prototype) return;
    if (ArrayBuffer.isView(value)) {
      this.#visitView(value, prototype);
      return;
    }
    if (this.#ancestors.includes(value)) this.#refuse('contains itself');
    if (depth > MAX_DEPTH) this.#refuse(`is nested deeper than ${MAX_DEPTH} levels`);
    this.#ancestors.push(value);
    if (prototype === Array.prototype)
      this.#visitArray(value as unknown[], depth); // an array, by its prototype
    else if (prototype === Map.prototype)
      this.#visitMap(value as Map<unknown, unknown>, depth); // likewise
    else if (prototype === Set.prototype)
      this.#visitItems([...(value as Set<unknown>)], depth); // likewise
    else if (prototype === Object.prototype || prototype === null) this.#visitPlain(value, depth);
    else
      this.#refuse(
        'is an instance of a class, which would come back as a plain object; store plain data or use z.codec()',
      );
    this.#ancestors.pop();
  }

  #visitView(value: ArrayBufferView, prototype: unknown): void {
    const type = TYPED_ARRAYS.get(value.constructor.name);
    if (type === undefined || type.prototype !== prototype) {
      this.#refuse(
        'is a kind of typed array that cannot be stored; use a Uint8Array or another of JavaScript’s number arrays',
      );
    }
    // Only floats can be awkward; of a typed array that superjson knows, every element is a number.
    if (!(value instanceof Float32Array || value instanceof Float64Array)) return;
    this.hasAwkwardFloats ||= value.some(isAwkward);
  }

  #visitArray(value: readonly unknown[], depth: number): void {
    if (Object.keys(value).length !== value.length)
      this.#refuse('is an array with holes or with properties of its own');
    this.#visitItems(value, depth);
  }

  #visitItems(items: readonly unknown[], depth: number): void {
    for (let index = 0; index < items.length; index += 1) this.#visitAt(index, items[index], depth + 1);
  }

  #visitMap(value: ReadonlyMap<unknown, unknown>, depth: number): void {
    let index = 0;
    for (const [key, item] of value) {
      this.#nodes += 1;
      this.#visitAt(index, key, depth + 2);
      this.#visitAt(index, item, depth + 2);
      index += 1;
    }
  }

  #visitPlain(value: object, depth: number): void {
    if (Object.getOwnPropertySymbols(value).length > 0) this.#refuse('has a key that is a symbol');
    for (const [key, item] of Object.entries(value)) {
      if (RESERVED_KEYS.has(key)) this.#refuse(`has a key named ${key}, which superjson refuses`);
      this.#visitAt(key, item, depth + 1);
    }
  }

  #visitAt(key: PropertyKey, value: unknown, depth: number): void {
    this.#path.push(key);
    this.visit(value, depth);
    this.#path.pop();
  }

  #refuse(message: string): never {
    return refuse(this.#path, message);
  }
}
