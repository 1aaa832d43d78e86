/**
 * Middleware for Hono.
 *
 * @packageDocumentation
 */
export type { SessionCookieOptions } from '../shared/cookie.ts';
export type { RequestSessionErrorDetails } from '../shared/errors.ts';
export type { RateLimitOptions } from '../shared/rate-limit.ts';
export type { RequestSession, RequestSessionOptions } from '../shared/request-session.ts';
export { type HonoRateLimitOptions, honoRateLimit } from './rate-limit.ts';
export { type HonoSessionsOptions, honoSessions, type SessionEnv } from './sessions.ts';
