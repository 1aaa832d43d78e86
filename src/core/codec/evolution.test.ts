import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Upcast } from '../model/model.ts';
import { type CodecOptions, compileCodec, type OpenedRecord, openRecord, sealRecord } from './index.ts';

const name = (): string => 'Thing 1';

function written(body: string, schema: number): OpenedRecord {
  return openRecord(sealRecord(body, { schema, born: 'x', seq: 0, ops: '' }), name, 'Thing');
}

function codec(schema: number, fields: CodecOptions['fields'], upcast?: Record<number, Upcast>) {
  return compileCodec({ entity: 'Thing', schema, fields, upcast });
}

const oldFields = [
  { name: 'name', schema: z.string() },
  { name: 'at', schema: z.date().optional() },
];
const newFields = [
  ...oldFields,
  { name: 'tags.all', schema: z.set(z.string()).optional() },
  { name: 'extra\\', schema: z.any() },
  { name: 'prices', schema: z.record(z.string(), z.number()).optional() },
];

test('an older program keeps every field of a newer one through any number of updates', () => {
  const values = fc.record(
    {
      name: fc.string(),
      at: fc.option(fc.date({ noInvalidDate: true }), { nil: undefined }),
      'tags.all': fc.array(fc.string()).map((it) => new Set(it)),
      'extra\\': fc.oneof(
        fc.bigInt(),
        fc.constant(new Map([['a', new Date(0)]])),
        fc.constant(Float32Array.of(-0, Number.NaN)),
      ),
      prices: fc.constantFrom({}, { constructor: 1, b: -5 }),
    },
    { noNullPrototype: true },
  );
  const older = codec(1, oldFields);
  const newer = codec(2, newFields);
  fc.assert(
    fc.property(values, fc.string(), (it, renamed) => {
      let body = newer.encodeBody(it);
      for (const next of [renamed, it.name]) {
        const read = older.decode(written(body, 2), name);
        expect(Object.keys(read.values)).not.toContain('prices');
        body = older.encodeBody({ ...read.values, name: next }, read.unknown);
      }
      expect(newer.decode(written(body, 2), name)).toStrictEqual({
        values: newer.decode(written(newer.encodeBody(it), 2), name).values,
        unknown: undefined,
      });
      // Unknown fields are the last in both, so that even the text is the same.
      expect(body).toBe(newer.encodeBody(it));
    }),
    { numRuns: 300 },
  );
});

test('annotations in the paths of an older superjson are written in those of today', () => {
  const body =
    '{"json":{"name":"x","a\\\\b":[["1970-01-01T00:00:00.000Z",1]]},"meta":{"values":{"a\\\\b":["map",{"0.0":["Date"]}]}}';
  const { values, unknown } = codec(1, oldFields).decode(written(body, 1), name);
  const again = codec(1, oldFields).encodeBody(values, unknown);
  const all = codec(1, [...oldFields, { name: 'a\\b', schema: z.any() }]);
  expect(all.decode(written(again, 1), name).values).toStrictEqual({ name: 'x', 'a\\b': new Map([[new Date(0), 1]]) });
});

describe('an older record', () => {
  const steps: Record<number, Upcast> = {
    1: (fields) => ({ ...fields, name: `${String(fields.first)} ${String(fields.last)}` }),
    3: ({ first, last, ...fields }) => ({ ...fields, at: fields.at ?? new Date(0) }),
  };
  const now = codec(4, oldFields, steps);

  test('is changed step by step, missing steps changing nothing', () => {
    const record = written('{"json":{"first":"Nori","last":"Maki"}', 1);
    expect(now.decode(record, name)).toStrictEqual({
      values: { name: 'Nori Maki', at: new Date(0) },
      unknown: undefined,
    });
  });

  test('starts at its own step', () => {
    expect(now.decode(written('{"json":{"name":"x","first":"a"}', 2), name).values.name).toBe('x');
  });

  test('hands dates and maps to its steps', () => {
    const body = '{"json":{"name":"x","at":"1970-01-01T00:00:00.005Z"},"meta":{"values":{"at":["Date"]},"v":1}';
    expect(now.decode(written(body, 3), name).values.at).toStrictEqual(new Date(5));
  });

  test('keeps unknown fields that no step touched', () => {
    const body =
      '{"json":{"name":"x","other":"1","gone":1,"changed":1,"__proto__":1},"meta":{"values":{"other":["bigint"]},"v":1}';
    const changing = codec(2, oldFields, { 1: ({ gone, ...fields }) => ({ ...fields, changed: 2 }) });
    const { values, unknown } = changing.decode(written(body, 1), name);
    expect(changing.encodeBody(values, unknown)).toBe(
      '{"json":{"name":"x","other":"1","__proto__":1},"meta":{"values":{"other":["bigint"]},"v":1}',
    );
  });

  test('is corrupt if a step throws, and the step is named', () => {
    const boom = new Error('boom');
    const failing = codec(3, oldFields, {
      2: () => {
        throw boom;
      },
    });
    expect(() => failing.decode(written('{"json":{"name":"x"}', 1), name)).toThrow(
      expect.objectContaining({
        code: 'record.corrupt',
        message: 'Thing 1 cannot be read: upcast 2 of the schema threw',
        cause: boom,
      }),
    );
  });

  test('is corrupt if a step returns nothing', () => {
    const forgetful = codec(2, oldFields, { 1: () => undefined as unknown as Record<string, unknown> });
    expect(() => forgetful.decode(written('{"json":{"name":"x"}', 1), name)).toThrow(
      expect.objectContaining({ message: 'Thing 1 cannot be read: upcast 1 of the schema returned no fields' }),
    );
  });

  test('is validated after its steps', () => {
    expect(() => now.decode(written('{"json":{"at":1}', 4), name)).toThrow(
      expect.objectContaining({ code: 'record.corrupt' }),
    );
  });
});

test('a newer record is read as far as it parses', () => {
  const { values, unknown } = codec(1, oldFields).decode(written('{"json":{"name":"x","new":[1]}', 7), name);
  expect(values).toStrictEqual({ name: 'x' });
  expect(unknown).toStrictEqual({ json: { new: [1] }, values: {} });
});

test('an unknown field does not overwrite one of the model', () => {
  const unknown = { json: { name: 'old', other: 1 }, values: { name: ['Date'] } };
  expect(codec(1, oldFields).encodeBody({ name: 'new' }, unknown)).toBe('{"json":{"name":"new","other":1}');
});
