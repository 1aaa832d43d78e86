import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { compareKeys, decodeTuple, encodeTuple, prefixRange } from './index.ts';

const HOSTILE: readonly string[] = [
  '',
  ':',
  '/',
  '%',
  '%2F',
  '*',
  '?',
  '.',
  '..',
  '../../etc',
  '\\',
  '\0',
  '\0\0',
  'a\0',
  'a\0\0',
  'a\u0000\u00ff',
  '\u00ff',
  '\u{10ffff}',
  '\uffff',
  '\ufeff',
  '\ufeffa',
  '🍣',
  '👩‍👩‍👧‍👦',
  'שלום',
  '\u202etxt',
  'é',
  'e\u0301',
  'a:b',
  'a/b',
  '__proto__',
  'x'.repeat(1024),
  '\0'.repeat(1024),
];

const text = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.constantFrom('\0', 'a', 'ÿ') }),
);

describe('hostile ids', () => {
  test('stay what they are, and apart', () => {
    const keys = HOSTILE.map((id) => encodeTuple(['tenant', id]));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(HOSTILE.length);
    expect(keys.map((key) => decodeTuple(key))).toEqual(HOSTILE.map((id) => ['tenant', id]));
  });

  test('cannot make one tuple look like another', () => {
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(compareKeys(encodeTuple([a, b]), encodeTuple([c, d]))).not.toBe(0);
        expect(compareKeys(encodeTuple([a + b]), encodeTuple([a, b]))).not.toBe(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('do not reach into the range of another prefix', () => {
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 3 }), (tenant, other, rest) => {
        fc.pre(tenant !== other);
        const { start, end } = prefixRange(encodeTuple([tenant]));
        const key = encodeTuple([other, ...rest]);
        expect(compareKeys(start, key) <= 0 && compareKeys(key, end) < 0).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(['\ud800', 'a\udc00', '\udbff\ud800', '\udc00\ud800'])('with a lone surrogate are refused', (id) => {
    expect(() => encodeTuple([id])).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
    expect(decodeTuple(encodeTuple(['next']))).toEqual(['next']);
  });
});
