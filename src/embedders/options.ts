import { NorimakiError } from '../core/errors.ts';

/** `value`, if it is a whole number from 1. Errors: `argument.invalid`. */
export function positiveInteger(argument: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new NorimakiError('argument.invalid', `${argument} is a whole number from 1.`, { argument });
}
