import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Denied, RateLimiter } from '../../patterns/index.ts';
import { count, mergedHeaders, PROBLEM_TYPE, problemOf, type RateLimitOptions } from '../shared/rate-limit.ts';

export interface FastifyRateLimitOptions extends RateLimitOptions<FastifyRequest> {
  /** Makes the body of a refusal, whose status is 429 and whose headers are set. Default: a problem document. */
  readonly onLimited?: ((decision: Denied, request: FastifyRequest, reply: FastifyReply) => unknown) | undefined;
}

/** The plugin, for all routes of the instance it is registered with, and the hook, for single ones. */
export interface FastifyRateLimit extends FastifyPluginAsync {
  /** For the options of a route: `{ onRequest: limit.hook }`. */
  readonly hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

/**
 * A rate limit for Fastify 5: 429 with `Retry-After` for what is refused, `RateLimit` and `RateLimit-Policy` on every
 * response. What fails goes to the error handler.
 *
 * @example
 * ```ts
 * await app.register(fastifyRateLimit(api, { key: (request) => request.ip }));
 * ```
 */
export function fastifyRateLimit(limiter: RateLimiter, options: FastifyRateLimitOptions): FastifyRateLimit {
  const { onLimited = problemBody } = options;
  const hook: FastifyRateLimit['hook'] = async (request, reply) => {
    const counted = await count(limiter, options, request);
    if (counted === undefined) return undefined;
    const { decision, settle } = counted;
    for (const [name, value] of mergedHeaders(decision, (name) => reply.getHeader(name))) reply.header(name, value);
    if (!decision.allowed) {
      reply.status(429);
      const body = await onLimited(decision, request, reply);
      return reply.sent ? reply : reply.send(body);
    }
    if (options.refundIf !== undefined) reply.raw.once('finish', () => void settle(reply.raw.statusCode));
    return undefined;
  };
  const plugin: FastifyPluginAsync = async (app) => {
    app.addHook('onRequest', hook);
  };
  // The hook is for the instance that registers the plugin, not for one of the plugin's own.
  return Object.assign(plugin, { hook, [Symbol.for('skip-override')]: true });
}

function problemBody(decision: Denied, _request: FastifyRequest, reply: FastifyReply): string {
  reply.type(PROBLEM_TYPE);
  return problemOf(decision);
}
