import { NorimakiError } from './errors.ts';

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof UNITS;

/** A length of time: `'500ms'`, `'5s'`, `'30m'`, `'12h'`, `'7d'`, `'2w'`, or milliseconds as a number. */
export type Duration = number | `${number}${Unit}`;

const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

/** A duration in milliseconds. Refuses anything negative, not finite or not a duration. */
export function milliseconds(duration: Duration, argument = 'duration'): number {
  const match = typeof duration === 'string' ? TEXT.exec(duration) : null;
  const ms = match === null ? duration : Number(match[1]) * UNITS[match[2] as Unit];
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) {
    throw new NorimakiError(
      'argument.invalid',
      `${argument} is not a duration: write '500ms', '5s', '30m', '12h', '7d', '2w', or milliseconds as a number.`,
      { argument },
    );
  }
  return ms;
}
