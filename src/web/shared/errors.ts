import { NorimakiError } from '../../core/errors.ts';

/** The codes of sessions in a web framework, and what they carry in `details`. */
export interface RequestSessionErrorDetails {
  'session.missing': { sessions: string };
  'session.tooLate': { sessions: string };
}

// Reaches users because the index of each room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends RequestSessionErrorDetails {}
}

export function missing(sessions: string): NorimakiError<'session.missing'> {
  return new NorimakiError(
    'session.missing',
    `This request has no session of '${sessions}'. Look at \`current\` first, and \`create\` one.`,
    { sessions },
  );
}

export function tooLate(sessions: string): NorimakiError<'session.tooLate'> {
  return new NorimakiError(
    'session.tooLate',
    `The response has begun, so no cookie for the session of '${sessions}' can be set; nothing was done. Do it before the first byte is sent.`,
    { sessions },
  );
}

/** The error of a request that did not come through the middleware. */
export function notMounted(how: string): NorimakiError<'argument.invalid'> {
  return new NorimakiError('argument.invalid', `This request did not come through the session middleware: ${how}`, {
    argument: 'request',
  });
}
