import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { compareKeys, decodeTuple, encodeTuple, type KeyPart, kindRange, prefixRange } from './index.ts';

const RUNS = { numRuns: 1000 };

const text = fc.oneof(
  fc.string({ unit: anyCharacter }),
  fc.string({ unit: fc.constantFrom('\0', 'a', 'ÿ', '\u{10ffff}') }),
);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.1,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
  ),
);
const LARGEST = 2n ** 1016n - 1n;
const bigint = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -LARGEST, max: LARGEST }),
  fc.constantFrom(0n, 1n, -1n, 255n, 256n, -255n, -256n, 2n ** 64n, LARGEST, -LARGEST),
);
const date = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.constantFrom(new Date(0), new Date(8.64e15), new Date(-8.64e15)),
);
const bytes = fc.oneof(
  fc.uint8Array(),
  fc.array(fc.constantFrom(0, 1, 255)).map((all) => Uint8Array.from(all)),
);
const part: fc.Arbitrary<KeyPart> = fc.oneof(fc.constant(null), fc.boolean(), number, bigint, date, text, bytes);
const tuple = fc.array(part, { maxLength: 4 });
/** Two tuples that often share their beginning. */
const pair = fc.tuple(tuple, tuple, tuple).map(([shared, a, b]): [KeyPart[], KeyPart[]] => [
  [...shared, ...a],
  [...shared, ...b],
]);

/** Equal as parts of keys: kinds apart, -0 is 0. */
function samePart(a: KeyPart, b: KeyPart): boolean {
  return comparePart(a, b) === 0;
}

function sameTuple(a: readonly KeyPart[], b: readonly KeyPart[]): boolean {
  return a.length === b.length && a.every((one, i) => samePart(one, b[i] as KeyPart));
}

function rank(value: KeyPart): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return value ? 2 : 1;
  if (value instanceof Date) return 5;
  if (value instanceof Uint8Array) return 7;
  return { number: 3, bigint: 4, string: 6 }[typeof value as 'number' | 'bigint' | 'string'];
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The documented order, said without encoding anything. */
function comparePart(a: KeyPart, b: KeyPart): number {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === 'string' && typeof b === 'string') {
    const points = (value: string): number[] => Array.from(value, (character) => character.codePointAt(0) as number);
    return compareLists(points(a), points(b));
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareLists([...a], [...b]);
  if (a === null || b === null || typeof a === 'boolean') return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareTuples(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = comparePart(a[i] as KeyPart, b[i] as KeyPart);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

const isPrefix = (a: Uint8Array, b: Uint8Array): boolean => compareLists([...a], [...b.subarray(0, a.length)]) === 0;
const invalid = expect.objectContaining({ code: 'argument.invalid' });

describe('an encoded tuple', () => {
  test('decodes to the tuple', () => {
    fc.assert(
      fc.property(tuple, (parts) => {
        const decoded = decodeTuple(encodeTuple(parts));
        expect(sameTuple(decoded, parts)).toBe(true);
        expect(decoded.map(rank)).toEqual(parts.map(rank));
      }),
      RUNS,
    );
  });

  test('is of one tuple only', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        expect(compareKeys(encodeTuple(a), encodeTuple(b)) === 0).toBe(sameTuple(a, b));
      }),
      RUNS,
    );
  });

  test('is ordered as the tuple is', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        expect(Math.sign(compareKeys(encodeTuple(a), encodeTuple(b)))).toBe(Math.sign(compareTuples(a, b)));
      }),
      RUNS,
    );
  });

  test('begins with another only if the tuple begins with the other', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const begins = a.length <= b.length && sameTuple(a, b.slice(0, a.length));
        expect(isPrefix(encodeTuple(a), encodeTuple(b))).toBe(begins);
      }),
      RUNS,
    );
  });

  test('of one part is no prefix of that of another', () => {
    fc.assert(
      fc.property(part, part, (a, b) => {
        fc.pre(!samePart(a, b));
        expect(isPrefix(encodeTuple([a]), encodeTuple([b]))).toBe(false);
      }),
      RUNS,
    );
  });

  test('goes on after a prefix', () => {
    fc.assert(
      fc.property(tuple, tuple, (a, b) => {
        const prefix = encodeTuple(a);
        expect(encodeTuple(b, prefix)).toEqual(encodeTuple([...a, ...b]));
        expect(sameTuple(decodeTuple(encodeTuple(b, prefix), prefix.length), b)).toBe(true);
      }),
    );
  });

  test('is bytes of its own', () => {
    const key = encodeTuple(['a', 1]);
    const before = Uint8Array.from(key);
    encodeTuple(['something longer that uses the same buffer', 2n]);
    expect(Uint8Array.from(key)).toEqual(before);
  });

  test('has the documented order across kinds', () => {
    const ordered: KeyPart[] = [
      null,
      false,
      true,
      -Number.MAX_VALUE,
      -1,
      -Number.MIN_VALUE,
      0,
      Number.MIN_VALUE,
      1,
      Number.MAX_VALUE,
      -LARGEST,
      -256n,
      -255n,
      -1n,
      0n,
      1n,
      255n,
      256n,
      LARGEST,
      new Date(-8.64e15),
      new Date(0),
      new Date(8.64e15),
      '',
      '\0',
      '\0\0',
      '\u0001',
      'a',
      'a\0',
      'a\u0001',
      'aa',
      'b',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
      Uint8Array.of(),
      Uint8Array.of(0),
      Uint8Array.of(0, 0),
      Uint8Array.of(0, 255),
      Uint8Array.of(1),
      Uint8Array.of(255),
      Uint8Array.of(255, 0),
      Uint8Array.of(255, 255),
    ];
    const keys = ordered.map((one) => encodeTuple([one]));
    for (let i = 1; i < keys.length; i++) expect(compareKeys(keys[i - 1]!, keys[i]!), `${i}`).toBe(-1);
  });
});

