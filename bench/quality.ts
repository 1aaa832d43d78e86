import type { BenchRow } from './row.ts';

/** How good lists are, each from 0 to 1. */
export interface Quality {
  readonly recall: number;
  readonly ndcg: number;
}

const MEASURES = ['recall', 'ndcg'] as const;

/** Ours beside theirs, a row for each measure; ours should not be worse. */
export function qualityRows(name: (measure: string) => string, ours: Quality, theirs: Quality): BenchRow[] {
  return MEASURES.map((measure) => ({
    name: name(measure),
    ours: ours[measure] * 1000,
    theirs: theirs[measure] * 1000,
    ratio: ours[measure] / theirs[measure],
    target: 1,
    unit: '/ 1000',
  }));
}

/** Of what was not tried, or found nothing. */
export const NOTHING: Quality = { recall: 0, ndcg: 0 };

/** One contender beside each of those that a recommender has to be better than. */
export function besideBaselines(
  name: string,
  length: number,
  contender: string,
  of: (contender: string) => Quality | undefined,
): BenchRow[] {
  return ['popular', 'mean', 'halving'].flatMap((baseline) =>
    qualityRows(
      (measure) => `${name}: ${measure}@${length} beside ${baseline}`,
      of(contender) ?? NOTHING,
      of(baseline) ?? NOTHING,
    ),
  );
}
