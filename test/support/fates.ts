import { NorimakiError } from '../../src/core/errors.ts';
import type { FaultKind } from '../../src/testing/index.ts';

/** Every fault that a process survives. */
export const SURVIVABLE_FAULTS: readonly FaultKind[] = [
  'conflict',
  'errorBefore',
  'lostRequest',
  'errorAfter',
  'delay',
  'staleRead',
  'duplicate',
  'lateDuplicate',
  'zombie',
];

/** What a caller knows of a call that failed: nothing happened, or perhaps something did. */
export function fateOf(error: unknown): 'refused' | 'unknown' {
  if (!(error instanceof NorimakiError)) throw error;
  const isDoubtful =
    NorimakiError.is(error, 'outcome.unknown') ||
    (NorimakiError.is(error, 'store.unavailable') && error.details.applied === 'unknown');
  return isDoubtful ? 'unknown' : 'refused';
}
