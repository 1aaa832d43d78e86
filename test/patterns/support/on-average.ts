import { expect } from 'vitest';

/** Of fewer histories an average says nothing. */
const ENOUGH = 5;

/** The histories of a campaign are no idle ones: on average each held more than `each` of what was counted. */
export function expectOnAverage(counted: number, runs: number, each: number): void {
  if (runs >= ENOUGH) expect(counted).toBeGreaterThan(runs * each);
}
