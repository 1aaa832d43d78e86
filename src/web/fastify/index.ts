/**
 * Middleware for Fastify.
 *
 * @packageDocumentation
 */
export type { SessionCookieOptions } from '../shared/cookie.ts';
export type { RequestSessionErrorDetails } from '../shared/errors.ts';
export type { RateLimitOptions } from '../shared/rate-limit.ts';
export type { RequestSession, RequestSessionOptions } from '../shared/request-session.ts';
export { type FastifyRateLimit, type FastifyRateLimitOptions, fastifyRateLimit } from './rate-limit.ts';
export { type FastifySessions, type FastifySessionsOptions, fastifySessions } from './sessions.ts';
