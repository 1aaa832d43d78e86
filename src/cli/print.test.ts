import { expect, test } from 'vitest';
import { columns, plural, printId, toJson } from './print.ts';

test('nothing in an id reaches a terminal unescaped', () => {
  expect(printId(['a\u001b[31m\u009b2J\n', 7])).toBe("'a\\x1B[31m\\x9B2J\\n', 7");
  expect(printId([12n, new Date(0), true])).toBe('12n, 1970-01-01T00:00:00.000Z, true');
});

test('parts of ids that JSON has no form for are text', () => {
  const id = [2n ** 64n, Uint8Array.of(251, 255), new Date(0)];
  expect(toJson({ id })).toBe('{"id":["18446744073709551616","-_8","1970-01-01T00:00:00.000Z"]}');
});

test('columns are as wide as their widest cell, and no line ends in blanks', () => {
  expect(
    columns([
      ['a', 'bcd', ''],
      ['ef', 'g', 'h'],
    ]),
  ).toBe('  a   bcd\n  ef  g    h');
});

test('one is no plural', () => {
  expect([0, 1, 1234].map((n) => plural(n, 'record'))).toEqual(['0 records', '1 record', '1,234 records']);
});
