import { anyValue } from '../shared/any-value.ts';
import { isFreezable, type Plain } from './freeze.ts';

/** How values are written into entries. */
export interface ValueCodec<T> {
  /** Callers are handed one frozen object, where that is enough to keep it as it is; else a copy each. */
  readonly mayFreeze: boolean;
  /** Errors: `validation.failed`. */
  encode(value: T): string;
  /** A value of its own, at each call. Errors: `record.corrupt`. */
  decode(text: string): T;
}

/** Any value that superjson carries. */
export function anyValueCodec<T>(cache: string, mayFreeze: boolean): ValueCodec<T> {
  const values = anyValue(cache);
  const describe = (): string => `A value of the cache '${cache}'`;
  return {
    mayFreeze,
    encode: (value) => values.textOf(value),
    // Whoever shares the name of a cache shares the type of its values.
    decode: (text) => values.valueOf(text, describe) as T,
  };
}

/** A value as it is handed out, again and again. */
export interface Servable<T> {
  /** Safe from whoever gets it: the same frozen object for all, or a copy. */
  take(): T;
  /** What `take` returns each time, where it is the same each time. */
  readonly shared: { readonly value: T } | undefined;
  /** Roughly, in memory. */
  readonly bytes: number;
}

const NOTHING: Servable<undefined> = { take: () => undefined, shared: { value: undefined }, bytes: 0 };

/** `text` is `undefined` where there is no value. Errors: `record.corrupt`. */
export function servable<T>(codec: ValueCodec<T>, text: string | undefined): Servable<T | undefined> {
  if (text === undefined) return NOTHING;
  let first: { readonly value: T } | undefined = { value: codec.decode(text) };
  // A flat string: a slice of a larger one would keep all of it.
  const bytes = Buffer.byteLength(text);
  if (codec.mayFreeze && isFreezable(first.value)) {
    const shared = { value: freeze(first.value) };
    return { take: () => shared.value, shared, bytes };
  }
  return {
    take: () => {
      const { value } = first ?? { value: codec.decode(text) };
      first = undefined;
      return value;
    },
    shared: undefined,
    bytes,
  };
}

function freeze<T extends Plain>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part as Plain); // isFreezable has looked at all of it
    Object.freeze(value);
  }
  return value;
}
