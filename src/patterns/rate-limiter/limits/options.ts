import { type Duration, milliseconds } from '../../../core/duration.ts';
import { refuse } from '../../shared/options.ts';

/** What structured fields can hold. */
const MAX_QUOTA = 1e12;
const NAME = /^[\x20-\x7e]{1,64}$/;

/** A number of calls, checked. Errors: `argument.invalid`. */
export function checkQuota(value: number, argument: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= MAX_QUOTA) return value;
  return refuse(argument, `${argument} is a whole number from 1 to ${MAX_QUOTA}.`);
}

/** A window in whole milliseconds. Errors: `argument.invalid`. */
export function checkWindow(per: Duration, argument = 'per'): number {
  const ms = milliseconds(per, argument);
  if (Number.isSafeInteger(ms) && ms >= 1) return ms;
  return refuse(argument, `${argument} is at least a millisecond, and whole milliseconds: '1s', '1m', '1d'.`);
}

/** The name of a limit. Errors: `argument.invalid`. */
export function checkLimitName(name: string | undefined, quota: number, per: number): string {
  if (name === undefined) return `${quota}-per-${durationText(per)}`;
  if (typeof name === 'string' && NAME.test(name)) return name;
  return refuse('name', 'The name of a limit is 1 to 64 printable ASCII characters: it is sent in HTTP headers.');
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** As people write it: `1m`, `90s`, `250ms`. */
function durationText(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms % size === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
