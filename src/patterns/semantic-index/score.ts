import type { Metric } from '../../core/vectors/index.ts';

/** The score that a repository gives, from 0 to 1: of `cosine` what is above 0; of `innerProduct` its logistic function. */
export function unitScore(metric: Metric, score: number): number {
  const unit = metric === 'innerProduct' ? 1 / (1 + Math.exp(-score)) : score;
  return Math.min(1, Math.max(0, unit));
}

/** The least score of a repository that is as much; `undefined`: any. */
export function repositoryScore(metric: Metric, unit: number | undefined): number | undefined {
  if (unit === undefined || unit === 0) return undefined;
  return metric === 'innerProduct' ? Math.log(unit / (1 - unit)) : unit;
}
