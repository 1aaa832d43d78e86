import { NorimakiError } from '../../core/errors.ts';

/** The codes of a concurrency limiter, and what they carry in `details`. */
export interface ConcurrencyLimitErrorDetails {
  'concurrencyLimit.lost': { limiter: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends ConcurrencyLimitErrorDetails {}
}

export function lost(limiter: string, cause?: unknown): NorimakiError<'concurrencyLimit.lost'> {
  return new NorimakiError(
    'concurrencyLimit.lost',
    `A slot of the limiter '${limiter}' could not be renewed in time, and others may have taken it. Stop the work that it was for, or give it a longer ttl.`,
    { limiter },
    cause === undefined ? {} : { cause },
  );
}
