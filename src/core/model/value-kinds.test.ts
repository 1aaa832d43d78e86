import { expect, test } from 'vitest';
import { z } from 'zod';
import { canBeAbsent, listed, presentKinds, unkeyable, untextual, valueKinds } from './value-kinds.ts';

enum Side {
  Left,
  Right,
}

test.each<[string, z.ZodType, readonly string[]]>([
  ['string', z.email(), ['string']],
  [
    'literals',
    z.literal(['a', 1, null, undefined, 1n, true]),
    ['string', 'number', 'null', 'undefined', 'bigint', 'boolean'],
  ],
  ['enum', z.enum(['a', 'b']), ['string']],
  ['numeric enum', z.enum(Side), ['number']],
  ['template', z.templateLiteral(['a', z.number()]), ['string']],
  [
    'optional default',
    z
      .date()
      .default(() => new Date(0))
      .optional(),
    ['undefined', 'date'],
  ],
  ['nonoptional', z.nonoptional(z.string().nullish()), ['null', 'string']],
  ['codec', z.codec(z.string(), z.date(), { decode: (v) => new Date(v), encode: (v) => v.toISOString() }), ['date']],
  ['union', z.union([z.string(), z.array(z.string())]), ['string', 'array']],
  ['intersection', z.intersection(z.string(), z.string()), ['string']],
  ['bytes', z.instanceof(Uint8Array), ['bytes']],
  ['a subclass of bytes', z.instanceof(Buffer), ['bytes']],
  ['Date by its class', z.instanceof(Date), ['date']],
  ['another class', z.instanceof(URL), ['URL']],
  ['custom', z.custom<string>(() => true), ['custom']],
  ['lazy', z.lazy(() => z.bigint().readonly()), ['bigint']],
])('%s', (_, schema, kinds) => {
  expect([...valueKinds(schema)]).toEqual(kinds);
});

test('says what cannot be in a key, and what can be missing', () => {
  expect(unkeyable(valueKinds(z.union([z.string().nullish(), z.map(z.string(), z.string())])))).toEqual(['map']);
  expect(unkeyable(valueKinds(z.json()))).toEqual(['array', 'record']);
  expect(presentKinds(valueKinds(z.date().nullish()))).toEqual(['date']);
  expect(canBeAbsent(valueKinds(z.string().nullable()))).toBe(true);
  expect(canBeAbsent(valueKinds(z.string()))).toBe(false);
});

test.each<[string, z.ZodType]>([
  ['string', z.string().min(1)],
  ['nullish', z.string().nullish()],
  ['default', z.string().default('x')],
  ['enum', z.enum(['a', 'b'])],
  ['literal', z.literal(['a', null])],
  ['template', z.templateLiteral(['a', z.number()])],
  ['list', z.array(z.string())],
  [
    'list of choices, or nothing',
    z
      .array(z.enum(['a', 'b']))
      .readonly()
      .optional(),
  ],
  ['one or several', z.union([z.string(), z.array(z.string())])],
  ['codec to a text', z.codec(z.number(), z.string(), { decode: String, encode: Number })],
  ['custom', z.custom<`${number}px`>()],
  ['nothing', z.null()],
])('is a text: %s', (_, schema) => {
  expect(untextual(schema)).toEqual([]);
});

test.each<[string, z.ZodType, readonly string[]]>([
  ['number', z.number().optional(), ['number']],
  ['text or number', z.union([z.string(), z.number()]), ['number']],
  ['numeric enum', z.enum(Side), ['number']],
  ['list of numbers', z.array(z.number()), ['array']],
  ['list with gaps', z.array(z.string().nullable()), ['array']],
  ['list of lists', z.array(z.array(z.string())), ['array']],
  ['two lists', z.union([z.array(z.string()), z.array(z.date())]).nullable(), ['array']],
  ['codec from a text', z.codec(z.string(), z.date(), { decode: (v) => new Date(v), encode: String }), ['date']],
  ['set', z.set(z.string()), ['set']],
  ['tuple', z.tuple([z.string()]), ['tuple']],
  ['anything', z.any(), ['any']],
])('is no text: %s', (_, schema, kinds) => {
  expect(untextual(schema)).toEqual(kinds);
});

test('lists kinds as they read in a sentence', () => {
  expect(listed(['array', 'object', 'map'])).toBe('arrays, objects, and maps');
  expect(listed(['record', 'object'])).toBe('objects');
  expect(listed([])).toBe('nothing');
});
