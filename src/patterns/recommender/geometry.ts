import type { Metric } from '../../core/vectors/index.ts';

/** Vectors as items are compared: by a metric of directions their length says nothing, so it is made 1. */
export function comparable(vector: Float32Array, metric: Metric): Float32Array {
  return metric === 'cosine' ? unit(vector) : vector;
}

export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((x) => x / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** One vector and how much it counts. */
export interface WeighedVector {
  readonly vector: Float32Array;
  readonly weight: number;
}

/** The seed's `(old + new) / 2` at each step: half of it is the last vector. */
export function halving(vectors: readonly Float32Array[]): Float32Array | undefined {
  const [first, ...others] = vectors;
  return first && others.reduce((old, next) => old.map((x, i) => (x + (next[i] ?? 0)) / 2), first);
}

/** The mean of some vectors; `undefined` of none, and of such that cancel out, as those lead nowhere. */
export function mean(vectors: readonly WeighedVector[]): Float32Array | undefined {
  const [first] = vectors;
  if (first === undefined) return undefined;
  const sum = new Float64Array(first.vector.length);
  let weights = 0;
  for (const { vector, weight } of vectors) {
    weights += Math.abs(weight);
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (vector[i] ?? 0);
  }
  const result = Float32Array.from(sum, (x) => x / weights);
  return result.some((x) => Math.abs(x) > 1e-6) && result.every(Number.isFinite) ? result : undefined;
}
