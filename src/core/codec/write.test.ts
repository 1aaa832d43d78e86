import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { $ZodType } from 'zod/v4/core';
import { NorimakiError } from '../errors.ts';
import { compileCodec, openRecord, sealRecord } from './index.ts';

interface Tree {
  readonly children: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.object({
  get children() {
    return z.array(tree);
  },
});

function refusal(schema: $ZodType, value: unknown): NorimakiError<'validation.failed'> {
  const codec = compileCodec({ entity: 'Thing', schema: 1, fields: [{ name: 'it', schema }] });
  try {
    codec.encodeBody({ it: value });
  } catch (error) {
    if (NorimakiError.is(error, 'validation.failed')) return error;
    throw error;
  }
  throw new Error('it was written');
}

function nest(levels: number, leaf: unknown): unknown {
  let value = leaf;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;
class OwnBytes extends Uint8Array {}
Object.defineProperty(OwnBytes, 'name', { value: 'Uint8Array' });
class Money {
  constructor(readonly amount: number) {}
}

describe('cannot be stored in a field that takes anything', () => {
  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a regular expression', /x/],
    ['an Error', new Error('x')],
    ['an instance of a class', new Money(1)],
    ['a Map of a kind of its own', new (class extends Map {})()],
    ['an array of a kind of its own', new (class extends Array {})()],
    ['a boxed number', Object(1)],
    ['an invalid date', new Date(Number.NaN)],
    ['a promise', Promise.resolve(1)],
    ['a Buffer', Buffer.from('x')],
    ['bytes of a kind of their own', new OwnBytes()],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['64-bit integers', BigInt64Array.of(1n)],
    ['a hole', Object.assign(new Array(3), { 0: 1, 2: 3 })],
    ['a trailing hole', new Array(3)],
    ['the result of a match', 'x'.match(/x/)],
    ['a bigint without end', 10n ** 10_001n],
    ['a key that is a symbol', { [Symbol('x')]: 1 }],
    ['a key __proto__', JSON.parse('{"__proto__":1}')],
    ['a key constructor', { constructor: 1 }],
    ['a key prototype', { prototype: 1 }],
    ['a cycle', cycle],
  ])('%s', (_name, value) => {
    const { message, details } = refusal(z.any(), { list: [new Map([['k', value]])] });
    expect(message).toMatch(/^Thing is not valid: it\.\*: /);
    expect(details.issues[0]?.path.slice(0, 3)).toStrictEqual(['it', 'list', 0]);
  });
});

test('a cycle is told as what it is', () => {
  expect(refusal(z.any(), cycle).message).toBe('Thing is not valid: it.*: contains itself');
});

describe('is bounded', () => {
  test('in depth', () => {
    const codec = compileCodec({ entity: 'Thing', schema: 1, fields: [{ name: 'it', schema: z.any() }] });
    const deepest = nest(65, 1);
    const name = (): string => 'Thing 1';
    const body = codec.encodeBody({ it: deepest });
    const record = openRecord(sealRecord(body, { schema: 1, born: '', seq: 0, ops: '' }), name, 'Thing');
    expect(codec.decode(record, name).values.it).toStrictEqual(deepest);
    expect(refusal(z.any(), nest(66, 1)).message).toContain('is nested deeper than 64 levels');
    expect(refusal(z.any(), nest(20_000, 1)).message).toContain('is nested deeper than 64 levels');
    expect(refusal(z.json(), nest(20_000, 1)).message).toContain('is nested deeper than 64 levels');
  });

  test('in depth where a recursive schema leads', () => {
    let deep: Tree = { children: [] };
    for (let level = 0; level < 20_000; level += 1) deep = { children: [deep] };
    expect(refusal(tree, deep).message).toContain('is nested deeper than 64 levels');
  });

  test('in the number of values, each copy of a shared one counting', () => {
    let doubled: unknown = 1;
    for (let level = 0; level < 30; level += 1) doubled = [doubled, doubled];
    expect(refusal(z.any(), doubled).message).toContain('holds more than 100000 values');
    expect(refusal(z.json(), doubled).message).toContain('holds more than 100000 values');
    expect(refusal(z.any(), new Array(100_001).fill(0)).message).toContain('holds more than 100000 values');
  });
});

describe('zod would leave out __proto__ without a word, so it is refused', () => {
  const hostile: unknown = JSON.parse('{"__proto__":1}');
  test.each([
    ['in a record', z.record(z.string(), z.number()), hostile],
    ['in a record of records', z.record(z.string(), z.record(z.string(), z.number())), { a: hostile }],
    ['in a loose object', z.looseObject({}), hostile],
    ['in a catchall', z.object({}).catchall(z.number()), hostile],
    ['in JSON', z.json(), [hostile]],
    [
      'in a Map that a codec makes a record of',
      z.codec(z.record(z.string(), z.number()), z.map(z.string(), z.number()), {
        decode: (it) => new Map(Object.entries(it)),
        encode: (it) => Object.fromEntries(it),
      }),
      new Map([['__proto__', 1]]),
    ],
  ])('%s', (_name, schema, value) => {
    expect(refusal(schema, value).message).toContain('which zod leaves out');
  });
});

test('-0 beside a key that superjson refuses is refused rather than changed', () => {
  expect(refusal(z.record(z.string(), z.number()), { constructor: -0 }).message).toContain('superjson refuses');
});

test('a value that a check made unfit is refused', () => {
  expect(
    refusal(
      z.number().overwrite(() => Number.NaN),
      1,
    ).details.issues,
  ).toHaveLength(1);
  const schema = z.object({ n: z.number() }).check((context) => {
    context.value = { n: 'text' as unknown as number };
  });
  expect(refusal(schema, { n: 1 }).details.issues).toHaveLength(1);
});

test('a default is not put in place of a missing value', () => {
  expect(refusal(z.string().default('x'), undefined).details.issues[0]?.path).toStrictEqual(['it']);
});

test('a check that throws or is asynchronous fails the write', () => {
  const boom = new Error('boom');
  const throwing = z.string().refine(() => {
    throw boom;
  });
  expect(refusal(throwing, 'x').cause).toBe(boom);
  expect(
    refusal(
      z.string().refine(() => Promise.resolve(true)),
      'x',
    ).message,
  ).toContain('is asynchronous');
});

test('a value that is passed in is neither changed nor frozen', () => {
  const value = { at: new Date(0), list: [1, -0], any: { m: new Map([[1, [2n]]]) } };
  const before = structuredClone(value);
  const fields = [
    { name: 'at', schema: z.date() },
    { name: 'list', schema: z.array(z.number()) },
    { name: 'any', schema: z.any().readonly() },
  ];
  compileCodec({ entity: 'Thing', schema: 1, fields }).encodeBody(value);
  expect(value).toStrictEqual(before);
  expect(Object.isFrozen(value.any)).toBe(false);
});
