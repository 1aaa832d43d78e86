import type { $ZodType, input, output } from 'zod/v4/core';

declare const mismatch: unique symbol;

/** Shows in the compiler's message what does not fit. */
interface Mismatch<Reason extends string, Expected, Found> {
  readonly [mismatch]: [Reason, Expected, Found];
}

// zod makes arrays on an ArrayBuffer, while a field typed Uint8Array may be on any buffer.
type OnAnyBuffer<V> = V extends Uint8Array
  ? Uint8Array
  : V extends Float32Array
    ? Float32Array
    : V extends Float64Array
      ? Float64Array
      : V;

/** What a field may hold for a schema: its output, or nothing where the schema fills in a default. */
type Holdable<S extends $ZodType> =
  | output<S>
  | OnAnyBuffer<output<S>>
  | (undefined extends input<S> ? undefined : never);

/** Nothing more to ask of a type, or what the compiler shows. */
export type Fit<Ok, Reason extends string, Expected, Found> = Ok extends true
  ? unknown
  : Mismatch<Reason, Expected, Found>;

type Within<Value, Allowed> = [Value] extends [Allowed] ? true : false;

/** Wider on both ends: every output can be read from the field, and everything the field holds can be written. */
type FitsSchema<Value, S extends $ZodType> = Fit<
  [Within<output<S>, Value>, Within<Value, Holdable<S>>] extends [true, true] ? true : false,
  'the schema makes the first type, the field holds the second',
  output<S>,
  Value
>;

/** For a decorator without a schema: `From` can be put into the field, and the field holds nothing but `Allowed`. */
export type FitsRange<Value, From, Allowed> = Fit<
  [Within<From, Value>, Within<Value, Allowed>] extends [true, true] ? true : false,
  'the decorator is for fields of the first type, the field holds the second',
  Allowed,
  Value
>;

/** The context of a field that a repository can read. */
export type PlainField = { readonly static: false; readonly private: false };

/** A decorator of a field whose type is the output of the schema. */
export interface FieldDecorator<S extends $ZodType> {
  /** Standard decorators. */
  <This, Value>(
    target: undefined,
    context: ClassFieldDecoratorContext<This, Value> & PlainField & FitsSchema<Value, S>,
  ): void;
  /** Legacy decorators. A method or an accessor would come with a descriptor. */
  <This extends object, K extends keyof This & string>(
    target: This,
    key: K & FitsSchema<This[K], S>,
    descriptor?: undefined,
  ): void;
}

/** A decorator of a field that can hold `From`, and nothing but `Allowed`. */
export interface RangeDecorator<From, Allowed> {
  /** Standard decorators. */
  <This, Value>(
    target: undefined,
    context: ClassFieldDecoratorContext<This, Value> & PlainField & FitsRange<Value, From, Allowed>,
  ): void;
  /** Legacy decorators. A method or an accessor would come with a descriptor. */
  <This extends object, K extends keyof This & string>(
    target: This,
    key: K & FitsRange<This[K], From, Allowed>,
    descriptor?: undefined,
  ): void;
}
