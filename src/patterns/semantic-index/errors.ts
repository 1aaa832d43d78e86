import { NorimakiError } from '../../core/errors.ts';

/** The codes of a semantic index, and what they carry in `details`. */
export interface SearchErrorDetails {
  /** `new`: `ready` was not called, or failed; `building`: it goes on; `closed`: `close` was called. */
  'search.notReady': { search: string; state: 'new' | 'building' | 'closed' };
  /** A cursor of another query, other conditions or another index. */
  'search.wrongCursor': { search: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends SearchErrorDetails {}
}

const STATES = {
  new: 'is not built yet: await its ready() first',
  building: 'is being built: await its ready() first',
  closed: 'is closed: make another',
} as const;

export function notReady(search: string, state: keyof typeof STATES): NorimakiError<'search.notReady'> {
  return new NorimakiError('search.notReady', `The index of words of the search '${search}' ${STATES[state]}.`, {
    search,
    state,
  });
}

export function wrongCursor(search: string): NorimakiError<'search.wrongCursor'> {
  return new NorimakiError(
    'search.wrongCursor',
    `This cursor of the search '${search}' is of another query, or was changed. Pass it with the text and the conditions that it came of, or start again without one.`,
    { search },
  );
}
