import type { Random } from '../../../src/core/clock.ts';
import { pickInt, seededRandom } from '../../../src/testing/seeded-random.ts';

function gauss(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());
}

/** Makes rows of length one around 500 centres, as the embeddings of real texts lie; the same seed makes the same rows. */
export function clustered(dimensions: number, seed: number): (count: number) => Float32Array {
  const random = seededRandom(seed);
  const clusters = 500;
  const centres = Float32Array.from({ length: clusters * dimensions }, () => gauss(random));
  return (count) => {
    const rows = new Float32Array(count * dimensions);
    for (let row = 0; row < count; row++) {
      const centre = pickInt(random, clusters) * dimensions;
      let sum = 0;
      for (let i = 0; i < dimensions; i++) {
        const x = (centres[centre + i] as number) + 0.7 * gauss(random);
        rows[row * dimensions + i] = x;
        sum += x * x;
      }
      const scale = 1 / Math.sqrt(sum);
      for (let i = 0; i < dimensions; i++) rows[row * dimensions + i] = (rows[row * dimensions + i] as number) * scale;
    }
    return rows;
  };
}

/** The row at a position, as a view. */
export function rowOf(rows: Float32Array, dimensions: number, at: number): Float32Array {
  return rows.subarray(at * dimensions, (at + 1) * dimensions);
}

/** Labels from a first one on. */
export function labelsFrom(first: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => first + i);
}
