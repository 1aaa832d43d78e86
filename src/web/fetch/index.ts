/**
 * Sessions for whatever speaks `Request` and `Response`.
 *
 * @packageDocumentation
 */
export type { SessionCookieOptions } from '../shared/cookie.ts';
export type { RequestSessionErrorDetails } from '../shared/errors.ts';
export type { RequestSession, RequestSessionOptions } from '../shared/request-session.ts';
export { type FetchSessions, type FetchSessionsOptions, fetchSessions, type OpenedSession } from './sessions.ts';
