import { NorimakiError } from '../../core/errors.ts';

/** The codes of a deduplicator, and what they carry in `details`. */
export interface DedupErrorDetails {
  /** The idempotency key was used for another document before. */
  'dedup.keyReused': { dedup: string; id: string };
  /** Programs of one name cut texts up differently, and would not find each other's. */
  'dedup.settingsMismatch': { dedup: string; stored: string; given: string };
  /** The document was never submitted, or was removed. */
  'dedup.unknownDocument': { dedup: string; id: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends DedupErrorDetails {}
}

export function keyReused(dedup: string, id: string): NorimakiError<'dedup.keyReused'> {
  return new NorimakiError(
    'dedup.keyReused',
    `The idempotency key was used for another document of the deduplicator '${dedup}' before. A key belongs to one submission.`,
    { dedup, id },
  );
}

export function settingsMismatch(
  dedup: string,
  stored: string,
  given: string,
): NorimakiError<'dedup.settingsMismatch'> {
  return new NorimakiError(
    'dedup.settingsMismatch',
    `The deduplicator '${dedup}' was begun with other text, exact, words, bands or rows: ${stored}, not ${given}. Use the same in all programs, or begin another name and run sweep() there.`,
    { dedup, stored, given },
  );
}

export function unknownDocument(dedup: string, id: string): NorimakiError<'dedup.unknownDocument'> {
  return new NorimakiError(
    'dedup.unknownDocument',
    `The deduplicator '${dedup}' knows no such document: it was not submitted, or was removed. Submit it, or run sweep().`,
    { dedup, id },
  );
}
