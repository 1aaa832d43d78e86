import { expect, test } from 'vitest';
import { z } from 'zod';
import { compileModel } from './compile.ts';
import type { EntityDeclaration } from './model.ts';

const declaration: EntityDeclaration = {
  name: 'product',
  instantiate: () => ({}),
  fields: [
    { name: 'sku' },
    { name: 'name', schema: z.string() },
    { name: 'until', schema: z.date().optional(), deadline: true },
    { name: 'version', versioned: true },
  ],
  ids: [{ name: 'sku' }],
  uniques: [],
  indexes: [],
};

test('fills in what a declaration leaves open', () => {
  const { codec: _, instantiate: __, ...model } = compileModel(declaration);
  expect(model).toEqual({
    name: 'product',
    schema: 1,
    ids: [{ name: 'sku' }],
    fields: ['sku', 'name', 'until'],
    schemaDefaults: new Map(),
    versionField: 'version',
    deadlineField: 'until',
    onWrite: 'keep',
    uniques: [],
    indexes: [],
    embeddings: [],
    ring: 32,
    tenantScoped: false,
  });
});

test.each<[string, unknown]>([
  ['a string', 'NORI-1'],
  ['a number', 1],
  ['a bigint', 1n],
  ['a boolean', true],
  ['a date', new Date(0)],
  ['bytes', Uint8Array.of(1)],
])('an id without a schema is stored: %s', (_, sku) => {
  const { codec } = compileModel(declaration);
  const body = JSON.parse(codec.encodeBody({ sku, name: 'Nori' }).replace(/,?$/, '}'));
  const record = { envelope: { schema: 1, born: '', seq: 0, ops: '' }, json: body.json, meta: body.meta, body: '' };
  expect(codec.decode(record, () => 'the record').values).toEqual({ sku, name: 'Nori' });
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['NaN', Number.NaN],
  ['an object', {}],
  ['an array', ['a']],
])('an id without a schema cannot be: %s', (_, sku) => {
  expect(() => compileModel(declaration).codec.encodeBody({ sku, name: 'Nori' })).toThrow('sku');
});

test('mistakes that the decorators saw come first', () => {
  const problems = ['Product.shared is static.'];
  expect(() =>
    compileModel({ ...declaration, ids: [], className: 'Product', problems }),
  ).toThrowErrorMatchingInlineSnapshot(`
    [NorimakiError: The entity product (class Product) has 3 mistakes:
      - Product.shared is static.
      - Product has no id. Put @Id() on a field, or name it in the option id of defineEntity.
      - Product.sku has no schema. Put @Field(schema) on it.]
  `);
});
