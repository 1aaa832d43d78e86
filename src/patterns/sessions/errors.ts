import { NorimakiError } from '../../core/errors.ts';

/** The codes of sessions, and what they carry in `details`. */
export interface SessionErrorDetails {
  'session.expired': { sessions: string };
  'session.revoked': { sessions: string };
  'session.rotated': { sessions: string };
  /** `limit`: how many sessions one user may have. */
  'session.tooMany': { sessions: string; limit: number };
  'session.badToken': { sessions: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends SessionErrorDetails {}
}

/** Why a token stands for no session. */
export type Refusal = 'expired' | 'revoked' | 'rotated' | 'badToken';

const REASONS: Readonly<Record<Refusal, string>> = {
  expired: 'has expired, or was never stored. Let the user log in again.',
  revoked: 'was revoked; nothing was changed. Let the user log in again.',
  rotated: 'was rotated to another token, and its grace is over. Use the newer token, or let the user log in again.',
  badToken: 'has a token that was not signed with one of the secrets. Treat the request as not logged in.',
};

/** The error of a call that needs a session. */
export function refused(sessions: string, refusal: Refusal): NorimakiError<`session.${Refusal}`> {
  return new NorimakiError(`session.${refusal}`, `The session of '${sessions}' ${REASONS[refusal]}`, { sessions });
}

export function tooMany(sessions: string, limit: number): NorimakiError<'session.tooMany'> {
  return new NorimakiError(
    'session.tooMany',
    `The user has ${limit} sessions of '${sessions}' already; none was created. Let the user end one, allow more with maxPerUser, or end the oldest with whenFull: 'revokeOldest'.`,
    { sessions, limit },
  );
}
