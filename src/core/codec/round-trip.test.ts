import { createRequire } from 'node:module';
import fc from 'fast-check';
import superjson from 'superjson';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { $ZodType } from 'zod/v4/core';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { compileCodec, type Envelope, openRecord, sealRecord } from './index.ts';

const envelope: Envelope = { schema: 1, born: 'AAAAAAAAAAAAAAAA', seq: 1, ops: 'AAAAAAAAAAAAAAAA' };
const name = (): string => 'Thing 1';

function codecOf(shape: Record<string, $ZodType>) {
  const codec = compileCodec({
    entity: 'Thing',
    schema: 1,
    fields: Object.entries(shape).map(([field, schema]) => ({ name: field, schema })),
  });
  return {
    encode: (values: Record<string, unknown>) => codec.encodeBody(values),
    decode: (body: string) => codec.decode(codec.open(sealRecord(body, envelope), name), name),
  };
}

function roundTrip(schema: $ZodType, value: unknown): unknown {
  const codec = codecOf({ it: schema });
  return codec.decode(codec.encode({ it: value })).values.it;
}

function parsed(body: string): unknown {
  return superjson.parse(`${body}}`);
}

const reserved = new Set(['__proto__', 'constructor', 'prototype']);
const key = fc.string({ unit: anyCharacter }).filter((it) => !reserved.has(it));
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Number.NaN, Infinity, -Infinity, 5e-324));
const date = fc.date({ noInvalidDate: true, min: new Date(-8.64e15), max: new Date(8.64e15) });
const url = fc.webUrl().map((it) => new URL(it));
const text = fc.string({ unit: anyCharacter });
const floats = fc.array(number).map((it) => Float64Array.from(it));
const float32 = fc.float32Array();
const bytes = fc.uint8Array();
const clamped = fc.uint8ClampedArray();
const json = fc.jsonValue({ noUnicodeString: false }).filter((it) => !hasKey(it, '__proto__'));

function hasKey(value: unknown, wanted: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([at, item]) => at === wanted || hasKey(item, wanted));
}

/** Everything that superjson carries, nested. */
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.constant(undefined), fc.bigInt(), date, url),
    fc.oneof(floats, float32, bytes, clamped, fc.int16Array(), fc.uint32Array()),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((it) => new Map(it)),
    fc.array(tie('value'), { maxLength: 3 }).map((it) => new Set(it)),
  ),
})).value;

const runs = { numRuns: 300 };

describe('what is read is what was written', () => {
  const cases: [string, $ZodType, fc.Arbitrary<unknown>][] = [
    ['string', z.string(), text],
    ['number', z.number(), number.filter(Number.isFinite)],
    ['nan', z.nan(), fc.constant(Number.NaN)],
    ['boolean', z.boolean(), fc.boolean()],
    ['null', z.null(), fc.constant(null)],
    ['undefined', z.undefined(), fc.constant(undefined)],
    ['enum', z.enum(['a', 'b']), fc.constantFrom('a', 'b')],
    ['literal', z.literal(['a', 0, true, null]), fc.constantFrom('a', 0, -0, true, null)],
    ['literal bigint', z.literal([1n, undefined]), fc.constantFrom(1n, undefined)],
    ['bigint', z.bigint(), fc.bigInt()],
    ['date', z.date(), date],
    ['optional date', z.date().optional(), fc.option(date, { nil: undefined })],
    ['nullable date', z.date().nullable(), fc.option(date, { nil: null })],
    ['default date', z.date().default(new Date(0)), date],
    ['dates', z.array(z.date()), fc.array(date)],
    ['url', z.instanceof(URL), url],
    ['numbers', z.array(z.number()), fc.array(number.filter(Number.isFinite))],
    ['optional items', z.array(z.string().optional()), fc.array(fc.option(text, { nil: undefined }))],
    ['tuple', z.tuple([z.string(), z.number()], z.boolean()), fc.tuple(text, fc.integer(), fc.boolean())],
    [
      'optional tuple',
      z.tuple([z.string(), z.number().optional()]),
      fc.tuple(text, fc.option(fc.integer(), { nil: undefined })),
    ],
    [
      'record',
      z.record(z.string(), z.number()),
      fc.dictionary(
        text.filter((it) => it !== '__proto__'),
        number.filter((it) => Number.isFinite(it) && !Object.is(it, -0)),
        { noNullPrototype: true },
      ),
    ],
    ['union', z.union([z.string(), z.number(), z.date()]), fc.oneof(text, fc.integer(), date)],
    ['json', z.json(), json.filter((it) => !hasMinusZero(it))],
    ['map', z.map(z.string(), z.date()), fc.array(fc.tuple(text, date)).map((it) => new Map(it))],
    ['set', z.set(z.bigint()), fc.array(fc.bigInt()).map((it) => new Set(it))],
    ['bytes', z.instanceof(Uint8Array), bytes],
    ['stringbool', z.stringbool(), fc.boolean()],
    ['trimmed', z.string().trim(), text.map((it) => it.trim())],
    [
      'intersection',
      z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() })),
      fc.record({ a: text, b: fc.integer() }, { noNullPrototype: true }),
    ],
    ['any', z.any(), anything],
    ['unknown', z.unknown(), anything],
  ];

  function hasMinusZero(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return Object.is(value, -0);
    return Object.values(value).some(hasMinusZero);
  }

  test.each(cases)('%s', (_name, schema, values) => {
    fc.assert(
      fc.property(values, (value) => {
        expect(roundTrip(schema, value)).toStrictEqual(value);
      }),
      runs,
    );
  });
});

