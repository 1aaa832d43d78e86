import type { Clock } from '../../core/clock.ts';

const SECONDS = /^\d+(?:\.\d+)?$/;
/** An HTTP date begins with the day of the week; `Date.parse` would take far more. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** How long the headers of an answer ask to wait, in milliseconds; `undefined` if they do not, or not readably. */
export function retryAfter(header: (name: string) => string | null | undefined, clock: Clock): number | undefined {
  const precise = header('retry-after-ms')?.trim();
  if (precise !== undefined && SECONDS.test(precise)) return Number(precise);
  const value = header('retry-after')?.trim();
  if (value === undefined) return undefined;
  if (SECONDS.test(value)) return Number(value) * 1000;
  const at = DATE.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock.now());
}
