import { expect, test } from 'vitest';
import { z } from 'zod';
import { classDefaults, hasDefault, schemaDefaults } from './defaults.ts';

const twice = z.codec(z.string(), z.number(), { decode: (text) => Number(text) * 2, encode: (n) => String(n / 2) });

test.each<[string, z.ZodType, unknown]>([
  ['default', z.string().default('x'), 'x'],
  ['default made by a function', z.string().default(() => 'x'), 'x'],
  ['prefault, as it is parsed', z.string().trim().prefault(' x '), 'x'],
  ['prefault of a codec', twice.prefault('4'), 8],
  ['default of a codec', twice.default(4), 4],
  ['default in a nullable', z.string().default('x').nullable(), 'x'],
  ['default in a read-only', z.string().default('x').readonly(), 'x'],
  ['default in a union', z.union([z.string().default('x'), z.number()]), 'x'],
  ['default in a lazy', z.lazy(() => z.string().default('x')), 'x'],
  [
    'default on the stored side of a codec',
    z.codec(z.string().default('x'), z.string(), { decode: (v) => v, encode: (v) => v }),
    'x',
  ],
])('finds a schema default: %s', (_, schema, value) => {
  expect(schemaDefaults([{ name: 'field', schema }]).get('field')?.()).toBe(value);
});

test.each<[string, z.ZodType]>([
  ['string', z.string()],
  ['optional', z.string().optional()],
  ['a default inside an object', z.object({ a: z.string().default('x') })],
  ['a default inside an array', z.array(z.string().default('x'))],
  ['a schema of itself', z.lazy((): z.ZodType => recursive)],
])('finds none: %s', (_, schema) => {
  expect(hasDefault(schema)).toBe(false);
});
const recursive: z.ZodType = z.lazy(() => z.union([recursive, z.string()]));

test('no two entities share a schema default, or what is inside', () => {
  const value = { list: [{ a: 1 }], at: new Date(0), map: new Map([['k', [1]]]), set: new Set(['x']), nothing: null };
  const make = schemaDefaults([{ name: 'field', schema: z.any().default(value) }]).get('field');
  const one = make?.() as typeof value;
  expect(one).toEqual(value);
  for (const key of ['list', 'at', 'map', 'set'] as const) expect(one[key]).not.toBe(value[key]);
  expect(one.list[0]).not.toBe(value.list[0]);
  expect(one.map.get('k')).not.toBe(value.map.get('k'));
});

test('initialisers are class defaults, unless they give nothing', () => {
  class Product {
    stock = 0;
    note = undefined;
    other = 'not stored';
    get computed(): number {
      return 1;
    }
  }
  const fields = ['stock', 'note', 'computed', 'absent'].map((name) => ({ name, schema: z.any() }));
  expect([...classDefaults(fields, () => new Product()).keys()]).toEqual(['stock']);
});