describe('superjson', () => {
  test('reads the fields of a record, whatever they are', () => {
    const codec = codecOf({ 'a.b\\c': z.any(), at: z.date(), list: z.array(z.number()) });
    const values = fc.record(
      { 'a.b\\c': anything.filter((it) => it !== undefined), at: date, list: fc.array(number.filter(Number.isFinite)) },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(values, (it) => {
        expect(parsed(codec.encode(it))).toStrictEqual(it);
      }),
      runs,
    );
  });

  test('writes records that can be read', () => {
    const codec = codecOf({ it: z.any() });
    fc.assert(
      fc.property(
        anything.filter((it) => it !== undefined),
        (it) => {
          const body = superjson.stringify({ it }).slice(0, -1);
          const { json, meta } = superjson.serialize({ it });
          // To superjson, equal NaNs are one object; putting them in place changes the order of a Map.
          const plain = JSON.stringify({ json, meta: { values: meta?.values, v: 1 } });
          expect(codec.decode(body).values).toStrictEqual(superjson.parse(plain));
        },
      ),
      runs,
    );
  });

  test('writes plain fields and dates as the fast path does, letter by letter', () => {
    const schema = z.object({ s: z.string(), n: z.array(z.number()), d: z.date().nullable(), e: z.date() });
    const codec = codecOf(schema.shape);
    const values = fc.record(
      { s: text, n: fc.array(number.filter(Number.isFinite)), d: fc.option(date), e: date },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(values, (it) => {
        expect(`${codec.encode(it)}}`).toBe(superjson.stringify(it));
      }),
      runs,
    );
  });

  test('of an older version, which did not escape backslashes, is understood', () => {
    const body = '{"json":{"a\\\\b":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"a\\\\b":["Date"]}}';
    expect(codecOf({ 'a\\b': z.date() }).decode(body).values).toStrictEqual({ 'a\\b': new Date(0) });
  });

  test('of an older version kept each backslash of a path', () => {
    const field = 'a\\\\b';
    const body = JSON.stringify({ json: { [field]: '1' }, meta: { values: { [field]: ['bigint'] } } }).slice(0, -1);
    expect(codecOf({ [field]: z.bigint() }).decode(body).values).toStrictEqual({ [field]: 1n });
  });

  test('noting shared objects is read as their copies', () => {
    const shared = { at: new Date(0) };
    const body = superjson.stringify({ it: [shared, shared] }).slice(0, -1);
    expect(body).toContain('referentialEqualities');
    expect(codecOf({ it: z.any() }).decode(body).values.it).toStrictEqual([shared, shared]);
  });
});

