import type { Request, RequestHandler, Response } from 'express';
import type { SessionSource, Sessions } from '../../patterns/index.ts';
import { headerOf, SessionCookie, type SessionCookieOptions } from '../shared/cookie.ts';
import { notMounted } from '../shared/errors.ts';
import {
  type CookieSink,
  openRequestSession,
  type RequestSession,
  type RequestSessionOptions,
} from '../shared/request-session.ts';
import { withCookie } from '../shared/set-cookie-list.ts';

export interface ExpressSessionsOptions extends RequestSessionOptions {
  readonly cookie?: SessionCookieOptions | undefined;
}

/** The middleware, and the way to the session of a request. */
export interface ExpressSessions<Source extends SessionSource> extends RequestHandler {
  /** The session of a request that came through the middleware. Errors: `argument.invalid`. */
  of(request: Request): RequestSession<Source>;
}

/**
 * Sessions for Express 4 and 5: looks at the cookie of each request before the routes do. What fails goes to the error handler.
 *
 * @example
 * ```ts
 * const session = expressSessions(sessions);
 * app.use(session);
 * app.post('/login', async (req, res) => {
 *   await session.of(req).create({ userId: 'mia' });
 *   res.redirect('/');
 * });
 * ```
 */
export function expressSessions<Source extends SessionSource>(
  sessions: Sessions<Source>,
  { cookie: cookieOptions = {}, ...options }: ExpressSessionsOptions = {},
): ExpressSessions<Source> {
  const cookie = new SessionCookie(cookieOptions);
  const opened = new WeakMap<Request, RequestSession<Source>>();
  const handler: RequestHandler = (request, response, next) => {
    const token = cookie.read(request.headers.cookie);
    openRequestSession(sessions, cookie, sinkOf(response), token, options)
      .then((session) => void opened.set(request, session))
      .then(() => next(), next);
  };
  const of = (request: Request): RequestSession<Source> => {
    const session = opened.get(request);
    if (session === undefined) throw notMounted('app.use(session), before the routes.');
    return session;
  };
  return Object.assign(handler, { of });
}

function sinkOf(response: Response): CookieSink {
  return {
    get isOpen() {
      return !response.headersSent;
    },
    set: (cookie) => {
      response.setHeader('Set-Cookie', withCookie(response.getHeader('Set-Cookie'), cookie.name, headerOf(cookie)));
    },
  };
}
