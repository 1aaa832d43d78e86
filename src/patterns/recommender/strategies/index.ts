import type { Strategy } from '../types.ts';
import { suggestByAverage } from './average.ts';
import { suggestByBestScore } from './best-score.ts';
import { suggestBlended } from './blended.ts';
import type { Suggest } from './call.ts';
import { suggestByCoVisits } from './co-visit.ts';
import { suggestByInterests } from './interests.ts';
import { suggestPopular } from './popular.ts';

export const SUGGEST: Readonly<Record<Strategy, Suggest>> = {
  interests: suggestByInterests,
  average: suggestByAverage,
  bestScore: suggestByBestScore,
  coVisit: suggestByCoVisits,
  popular: suggestPopular,
  blended: suggestBlended,
};
