import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distance } from './distance.ts';
import type { Metric } from './vectors.ts';

const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'innerProduct'];
const vector = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

/** Sums from the smallest to the largest, so that it rounds otherwise than the code does. */
const sum = (terms: readonly number[]): number =>
  terms.toSorted((a, b) => Math.abs(a) - Math.abs(b)).reduce((total, term) => total + term, 0);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, i) => x * b[i]!));

const ORACLE: Readonly<Record<Metric, (a: number[], b: number[]) => number>> = {
  cosine: (a, b) => 1 - dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b))),
  euclidean: (a, b) => Math.hypot(...a.map((x, i) => x - b[i]!)),
  innerProduct: (a, b) => -dot(a, b),
};

/** How much the terms of a distance can round away together. */
const SCALE: Readonly<Record<Metric, (a: number[], b: number[]) => number>> = {
  cosine: () => 1,
  euclidean: (a, b) => ORACLE.euclidean(a, b),
  innerProduct: (a, b) => sum(a.map((x, i) => Math.abs(x * b[i]!))),
};

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const ordinary = fc.float({ noNaN: true, min: -1000, max: 1000 });
const pairOf = (number: fc.Arbitrary<number>): fc.Arbitrary<[Float32Array, Float32Array]> =>
  fc
    .array(fc.tuple(number, number), { minLength: 1, maxLength: 40 })
    .map((pairs) => [Float32Array.from(pairs, ([x]) => x), Float32Array.from(pairs, ([, y]) => y)]);

describe.each(METRICS)('the distance by %s', (metric) => {
  test('is that of a plain calculation', () => {
    fc.assert(
      fc.property(pairOf(ordinary), ([a, b]) => {
        const [x, y] = [Array.from(a), Array.from(b)];
        fc.pre(metric !== 'cosine' || (dot(x, x) > 1e-20 && dot(y, y) > 1e-20));
        const error = Math.abs(distance(metric, a, b) - ORACLE[metric](x, y));
        expect(error).toBeLessThanOrEqual(1e-12 * SCALE[metric](x, y));
      }),
    );
  });

  test('is the same in both directions, and a number, of any finite vectors', () => {
    fc.assert(
      fc.property(pairOf(finite), ([a, b]) => {
        const there = distance(metric, a, b);
        expect(there).toBe(distance(metric, b, a));
        expect(Number.isFinite(there)).toBe(true);
        expect(Object.is(there, -0)).toBe(false);
        if (metric !== 'innerProduct') expect(there).toBeGreaterThanOrEqual(0);
        if (metric === 'cosine') expect(there).toBeLessThanOrEqual(2);
      }),
      { numRuns: 500 },
    );
  });

  test('is a number of the largest vectors of the most dimensions', () => {
    const largest = new Float32Array(4096).fill(3.4028234663852886e38);
    const opposite = largest.map((number) => -number);
    for (const [a, b] of [
      [largest, largest],
      [largest, opposite],
    ] as const) {
      expect(Number.isFinite(distance(metric, a, b))).toBe(true);
    }
  });
});

describe('the distance of a vector to itself', () => {
  test('is 0 by euclidean, exactly', () => {
    fc.assert(fc.property(pairOf(finite), ([a]) => distance('euclidean', a, a) === 0));
  });

  test('is 0 by cosine, but for rounding', () => {
    fc.assert(
      fc.property(pairOf(ordinary), ([a]) => {
        fc.pre(dot(Array.from(a), Array.from(a)) > 1e-20);
        expect(distance('cosine', a, a)).toBeLessThan(1e-12);
      }),
    );
  });
});

test('a zero vector has the distance 1 by cosine to all, itself too', () => {
  const zero = vector(0, 0, -0);
  for (const other of [zero, vector(1, 2, 3), vector(-1e30, 0, 5)]) {
    expect(distance('cosine', zero, other)).toBe(1);
    expect(distance('cosine', other, zero)).toBe(1);
  }
});

test('so has one that is zero but for rounding; a small one that is not has a direction', () => {
  expect(distance('cosine', vector(1e-13, 0), vector(1, 0))).toBe(1);
  expect(distance('cosine', vector(1e-11, 0), vector(1, 0))).toBe(0);
  expect(distance('cosine', vector(1e-11, 0), vector(-1, 0))).toBe(2);
});

test('no product at all is 0, not -0', () => {
  expect(distance('innerProduct', vector(0, 0), vector(3, 4))).toBe(0);
  expect(distance('innerProduct', vector(0, 1), vector(-3, 0))).toBe(0);
});

test.each<[Metric, number]>([
  ['cosine', 0.04],
  ['euclidean', Math.SQRT2],
  ['innerProduct', -24],
])('of (3, 4) and (4, 3) by %s it is %f', (metric, expected) => {
  expect(distance(metric, vector(3, 4), vector(4, 3))).toBeCloseTo(expected, 12);
});
