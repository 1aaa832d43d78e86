import type { Metric } from './vectors.ts';

/** Squared norms below this count as zero: a direction made of rounding is none. */
const ZERO = 1e-24;

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  // Both have the same length, so no index misses.
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, normA, normB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    product += x * y;
    normA += x * x;
    normB += y * y;
  }
  if (normA < ZERO || normB < ZERO) return 1;
  // Rounding may leave the range by a little.
  return Math.min(2, Math.max(0, 1 - product / Math.sqrt(normA * normB)));
}

function euclidean(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

const DISTANCES: Readonly<Record<Metric, (a: Float32Array, b: Float32Array) => number>> = {
  cosine,
  euclidean,
  // Not `-dot`: of no dot product that would be -0, which is not `Object.is` 0.
  innerProduct: (a, b) => 0 - dot(a, b),
};

/** The distance of two vectors of one length, in 64-bit arithmetic: what indexes are measured by. See {@link Metric}. */
export function distance(metric: Metric, a: Float32Array, b: Float32Array): number {
  return DISTANCES[metric](a, b);
}
