/**
 * Middleware for Express.
 *
 * @packageDocumentation
 */
export type { SessionCookieOptions } from '../shared/cookie.ts';
export type { RequestSessionErrorDetails } from '../shared/errors.ts';
export type { RateLimitOptions } from '../shared/rate-limit.ts';
export type { RequestSession, RequestSessionOptions } from '../shared/request-session.ts';
export { type ExpressRateLimitOptions, expressRateLimit } from './rate-limit.ts';
export { type ExpressSessions, type ExpressSessionsOptions, expressSessions } from './sessions.ts';
