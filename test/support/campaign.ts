import seeds from './regression-seeds.json' with { type: 'json' };

/** `npm run test:long`: the same tests with bigger numbers. */
export const isLong = process.env.NORIMAKI_LONG !== undefined;

/** Seeds that once failed; they run first, for ever. */
export function regressions(campaign: keyof typeof seeds): readonly number[] {
  return seeds[campaign];
}