describe('equal values give equal text', () => {
  test('whatever the order of the fields and whichever objects are one', () => {
    const codec = codecOf({ a: z.any(), b: z.any(), c: z.date().optional() });
    const shared = { n: 1n };
    const one = codec.encode({ a: [shared, shared], b: 1, c: undefined });
    const other = codec.encode({ b: 1, a: [{ n: 1n }, { n: 1n }] });
    expect(one).toBe(other);
  });

  test('in the order of the model, also of optional fields and of those that zod encodes by themselves', () => {
    const codec = codecOf({
      a: z.string().optional(),
      b: z.stringbool(),
      c: z.string(),
      d: z.date().optional(),
      e: z.any(),
    });
    const it = { e: 1, d: new Date(0), c: 'c', b: true, a: 'a' };
    expect(codec.encode(it)).toMatchInlineSnapshot(
      `"{"json":{"a":"a","b":"true","c":"c","d":"1970-01-01T00:00:00.000Z","e":1},"meta":{"values":{"d":["Date"]},"v":1}"`,
    );
    expect(codec.encode({ e: 1, c: 'c', b: true })).toMatchInlineSnapshot(`"{"json":{"b":"true","c":"c","e":1}"`);
  });

  test('after another round trip', () => {
    const codec = codecOf({ it: z.any(), s: z.string().optional() });
    fc.assert(
      fc.property(anything, fc.option(text, { nil: undefined }), (it, s) => {
        const body = codec.encode({ it, s });
        expect(codec.encode(codec.decode(body).values)).toBe(body);
      }),
      runs,
    );
  });
});

test('a key whose optional value is undefined comes back as absent', () => {
  const schema = z.object({ a: z.string().optional(), b: z.number() });
  expect(roundTrip(schema, { a: undefined, b: 1 })).toStrictEqual({ b: 1 });
});

test('undefined comes back as itself where it is not the same as absence', () => {
  const schema = z.object({ a: z.union([z.string(), z.undefined()]) });
  expect(roundTrip(schema, { a: undefined })).toStrictEqual({ a: undefined });
  const both = z.object({ a: z.intersection(z.string().optional(), z.string().optional()) });
  expect(roundTrip(both, { a: undefined })).toStrictEqual({ a: undefined });
});

test('-0 survives anywhere', () => {
  expect(roundTrip(z.object({ a: z.record(z.string(), z.array(z.number())) }), { a: { b: [1, -0] } })).toStrictEqual({
    a: { b: [1, -0] },
  });
  expect(roundTrip(z.enum({ a: 0 }), -0)).toBe(-0);
  expect(roundTrip(z.array(z.literal(0)), [-0])).toStrictEqual([-0]);
  expect(roundTrip(z.array(z.enum({ a: 0 })), [-0])).toStrictEqual([-0]);
});

test('keys that superjson refuses are plain data where the schema says that a field is JSON', () => {
  const prices = { constructor: 1, prototype: 2, toString: 3 };
  expect(roundTrip(z.record(z.string(), z.number()), prices)).toStrictEqual(prices);
  expect(roundTrip(z.json(), { a: [prices] })).toStrictEqual({ a: [prices] });
});

test('a field with a codec is stored as the codec encodes it', () => {
  const epoch = z.codec(z.number(), z.date(), { decode: (n) => new Date(n), encode: (d) => d.getTime() });
  const codec = codecOf({ at: epoch, plain: z.string() });
  const body = codec.encode({ at: new Date(5), plain: 'x' });
  expect(body).toBe('{"json":{"at":5,"plain":"x"}');
  expect(codec.decode(body).values).toStrictEqual({ at: new Date(5), plain: 'x' });
});

test('schemas of another copy of zod work', () => {
  const other = createRequire(import.meta.url)('zod') as typeof z;
  expect(other.ZodString).not.toBe(z.ZodString);
  const schema = other.object({ a: other.array(other.date()).optional(), b: other.stringbool(), c: z.bigint() });
  const value = { a: [new Date(0)], b: true, c: 5n };
  expect(roundTrip(schema, value)).toStrictEqual(value);
  schema._zod.version = { major: 4, minor: 0, patch: 0 } as unknown as typeof schema._zod.version;
  expect(roundTrip(schema, value)).toStrictEqual(value);
});

test('a date made under fake timers is a date', () => {
  class FakeDate extends Date {}
  expect(roundTrip(z.any(), [new FakeDate(5)])).toStrictEqual([new Date(5)]);
});

test('what is read shares nothing with the record, which can be decoded again', () => {
  const codec = compileCodec({ entity: 'Thing', schema: 1, fields: [{ name: 'it', schema: z.any() }] });
  const record = openRecord(sealRecord(codec.encodeBody({ it: { list: [1] } }), envelope), name, 'Thing');
  const first = codec.decode(record, name).values.it as { list: number[] };
  first.list.push(2);
  expect(codec.decode(record, name).values.it).toStrictEqual({ list: [1] });
});
