import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fieldNameProblem, schemaProblems } from './index.ts';

describe('fit for a stored field', () => {
  interface Node {
    readonly next?: Node | undefined;
  }
  const node: z.ZodType<Node> = z.lazy(() => z.object({ next: node.optional() }));
  test.each([
    ['checks', z.string().trim().min(1).refine(Boolean).brand('x').readonly()],
    ['defaults', z.object({ a: z.number().default(1), b: z.string().prefault('x') })],
    ['codecs', z.codec(z.string(), z.instanceof(URL), { decode: (it) => new URL(it), encode: (it) => it.href })],
    ['stringbool', z.stringbool()],
    ['a plain pipe', z.string().pipe(z.string().min(1))],
    ['recursion by lazy', node],
    ['JSON', z.json()],
    ['never inside', z.object({ a: z.never().optional() })],
    ['void', z.void()],
    [
      'everything that superjson carries',
      z.object({ a: z.map(z.date(), z.set(z.bigint())), b: z.nan(), c: z.undefined() }),
    ],
    [
      'a function on the side of the entity',
      z.codec(z.string(), z.function(), { decode: () => () => 1, encode: () => '' }),
    ],
  ])('%s', (_name, schema) => {
    expect(schemaProblems(schema)).toStrictEqual([]);
  });
});

test('every problem is a sentence that says where it is and what to do', () => {
  const oneWay = z.string().transform((it) => it.length);
  const schema = z.object({
    length: oneWay,
    tags: z.array(z.record(z.string(), z.string().catch('x'))),
    pair: z.tuple([z.preprocess((it) => it, z.string()), z.symbol()], z.promise(z.string())),
    on: z.map(z.file(), z.success(z.string())),
    get again() {
      return z.union([z.function(), schema]).optional();
    },
    [Symbol('s')]: z.string(),
  });
  expect(schemaProblems(schema)).toMatchInlineSnapshot(`
    [
      "A key that is a symbol cannot be stored; name it with a string.",
      "At length: .transform() and z.preprocess() go one way only and cannot be written back; use z.codec().",
      "At tags[].*: .catch() would put its own value in place of a stored one that no longer parses, and the next write would make that final; remove it.",
      "At pair[0]: .transform() and z.preprocess() go one way only and cannot be written back; use z.codec().",
      "At pair[1]: z.symbol() cannot be stored; use z.enum() or z.literal().",
      "At pair[]: z.promise() cannot be stored; await the value and declare what it resolves to.",
      "At on.*: z.file() cannot be stored; keep its bytes as z.instanceof(Uint8Array), or a reference to it.",
      "At on.*: z.success() keeps only whether a value parsed, which cannot be written back; remove it.",
      "At again: z.function() cannot be stored; make it a method of the class.",
    ]
  `);
  expect(schemaProblems(oneWay)).toMatchInlineSnapshot(`
    [
      ".transform() and z.preprocess() go one way only and cannot be written back; use z.codec().",
    ]
  `);
  expect(schemaProblems(z.never())).toMatchInlineSnapshot(`
    [
      "z.never() takes no value at all, so the field could never be written.",
    ]
  `);
  expect(schemaProblems(z.object({ ['__proto__']: z.string() }))).toMatchInlineSnapshot(`
    [
      "zod leaves out a key named __proto__; name it otherwise.",
    ]
  `);
});

test('what is one-way is refused on either side of a codec', () => {
  const schema = z.codec(z.string(), z.string().transform(Number), { decode: (it) => it, encode: (it) => it });
  expect(schemaProblems(schema)).toHaveLength(1);
});

test('a schema that stands on both sides is held to what can be stored', () => {
  const symbol = z.symbol();
  const schema = z.object({
    a: z.codec(z.string(), symbol, { decode: (it) => Symbol(it), encode: (it) => it.description ?? '' }),
    b: symbol,
  });
  expect(schemaProblems(schema)).toStrictEqual(['At b: z.symbol() cannot be stored; use z.enum() or z.literal().']);
});

test('names that every object has are not for fields', () => {
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
    expect(fieldNameProblem(name)).toContain(name);
  }
  for (const name of ['', 'name', 'a.b', '\\', 'proto', 'Constructor']) expect(fieldNameProblem(name)).toBeUndefined();
});
