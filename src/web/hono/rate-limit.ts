import type { Context, Env, MiddlewareHandler } from 'hono';
import type { Decision, Denied, RateLimiter } from '../../patterns/index.ts';
import { count, mergedHeaders, PROBLEM_TYPE, problemOf, type RateLimitOptions } from '../shared/rate-limit.ts';

export interface HonoRateLimitOptions<E extends Env = Env> extends RateLimitOptions<Context<E>> {
  /** Answers a refused request; its status is 429 and its headers are set. Default: a problem document. */
  readonly onLimited?: ((decision: Denied, context: Context<E>) => Response | Promise<Response>) | undefined;
}

/**
 * A rate limit for Hono: 429 with `Retry-After` for what is refused, `RateLimit` and `RateLimit-Policy` on every
 * response. What fails goes to `app.onError`.
 *
 * @example
 * ```ts
 * app.use(honoRateLimit(api, { key: (c) => c.req.header('x-api-key') ?? 'nobody' }));
 * ```
 */
export function honoRateLimit<E extends Env = Env>(
  limiter: RateLimiter,
  options: HonoRateLimitOptions<E>,
): MiddlewareHandler<E> {
  const onLimited: NonNullable<HonoRateLimitOptions<E>['onLimited']> = options.onLimited ?? sendProblem;
  return async (c, next) => {
    const counted = await count<Context<E>>(limiter, options, c);
    if (counted === undefined) return next();
    const { decision, settle } = counted;
    if (!decision.allowed) {
      c.status(429);
      c.res = await onLimited(decision, c);
      setHeaders(c, decision);
      return undefined;
    }
    await next();
    setHeaders(c, decision);
    await settle(c.res.status);
    return undefined;
  };
}

function setHeaders(c: Context, decision: Decision): void {
  for (const [name, value] of mergedHeaders(decision, (name) => c.res.headers.get(name))) c.header(name, value);
}

function sendProblem(decision: Denied, c: Context): Response {
  return c.body(problemOf(decision), 429, { 'content-type': PROBLEM_TYPE });
}
