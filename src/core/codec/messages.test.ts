import { expect, test } from 'vitest';
import { z } from 'zod';
import { NorimakiError } from '../errors.ts';
import { compileCodec, sealRecord } from './index.ts';

const CANARY = 'canary-7f3a';

const schema = z.object({
  name: z.string().min(3),
  stock: z.number().int().nonnegative(),
  price: z.number().optional(),
  unit: z.enum(['kg', 'g']).optional(),
  mail: z.email().optional(),
  code: z.string().regex(/^\d+$/).startsWith('1').optional(),
  kind: z
    .discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })])
    .optional(),
  either: z.union([z.number(), z.boolean()]).optional(),
  strict: z.strictObject({ a: z.number() }).optional(),
  prices: z.record(z.string().max(3), z.number()).optional(),
  lines: z.array(z.object({ sku: z.string(), size: z.tuple([z.number()]) })).optional(),
  map: z.map(z.string(), z.number()).optional(),
  big: z.bigint().max(5n).optional(),
  at: z.date().max(new Date(0)).optional(),
  own: z
    .string()
    .refine((it) => it.length < 3, 'Has more than three letters')
    .optional(),
  flag: z.stringbool().optional(),
  any: z.any().optional(),
});
const codec = compileCodec({
  entity: 'Product',
  schema: 1,
  fields: Object.entries(schema.shape).map(([name, field]) => ({ name, schema: field })),
});
const good = { name: 'Nori', stock: 1 };

function failure(values: Record<string, unknown>): NorimakiError {
  try {
    codec.encodeBody({ ...good, ...values });
  } catch (error) {
    if (error instanceof NorimakiError) return error;
  }
  throw new Error('it was written');
}

test('a message names the entity, the fields and what is wrong with them', () => {
  expect(failure({ name: 'x', stock: -1 }).message).toMatchInlineSnapshot(
    `"Product is not valid: name: Too small: expected string to have >=3 characters; stock: Too small: expected number to be >=0"`,
  );
  expect(
    failure({
      lines: [
        { sku: 'a', size: [1] },
        { sku: 1, size: ['x'] },
      ],
    }).message,
  ).toMatchInlineSnapshot(
    `"Product is not valid: lines[1].sku: Invalid input: expected string, received number; lines[1].size[0]: Invalid input: expected number, received string"`,
  );
  expect(failure({ prices: { nori: 1, ab: 'x' } }).message).toMatchInlineSnapshot(
    `"Product is not valid: prices.*: Invalid key in record; prices.*: Invalid input: expected number, received string"`,
  );
  expect(failure({ any: { deep: [() => 1] } }).message).toMatchInlineSnapshot(
    `"Product is not valid: any.*: is a function, which cannot be stored"`,
  );
  expect(failure({ lines: Array.from({ length: 200 }, () => ({})) }).message).toMatchInlineSnapshot(
    `"Product is not valid: lines[0].sku: Invalid input: expected string, received undefined; lines[0].size: Invalid input: expected tuple, received undefined; lines[1].sku: Invalid input: expected string, received undefined; lines[1].size: Invalid input: expected tuple, received undefined; lines[2].sku: Invalid input: expected string, received undefined; and 95 or more"`,
  );
});

test('neither message nor issues repeat a value', () => {
  const key = { [CANARY]: CANARY };
  const bad: Record<string, unknown>[] = [
    { name: { CANARY } },
    { stock: CANARY },
    { unit: CANARY },
    { mail: CANARY },
    { code: CANARY },
    { kind: { kind: CANARY } },
    { either: CANARY },
    { strict: { a: 1, ...key } },
    { map: new Map([[{ CANARY }, CANARY]]) },
    { big: 123456789123n },
    { at: CANARY },
    { own: CANARY },
    { flag: CANARY },
    { any: Symbol(CANARY) },
  ];
  for (const values of bad) {
    const error = failure(values);
    expect(error.message + JSON.stringify(error.details)).not.toMatch(/canary|123456789123/);
    expect(error.cause).toBeUndefined();
  }
});

test('a key that is data stands in the path of the issue only', () => {
  for (const values of [{ prices: { [CANARY]: 1 } }, { prices: { [CANARY]: 'x' } }, { any: { [CANARY]: () => 1 } }]) {
    const error = failure(values);
    expect(error.message).not.toContain(CANARY);
    expect(error.details).toMatchObject({ issues: [{ path: expect.arrayContaining([CANARY]) }] });
  }
});

test('a record that does not parse names the record and the field, and not what it holds', () => {
  const describe = (): string => 'Product "NORI-1"';
  const read = (body: string): string => {
    const bytes = sealRecord(body, { schema: 1, born: '', seq: 0, ops: '' });
    try {
      codec.decode(codec.open(bytes, describe), describe);
    } catch (error) {
      if (NorimakiError.is(error, 'record.corrupt')) return error.message + JSON.stringify(error.details.issues);
    }
    throw new Error('it was read');
  };
  expect(read('{"json":{"name":"Nori"}')).toMatchInlineSnapshot(
    `"Product "NORI-1" cannot be read: stock: Invalid input: expected number, received undefined[{"path":["stock"],"message":"Invalid input: expected number, received undefined"}]"`,
  );
  expect(read(`{"json":{"name":"Nori","stock":"${CANARY}"}`)).not.toContain(CANARY);
  expect(
    read(`{"json":{"name":"Nori","stock":1,"at":"${CANARY}"},"meta":{"values":{"at":["Date"]},"v":1}`),
  ).toMatchInlineSnapshot(
    `"Product "NORI-1" cannot be read: at: holds no date where one is annotated[{"path":["at"],"message":"holds no date where one is annotated"}]"`,
  );
  expect(
    read(`{"json":{"name":"Nori","stock":1,"any":"${CANARY}"},"meta":{"values":{"any":["URL"]},"v":1}`),
  ).not.toContain(CANARY);
});
