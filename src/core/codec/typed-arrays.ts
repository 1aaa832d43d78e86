/** The typed arrays that superjson brings back, by the name that it writes. */
export const TYPED_ARRAYS: ReadonlyMap<string, { readonly prototype: object; from(values: number[]): object }> =
  new Map(
    [
      Int8Array,
      Uint8Array,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      Uint8ClampedArray,
    ].map((type) => [type.name, type]),
  );

/** Numbers that JSON has no notation for, as superjson writes them. Typed arrays turn them back by themselves. */
export const FLOAT_WORDS: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity', '-0']);

/** Whether JSON would write the number as something else. */
export function isAwkward(value: number): boolean {
  return !Number.isFinite(value) || (value === 0 && 1 / value < 0);
}

/** The word for an awkward number. */
export function wordOf(value: number): string {
  return value === 0 ? '-0' : String(value);
}

/** A replacer for the only awkward numbers that superjson leaves: those in typed arrays. */
export function spellOut(_key: string, value: unknown): unknown {
  return typeof value === 'number' && isAwkward(value) ? wordOf(value) : value;
}
