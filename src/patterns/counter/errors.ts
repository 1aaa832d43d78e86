import { NorimakiError } from '../../core/errors.ts';

/** The codes of a counter, and what they carry in `details`. */
export interface CounterErrorDetails {
  /** `remaining`: how much could still be added, or taken off where the amount was negative. */
  'counter.outOfRange': { counter: string; remaining: bigint };
  'counter.epochChanged': { counter: string; expected: number; actual: number };
  'counter.overflow': { counter: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends CounterErrorDetails {}
}

export function outOfRange(counter: string, remaining: bigint): NorimakiError<'counter.outOfRange'> {
  return new NorimakiError(
    'counter.outOfRange',
    `The amount would take the counter '${counter}' out of its range; nothing was counted. Take less, or use tryAdd.`,
    { counter, remaining },
  );
}

export function epochChanged(counter: string, expected: number, actual: number): NorimakiError<'counter.epochChanged'> {
  return new NorimakiError(
    'counter.epochChanged',
    `The counter '${counter}' is in epoch ${actual}, not ${expected}: somebody has reset it already. Nothing was changed.`,
    { counter, expected, actual },
  );
}

export function overflow(counter: string): NorimakiError<'counter.overflow'> {
  return new NorimakiError(
    'counter.overflow',
    `One shard of the counter '${counter}' would count past 38 digits; nothing was counted. Add less, or reset it.`,
    { counter },
  );
}
