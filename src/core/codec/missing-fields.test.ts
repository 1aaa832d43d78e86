import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { compileCodec, openRecord, sealRecord } from './index.ts';

const envelope = { schema: 1, born: 'x', seq: 0, ops: '' };
const name = (): string => 'Thing 1';

describe('a missing field', () => {
  const fields = [
    { name: 'a', schema: z.string() },
    { name: 'b', schema: z.stringbool() },
    { name: 'c', schema: z.string().optional() },
    { name: 'd', schema: z.string().exactOptional() },
    { name: 'e', schema: z.any() },
  ];
  const defaults = new Map<string, () => unknown>([
    ['a', () => 'default'],
    ['b', () => true],
    ['c', () => 'default'],
    ['d', () => undefined],
  ]);
  const codec = compileCodec({ entity: 'Thing', schema: 1, fields, defaults });
  const open = (body: string) => openRecord(sealRecord(body, envelope), name, 'Thing');

  test('takes the default of its class, also through a codec', () => {
    expect(codec.decode(open('{"json":{}'), name).values).toStrictEqual({
      a: 'default',
      b: true,
      c: 'default',
      d: undefined,
      e: undefined,
    });
  });

  test('stays undefined if it was written so', () => {
    const body = codec.encodeBody({ a: 'x', b: false, c: undefined, d: undefined });
    expect(codec.decode(open(body), name).values).toStrictEqual({
      a: 'x',
      b: false,
      c: undefined,
      d: undefined,
      e: undefined,
    });
  });
});
