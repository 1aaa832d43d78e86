/**
 * Sessions for Next.
 *
 * @packageDocumentation
 */
export type { CookieToSet, SessionCookieOptions } from '../shared/cookie.ts';
export type { RequestSessionErrorDetails } from '../shared/errors.ts';
export type { RequestSession, RequestSessionOptions } from '../shared/request-session.ts';
export { type NextCookies, type NextSessions, type NextSessionsOptions, nextSessions } from './sessions.ts';
