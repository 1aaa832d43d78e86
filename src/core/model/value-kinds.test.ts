import { expect, test } from 'vitest';
import { z } from 'zod';
import { canBeAbsent, listed, presentKinds, unkeyable, valueKinds } from './value-kinds.ts';

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

test('lists kinds as they read in a sentence', () => {
  expect(listed(['array', 'object', 'map'])).toBe('arrays, objects, and maps');
  expect(listed(['record', 'object'])).toBe('objects');
  expect(listed([])).toBe('nothing');
});
