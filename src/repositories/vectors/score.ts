import type { Metric } from '../../core/vectors/index.ts';

/**
 * The score of a hit; higher is nearer.
 * - `cosine`: the cosine of the angle, from −1 to 1; 0 beside a zero vector;
 * - `innerProduct`: the dot product;
 * - `euclidean`: 1 / (1 + distance), from 0 to 1.
 */
export function scoreOf(metric: Metric, distance: number): number {
  if (metric === 'cosine') return 1 - distance;
  return metric === 'innerProduct' ? -distance : 1 / (1 + distance);
}