describe('what has no exact encoding is refused', () => {
  test.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['minus infinity', Number.NEGATIVE_INFINITY],
    ['an invalid date', new Date(Number.NaN)],
    ['a bigint over 1,016 bits', LARGEST + 1n],
    ['a bigint below minus 1,016 bits', -LARGEST - 1n],
    ['undefined', undefined],
    ['an object', {}],
    ['an array', []],
    ['a symbol', Symbol('key')],
  ])('%s', (_, value) => {
    // As a caller without types could pass it.
    expect(() => encodeTuple([value as KeyPart])).toThrow(invalid);
  });
});

describe('a prefix range', () => {
  test('holds exactly the tuples that extend the prefix by at least one part', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const { start, end } = prefixRange(encodeTuple(a));
        const key = encodeTuple(b);
        const inside = compareKeys(start, key) <= 0 && compareKeys(key, end) < 0;
        expect(inside).toBe(b.length > a.length && sameTuple(a, b.slice(0, a.length)));
      }),
      RUNS,
    );
  });

  test('of no prefix holds every tuple with a part', () => {
    fc.assert(
      fc.property(part, (one) => {
        const { start, end } = prefixRange(new Uint8Array());
        const key = encodeTuple([one]);
        expect(compareKeys(start, key) <= 0 && compareKeys(key, end) < 0).toBe(true);
      }),
    );
  });
});

describe('a kind range', () => {
  test('holds exactly the extensions by a part of that kind', () => {
    const kind = (value: KeyPart): number => (typeof value === 'boolean' ? 1 : rank(value));
    fc.assert(
      fc.property(tuple, part, part, tuple, (prefix, like, next, rest) => {
        const { start, end } = kindRange(encodeTuple(prefix), like);
        const key = encodeTuple([...prefix, next, ...rest]);
        const inside = compareKeys(start, key) <= 0 && compareKeys(key, end) < 0;
        expect(inside).toBe(kind(like) === kind(next));
      }),
      RUNS,
    );
  });
});
