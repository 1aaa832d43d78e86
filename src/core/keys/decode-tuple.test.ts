import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { NorimakiError } from '../errors.ts';
import { decodeTuple, encodeTuple, type KeyPart } from './index.ts';

const RUNS = { numRuns: 1000 };
const tuple: fc.Arbitrary<KeyPart[]> = fc.array(
  fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.string({ unit: anyCharacter }),
    fc.uint8Array(),
  ),
  { maxLength: 4 },
);
const invalid = expect.objectContaining({ code: 'argument.invalid' });

describe('decoding', () => {
  /** The tuple of these bytes, if they are of one. */
  function decoded(key: Uint8Array): KeyPart[] | undefined {
    try {
      return decodeTuple(key);
    } catch (error) {
      if (NorimakiError.is(error, 'argument.invalid')) return undefined;
      throw error;
    }
  }

  function expectExact(key: Uint8Array): void {
    const parts = decoded(key);
    if (parts !== undefined)
      expect(Buffer.from(encodeTuple(parts)).toString('hex')).toBe(Buffer.from(key).toString('hex'));
  }

  test('of any bytes gives the one tuple that encodes to them, or a typed error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), expectExact), { numRuns: 3000 });
    const code = fc.integer({ min: 1, max: 8 });
    const coded = fc
      .tuple(code, fc.uint8Array({ maxLength: 20 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest));
    fc.assert(fc.property(coded, expectExact), { numRuns: 3000 });
  });

  test('of a tuple with one byte changed gives another tuple or a typed error', () => {
    const changed = fc.tuple(tuple, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([parts, at, change]) => {
      const key = Uint8Array.from(encodeTuple(parts));
      if (key.length > 0) key[at % key.length]! ^= change;
      return key;
    });
    fc.assert(fc.property(changed, expectExact), { numRuns: 3000 });
  });

  test('of a tuple cut short gives fewer parts or a typed error', () => {
    fc.assert(
      fc.property(tuple, fc.nat(), (parts, at) => {
        const key = encodeTuple(parts);
        expectExact(key.subarray(0, at % (key.length + 1)));
      }),
      RUNS,
    );
  });

  test.each([
    ['an unknown type', [0x00]],
    ['an unknown type above all', [0x09]],
    ['the end marker of a range', [0xff]],
    ['a number cut short', [0x04, 0x80, 0, 0]],
    ['minus zero', [0x04, 0x7f, 255, 255, 255, 255, 255, 255, 255]],
    ['infinity', [0x04, 0xff, 0xf0, 0, 0, 0, 0, 0, 0]],
    ['minus infinity', [0x04, 0x00, 0x0f, 255, 255, 255, 255, 255, 255]],
    ['NaN', [0x04, 0xff, 0xf8, 0, 0, 0, 0, 0, 0]],
    ['a date of half a millisecond', [0x06, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0]],
    ['a date out of range', [0x06, 0xc3, 0x50, 0, 0, 0, 0, 0, 0]],
    ['a date of minus zero', [0x06, 0x7f, 255, 255, 255, 255, 255, 255, 255]],
    ['a bigint without its size', [0x05]],
    ['a bigint cut short', [0x05, 0x82, 1]],
    ['a bigint with a leading zero', [0x05, 0x82, 0, 1]],
    ['a bigint zero of one byte', [0x05, 0x81, 0]],
    ['a negative bigint with a leading zero', [0x05, 0x7e, 255, 254]],
    ['a negative bigint zero', [0x05, 0x7f, 255]],
    ['a bigint larger than any', [0x05, 0x00, ...new Array<number>(128).fill(1)]],
    ['a string without an end', [0x07, 0x61]],
    ['a string with half an end', [0x07, 0x61, 0x00]],
    ['a string with a bad escape', [0x07, 0x00, 0x01, 0x00, 0x00]],
    ['a string that is no UTF-8', [0x07, 0xff, 0x00, 0x00]],
    ['a string in overlong UTF-8', [0x07, 0xc1, 0x81, 0x00, 0x00]],
    ['a string with an encoded surrogate', [0x07, 0xed, 0xa0, 0x80, 0x00, 0x00]],
    ['bytes without an end', [0x08, 0x01, 0x02]],
  ])('refuses %s', (_, key) => {
    expect(() => decodeTuple(Uint8Array.from(key))).toThrow(invalid);
  });
});
