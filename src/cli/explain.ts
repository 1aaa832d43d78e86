import { inspect } from 'node:util';
import type { NorimakiError } from '../core/errors.ts';
import { UsageError } from './usage-error.ts';

export const FINDINGS = 1;
export const BAD_USAGE = 2;

/** What to print of an error, and what to exit with. */
export function explain(error: unknown, isVerbose: boolean): { readonly text: string; readonly exitCode: number } {
  const exitCode = isBadUsage(error) ? BAD_USAGE : FINDINGS;
  if (isVerbose) return { text: inspect(error), exitCode };
  if (error instanceof UsageError) return { text: error.message, exitCode };
  if (isNorimakiError(error)) return { text: `${error.message} (${error.code})`, exitCode };
  const message = error instanceof Error ? error.message : 'Something that is no error was thrown.';
  return { text: `${message}\n--verbose tells more.`, exitCode };
}

function isBadUsage(error: unknown): boolean {
  return error instanceof UsageError || (isNorimakiError(error) && error.code === 'argument.invalid');
}

/** By its name: the config may have brought a copy of the library of its own. */
function isNorimakiError(error: unknown): error is NorimakiError {
  return error instanceof Error && error.name === 'NorimakiError';
}
