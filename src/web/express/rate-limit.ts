import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Denied, RateLimiter } from '../../patterns/index.ts';
import { count, mergedHeaders, PROBLEM_TYPE, problemOf, type RateLimitOptions } from '../shared/rate-limit.ts';

export interface ExpressRateLimitOptions extends RateLimitOptions<Request> {
  /** Answers a refused request; its status is 429 and its headers are set. Default: a problem document. */
  readonly onLimited?:
    | ((decision: Denied, request: Request, response: Response, next: NextFunction) => void | Promise<void>)
    | undefined;
}

/**
 * A rate limit for Express 4 and 5: 429 with `Retry-After` for what is refused, `RateLimit` and `RateLimit-Policy` on every
 * response. What fails goes to the error handler.
 *
 * @example
 * ```ts
 * app.use(expressRateLimit(api, { key: (req) => req.ip ?? 'unknown' }));
 * ```
 */
export function expressRateLimit(limiter: RateLimiter, options: ExpressRateLimitOptions): RequestHandler {
  const { onLimited = sendProblem } = options;
  const limit = async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    const counted = await count(limiter, options, request);
    if (counted === undefined) {
      next();
      return;
    }
    const { decision, settle } = counted;
    for (const [name, value] of mergedHeaders(decision, (name) => response.getHeader(name))) {
      response.setHeader(name, value);
    }
    if (decision.allowed) {
      if (options.refundIf !== undefined) response.once('finish', () => void settle(response.statusCode));
      next();
    } else {
      response.status(429);
      await onLimited(decision, request, response, next);
    }
  };
  return (request, response, next) => {
    limit(request, response, next).catch(next);
  };
}

function sendProblem(decision: Denied, _request: Request, response: Response): void {
  response.type(PROBLEM_TYPE).send(problemOf(decision));
}
