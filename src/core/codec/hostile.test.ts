import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NorimakiError } from '../errors.ts';
import { compileCodec, openRecord } from './index.ts';

interface Tree {
  readonly children: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.object({
  get children() {
    return z.array(tree);
  },
});

const codec = compileCodec({
  entity: 'Thing',
  schema: 2,
  upcast: { 1: (fields) => ({ ...fields, upcast: true }) },
  fields: [
    { name: 'any', schema: z.any() },
    { name: 'json', schema: z.json().optional() },
    { name: 'prices', schema: z.record(z.string(), z.number()).optional() },
    { name: 'tree', schema: tree.optional() },
    { name: 'at', schema: z.date().optional() },
    { name: 'floats', schema: z.instanceof(Float32Array).optional() },
  ],
});
const name = (): string => 'Thing 1';

/** What reading the bytes comes to; anything else than data or `record.corrupt` is thrown on. */
function read(bytes: Uint8Array): unknown {
  try {
    const { values, unknown } = codec.decode(codec.open(bytes, name), name);
    // What could be read has to survive being looked at, too.
    structuredClone(values);
    if (unknown !== undefined) codec.encodeBody({ any: 1 }, unknown);
    return values;
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt')) return error;
    throw error;
  } finally {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toStrictEqual([]);
  }
}

function record(json: string, meta?: string, schema = 2): Buffer {
  const envelope = `,"env":{"format":1,"schema":${schema},"born":"x","seq":0,"ops":""}}`;
  return Buffer.from(`{"json":${json}${meta === undefined ? '' : `,"meta":${meta}`}${envelope}`);
}

function verdict(json: string, values: string, rest = ',"v":1'): string {
  const outcome = read(record(json, `{"values":${values}${rest}}`));
  return outcome instanceof NorimakiError ? outcome.message : 'data';
}

describe('is data', () => {
  test.each([
    ['a key __proto__', '{"any":{"__proto__":{"polluted":1}}}'],
    ['a key constructor', '{"any":{"constructor":{"prototype":{"polluted":1}}}}'],
    ['a field __proto__', '{"any":1,"__proto__":{"polluted":1}}'],
    ['a field constructor', '{"any":1,"constructor":{"prototype":{"polluted":1}}}'],
    ['a prototype of prices', '{"prices":{"__proto__":{"polluted":1}}}'],
  ])('%s', (_name, json) => {
    expect(read(record(json))).not.toBeInstanceOf(Error);
  });

  test('a key __proto__, which is no more than a key', () => {
    const { any } = read(record('{"any":{"__proto__":{"polluted":1}}}')) as { any: object };
    expect(Object.getPrototypeOf(any)).toBe(Object.prototype);
    expect(Object.keys(any)).toStrictEqual(['__proto__']);
  });

  test('a field __proto__, which is unknown and kept', () => {
    const opened = openRecord(record('{"any":1,"__proto__":{"polluted":1}}'), name, 'Thing');
    const { values, unknown } = codec.decode(opened, name);
    expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
    expect(codec.encodeBody({ any: 1 }, unknown)).toBe('{"json":{"any":1,"__proto__":{"polluted":1}}');
  });
});

describe('is refused', () => {
  test.each([
    ['a regular expression', '{"any":"/(a+)+$/"}', '{"any":["regexp"]}'],
    ['an Error', '{"any":{"name":"x","message":"y"}}', '{"any":["Error"]}'],
    ['a class', '{"any":{}}', '{"any":[["class","Thing"]]}'],
    ['a custom type', '{"any":{}}', '{"any":[["custom","Thing"]]}'],
    ['a symbol', '{"any":"x"}', '{"any":[["symbol","x"]]}'],
    ['a typed array of an unknown kind', '{"any":[1]}', '{"any":[["typed-array","Buffer"]]}'],
    ['a typed array made from a length', '{"any":1000000000}', '{"any":[["typed-array","Uint8Array"]]}'],
    ['a typed array made from an object', '{"any":{"length":1000000000}}', '{"any":[["typed-array","Uint8Array"]]}'],
    ['a typed array of objects', '{"any":[{}]}', '{"any":[["typed-array","Uint8Array"]]}'],
    ['a type by its constructor', '{"any":"x"}', '{"any":["constructor"]}'],
    ['an annotated __proto__', '{"any":{"__proto__":{"polluted":"1"}}}', '{"any.__proto__.polluted":["bigint"]}'],
    ['an annotated constructor', '{"any":{}}', '{"any.constructor.prototype.polluted":["undefined"]}'],
    ['an annotated field __proto__', '{"any":1}', '{"__proto__.polluted":["undefined"]}'],
    ['a bigint of a million digits', `{"any":"${'9'.repeat(1_000_000)}"}`, '{"any":["bigint"]}'],
    ['a bigint in words', '{"any":"one"}', '{"any":["bigint"]}'],
    ['a date that is none', '{"any":"soon"}', '{"any":["Date"]}'],
    ['a date that is a list', '{"any":[]}', '{"any":["Date"]}'],
    ['a URL that is none', '{"any":"nowhere"}', '{"any":["URL"]}'],
    ['a number that is text', '{"any":"seven"}', '{"any":["number"]}'],
    ['a Map of numbers', '{"any":[1]}', '{"any":["map"]}'],
    ['a Map of text', '{"any":"ab"}', '{"any":["map"]}'],
    ['a Set of text', '{"any":"ab"}', '{"any":["set"]}'],
    ['two types for one place', '{"any":{"a":"1"}}', '{"any":{"a":["bigint"]},"any.a":["bigint"]}'],
    ['a typed array by its bare name', '{"any":[1]}', '{"any":["Uint8Array"]}'],
    ['a place that is not there', '{"any":{}}', '{"any.a.b":["Date"]}'],
    ['a place beyond the end', '{"any":[]}', '{"any.1":["undefined"]}'],
    ['a field that is not there', '{"any":1}', '{"other":["undefined"]}'],
    ['a broken path', '{"any":1}', '{"any\\\\x":["undefined"]}'],
    ['an annotation of everything', '{"any":1}', '["map"]'],
    ['an annotation that is null', '{"any":1}', '{"any":null}'],
    ['an annotation that is text', '{"any":1}', '{"any":"Date"}'],
    ['an empty annotation', '{"any":1}', '{"any":[]}'],
    ['an annotation of three parts', '{"any":1}', '{"any":["set",{},{}]}'],
    ['an annotation of a list', '{"any":[]}', '{"any":["set",["Date"]]}'],
    ['annotations 1,000 deep', '{"any":[]}', `{"any":${'["set",{"0":'.repeat(1000)}["set"]${'}]'.repeat(1000)}}`],
    ['a path 200,000 long', '{"any":[]}', `{"any${'.0'.repeat(200_000)}":["set"]}`],
  ])('%s', (_name, json, values) => {
    expect(verdict(json, values)).toMatch(/^Thing 1 cannot be read: /);
  });

  test('annotations are bounded before they are followed', () => {
    const nested = `${'{"0":'.repeat(100)}["set"]${'}'.repeat(100)}`;
    expect(verdict('{"any":[]}', `{"any":${nested}}`)).toBe('Thing 1 cannot be read: meta: is nested too deeply');
    const long = `{"any${'.0'.repeat(200_000)}":["set"]}`;
    expect(verdict('{"any":[]}', long)).toBe('Thing 1 cannot be read: meta: has too many annotations');
  });

  test.each([
    ['a meta that is text', '"meta"'],
    ['a meta that is a list', '[]'],
    ['a version that is text', '{"values":{},"v":"1"}'],
    ['values that are null', '{"values":null,"v":1}'],
    ['the record in itself', '{"referentialEqualities":[["any"]],"v":1}'],
    ['a value in place of a copy', '{"referentialEqualities":{"json":["any.a"]},"v":1}'],
    ['a reference through a prototype', '{"referentialEqualities":{"any":["__proto__.polluted"]},"v":1}'],
    ['references that are numbers', '{"referentialEqualities":{"any":[1]},"v":1}'],
    ['references that are text', '{"referentialEqualities":{"any":"any"},"v":1}'],
  ])('%s', (_name, meta) => {
    expect(read(record('{"any":{"a":null}}', meta))).toBeInstanceOf(NorimakiError);
  });

  test.each([
    ['no fields', 'null'],
    ['a list of fields', '[]'],
    ['fields that are text', '"any"'],
  ])('%s', (_name, json) => {
    expect(read(record(json))).toBeInstanceOf(NorimakiError);
  });

  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const deepTree = `${'{"children":['.repeat(20_000)}{"children":[]}${']}'.repeat(20_000)}`;
  test.each([
    ['any', `{"any":${deep}}`],
    ['any, by one level', `{"any":${'['.repeat(66)}${']'.repeat(66)}}`],
    ['json', `{"any":1,"json":${deep}}`],
    ['a tree', `{"any":1,"tree":${deepTree}}`],
    ['an unknown field', `{"any":1,"other":${deep}}`],
  ])('what is nested too deeply: %s', (_name, json) => {
    expect(read(record(json))).toBeInstanceOf(NorimakiError);
    expect(read(record(json, undefined, 1))).toBeInstanceOf(NorimakiError);
  });

  test('more values than one field may hold', () => {
    const list = `[${'0,'.repeat(100_000)}0]`;
    expect(read(record(`{"any":${list}}`))).toBeInstanceOf(NorimakiError);
    expect(read(record(`{"any":1,"json":${list}}`))).toBeInstanceOf(NorimakiError);
    expect(read(record(`{"any":1,"other":${list}}`))).toBeInstanceOf(NorimakiError);
  });
});

test('500 hostile payloads give data or a typed error, and no prototype is polluted', () => {
  const good = codec.encodeBody({
    any: { m: new Map([[1, new Set([2n, undefined, new Date(0)])]]), u: new URL('https://a.b/'), n: Number.NaN },
    prices: { a: -0, b: 1 },
    tree: { children: [{ children: [] }] },
    at: new Date(5),
    floats: Float32Array.of(Number.NaN, 1),
  });
  const bytes = record(
    good.slice('{"json":'.length, good.indexOf(',"meta":')),
    good.slice(good.indexOf(',"meta":') + 8),
  );
  expect(read(bytes)).not.toBeInstanceOf(Error);

  const nasty = fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'polluted',
    'any',
    'children',
    '0',
    'a.b',
    '\\',
    '',
  );
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      fc.oneof(
        fc.string(),
        fc.double(),
        fc.constantFrom(null, true, '1e999', 'NaN', '-0', '9'.repeat(10_002), -1, 2 ** 53),
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(nasty, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
    ),
  })).value;
  const path = fc.array(nasty, { minLength: 1, maxLength: 4 }).map((keys) => keys.join('.'));
  const type = fc.oneof(
    fc.constantFrom('Date', 'bigint', 'undefined', 'number', 'map', 'set', 'URL', 'regexp', 'Error', 'nothing'),
    fc.tuple(
      fc.constantFrom('typed-array', 'class', 'custom', 'symbol'),
      fc.constantFrom('Uint8Array', 'Float32Array', 'Object'),
    ),
    json,
  );
  const annotation = fc.oneof(fc.tuple(type), fc.tuple(type, fc.dictionary(path, fc.tuple(type))), json);
  const meta = fc.oneof(
    json,
    fc.record(
      {
        values: fc.oneof(fc.dictionary(path, annotation), json),
        referentialEqualities: fc.oneof(fc.dictionary(path, fc.array(path)), fc.array(fc.array(path)), json),
        v: fc.oneof(fc.constant(1), json),
      },
      { requiredKeys: [] },
    ),
  );
  const field = fc.constantFrom('any', 'json', 'prices', 'tree', 'at', 'floats', 'other', '__proto__', 'constructor');
  const fields = fc
    .array(fc.tuple(field, json), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries) as unknown);
  const whole = fc
    .tuple(fc.oneof(fields, json), fc.option(meta), fc.constantFrom(1, 2, 3))
    .map(([it, about, schema]) =>
      record(JSON.stringify(it), about === null ? undefined : JSON.stringify(about), schema),
    );
  const mangled = fc
    .tuple(fc.nat(bytes.length - 1), fc.nat(7), fc.constantFrom('flip', 'cut', 'drop', 'double'))
    .map(([at, bit, how]) => {
      if (how === 'cut') return bytes.subarray(0, at);
      if (how === 'drop') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      if (how === 'double') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at >> 1)]);
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ (1 << bit);
      return copy;
    });
  const environment = fc
    .dictionary(
      fc.constantFrom('schema', 'born', 'seq', 'ops', 'expiresAt', 'tenant', 'fence', 'tombstone', '__proto__'),
      json,
    )
    .map((it) =>
      Buffer.from(`{"json":{},"env":${JSON.stringify({ format: 1, schema: 1, born: '', seq: 0, ops: '', ...it })}}`),
    );
  fc.assert(
    fc.property(fc.oneof(whole, mangled, environment, fc.uint8Array()), (payload) => {
      read(payload);
    }),
    { numRuns: 2000 },
  );
});
