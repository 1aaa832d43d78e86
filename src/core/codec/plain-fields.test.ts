import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { plainReader } from './plain-fields.ts';

const plainChar = fc.constantFrom(...'abc ,:{}[]/-"\\\n\u007f\u2028é海😀');
const text = fc.oneof(fc.string({ unit: plainChar }), fc.string(), fc.constantFrom('null', 'true', '1', '","', '":'));
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));

type Kind = readonly [schema: z.ZodType, values: fc.Arbitrary<unknown>];

const leaves: readonly Kind[] = [
  [z.string().min(1), text],
  [z.number().int(), number],
  [z.boolean(), fc.boolean()],
  [z.enum(['a', 'b']), fc.constantFrom('a', 'b')],
  [z.literal(['x', 'y']), fc.constantFrom('x', 'y')],
  [z.date(), fc.date({ noInvalidDate: true }).map((date) => date.toISOString())],
  [z.array(z.string()), fc.array(text, { maxLength: 4 })],
  [z.array(z.number()), fc.array(number, { maxLength: 4 })],
  [z.codec(z.string(), z.bigint(), { decode: BigInt, encode: String }), text],
];

/** Of values, `undefined` stands for an absent key. */
function wrapped(kind: fc.Arbitrary<Kind>): fc.Arbitrary<Kind> {
  return fc.oneof(
    kind,
    kind.map(([schema, values]): Kind => [schema.nullable(), fc.option(values)]),
    kind.map(([schema, values]): Kind => [schema.optional(), fc.option(values, { nil: undefined })]),
    kind.map(([schema, values]): Kind => [schema.nullish(), fc.option(fc.option(values), { nil: undefined })]),
    kind.map(([schema, values]): Kind => [schema.readonly(), values]),
  );
}

/** An object of some fields. */
function objectOf(kind: fc.Arbitrary<Kind>): fc.Arbitrary<readonly [Record<string, z.ZodType>, fc.Arbitrary<object>]> {
  const name = fc.oneof(fc.constantFrom('a', 'b.c', '$', 'ключ', '7', 'a"b', '(x)'), fc.string({ maxLength: 3 }));
  return fc
    .uniqueArray(fc.tuple(name, kind), { selector: ([key]) => key, minLength: 1, maxLength: 5 })
    .map((fields) => fields.filter(([key]) => key !== '__proto__'))
    .map((fields) => [
      Object.fromEntries(fields.map(([key, [schema]]) => [key, schema])),
      fc
        .tuple(...fields.map(([key, [, values]]) => values.map((value) => [key, value] as const)))
        .map(Object.fromEntries),
    ]);
}

const scalar = wrapped(fc.constantFrom(...leaves));
const nested = objectOf(scalar).map(([shape, values]): Kind => [z.object(shape), values]);
const fields = objectOf(fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 1, arbitrary: wrapped(nested) }));

/** Fields, the JSON of some values of theirs, and what else may stand there. */
const texts = fields.chain(([shape, values]) => {
  const json = values.map((value) => JSON.stringify(value));
  const damage = fc.constantFrom(
    '',
    '"',
    '\\',
    ',',
    '{',
    '}',
    '[',
    ']',
    ':',
    'null',
    '0',
    '-',
    '.',
    'e',
    ' ',
    '\n',
    '\u0000',
  );
  const damaged = fc.tuple(json, fc.nat(), fc.nat({ max: 3 }), damage).map(([whole, at, cut, other]) => {
    const place = at % (whole.length + 1);
    return whole.slice(0, place) + other + whole.slice(place + cut);
  });
  return fc.tuple(
    fc.constant(shape),
    fc.oneof(
      json,
      damaged,
      json.map((whole) => `${whole} `),
    ),
  );
});

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

describe('a plain reader', () => {
  test('reads nothing else than JSON.parse does, and no text that is not JSON', () => {
    let read = 0;
    fc.assert(
      fc.property(texts, ([shape, json]) => {
        const value = plainReader(shape)?.(json);
        if (value === undefined) return;
        read += 1;
        expect(value).toStrictEqual(parsed(json));
        expect(JSON.stringify(value)).toBe(JSON.stringify(parsed(json)));
      }),
      { numRuns: 600 },
    );
    expect(read).toBeGreaterThan(60);
  });

  test('reads no comma before the first field that is there', () => {
    const read = plainReader({ a: z.string().optional(), b: z.boolean().optional(), c: z.number() });
    expect(read?.('{"c":1}')).toEqual({ c: 1 });
    for (const json of ['{,"c":1}', '{,"b":true,"c":1}', '{,}', '{"b":true"c":1}'])
      expect(read?.(json), json).toBe(undefined);
  });

  test('reads whatever is written in order and without an escape', () => {
    fc.assert(
      fc.property(
        fields.chain(([shape, values]) =>
          fc.tuple(
            fc.constant(shape),
            values.map((value) => JSON.stringify(value)),
          ),
        ),
        ([shape, json]) => {
          fc.pre(!json.includes('\\') && !Object.keys(shape).some((key) => JSON.stringify(key).includes('\\')));
          expect(plainReader(shape)?.(json)).toStrictEqual(JSON.parse(json));
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    ['any', { a: z.any() }],
    ['a record', { a: z.record(z.string(), z.string()) }],
    ['a union', { a: z.union([z.string(), z.number()]) }],
    ['a list of lists', { a: z.array(z.array(z.string())) }],
    ['an enum of numbers', { a: z.enum({ one: 1 }) }],
    ['a literal null', { a: z.literal([null, 'x']) }],
    ['something unreadable inside an object', { a: z.object({ b: z.map(z.string(), z.string()) }) }],
    ['a key that would be a prototype', { ['__proto__']: z.string() }],
  ])('is not made for %s', (_name, shape) => {
    expect(plainReader(shape)).toBeUndefined();
  });

  test('is not made for an object that holds itself', () => {
    const Node = z.object({
      name: z.string(),
      get next() {
        return Node.nullable();
      },
    });
    expect(plainReader({ node: Node })).toBeUndefined();
  });

  test('is not made for more than fits a regular expression', () => {
    let wide: z.ZodType = z.string();
    for (let level = 0; level < 4; level += 1) {
      wide = z.object(Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, wide])));
    }
    expect(plainReader({ wide })).toBeUndefined();
  });

  test('leaves long texts alone, whose strings would keep them in memory', () => {
    const read = plainReader({ a: z.string() });
    const json = (length: number): string => JSON.stringify({ a: 'x'.repeat(length - '{"a":""}'.length) });
    expect(read?.(json(4096))).toStrictEqual(JSON.parse(json(4096)));
    expect(read?.(json(4097))).toBeUndefined();
  });

  test('gives up on a text made to be slow in time that grows with its length', () => {
    const shape = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}`, z.array(z.string()).optional()]));
    const fit = Object.fromEntries(Object.keys(shape).map((name) => [name, Array(20).fill('')]));
    const read = plainReader(shape);
    expect(read?.(JSON.stringify(fit))).toStrictEqual(fit);
    expect(read?.(JSON.stringify(fit).replace(/.$/, ']'))).toBeUndefined();
  });
});
