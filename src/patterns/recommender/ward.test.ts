import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../core/seeded-random.ts';
import { clustersOf } from './ward.ts';

const sorted = (clusters: readonly (readonly number[])[]): number[][] =>
  clusters.map((cluster) => [...cluster].sort((a, b) => a - b)).sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0));

/** Around corners of a cube, `size` each, one corner after the other. */
function planted(corners: number, size: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: corners * size }, (_, i) =>
    Float32Array.from(
      { length: 8 },
      (_, axis) => (axis === Math.floor(i / size) ? 1 : 0) + (random.float() - 0.5) * 0.2,
    ),
  );
}

test('clusters that were planted are found, however many there may be', () => {
  for (const corners of [2, 3, 4, 5]) {
    const expected = Array.from({ length: corners }, (_, c) => Array.from({ length: 10 }, (_, i) => 10 * c + i));
    for (let seed = 0; seed < 5; seed++) {
      expect(sorted(clustersOf(planted(corners, 10, seed), 5)), `${corners} corners, seed ${seed}`).toEqual(expected);
    }
  }
});

test('too many for the number of clusters are joined where it costs least', () => {
  const at = (...xs: number[]) => xs.map((x) => Float32Array.of(x, 0));
  expect(sorted(clustersOf(at(0, 10, 11, 21), 3))).toEqual([[0], [1, 2], [3]]);
  expect(sorted(clustersOf(at(0, 10, 11, 30), 2))).toEqual([[0, 1, 2], [3]]);
});

test('two that are unlike stay two', () => {
  expect(sorted(clustersOf([Float32Array.of(1, 0), Float32Array.of(0, 1)], 5))).toEqual([[0], [1]]);
});

test('each point is in one cluster, and there are never more than asked for', () => {
  const points = fc.array(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 3 }), { maxLength: 20 });
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 6 }), (all, most) => {
      const clusters = clustersOf(
        all.map((point) => Float32Array.from(point)),
        most,
      );
      expect(clusters.length).toBeLessThanOrEqual(most);
      expect(clusters.flat().sort((a, b) => a - b)).toEqual(all.map((_, i) => i));
    }),
    { seed: 3 },
  );
});
