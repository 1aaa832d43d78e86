import type { Metric } from '../../core/vectors/index.ts';

/** One vector for several of one length: their mean; for `cosine` scaled to length 1, where only the direction counts. */
export function meanOf(metric: Metric, vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (const [i, value] of vector.entries()) sum[i] = (sum[i] ?? 0) + value;
  const length = metric === 'cosine' ? Math.hypot(...sum) : vectors.length;
  // Opposite ones may cancel out.
  return Float32Array.from(sum, (value) => (length === 0 ? 0 : value / length));
}
