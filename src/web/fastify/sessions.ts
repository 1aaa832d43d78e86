import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
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

export interface FastifySessionsOptions extends RequestSessionOptions {
  readonly cookie?: SessionCookieOptions | undefined;
}

/** The plugin, and the way to the session of a request. */
export interface FastifySessions<Source extends SessionSource> extends FastifyPluginAsync {
  /** The session of a request that came through the plugin. Errors: `argument.invalid`. */
  of(request: FastifyRequest): RequestSession<Source>;
}

/**
 * Sessions for Fastify 5: looks at the cookie of each request, for all routes of the instance it is registered with. What fails goes
 * to the error handler.
 *
 * @example
 * ```ts
 * const session = fastifySessions(sessions);
 * await app.register(session);
 * app.post('/login', async (request, reply) => {
 *   await session.of(request).create({ userId: 'mia' });
 *   return reply.redirect('/');
 * });
 * ```
 */
export function fastifySessions<Source extends SessionSource>(
  sessions: Sessions<Source>,
  { cookie: cookieOptions = {}, ...options }: FastifySessionsOptions = {},
): FastifySessions<Source> {
  const cookie = new SessionCookie(cookieOptions);
  const opened = new WeakMap<FastifyRequest, RequestSession<Source>>();
  const plugin: FastifyPluginAsync = async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      const token = cookie.read(request.headers.cookie);
      opened.set(request, await openRequestSession(sessions, cookie, sinkOf(reply), token, options));
    });
  };
  const of = (request: FastifyRequest): RequestSession<Source> => {
    const session = opened.get(request);
    if (session === undefined) throw notMounted('await app.register(session), before the routes.');
    return session;
  };
  // The hook is for the instance that registers the plugin, not for one of the plugin's own.
  return Object.assign(plugin, { of, [Symbol.for('skip-override')]: true });
}

function sinkOf(reply: FastifyReply): CookieSink {
  return {
    get isOpen() {
      return !reply.raw.headersSent && !reply.sent;
    },
    set: (cookie) => {
      const list = withCookie(reply.getHeader('set-cookie'), cookie.name, headerOf(cookie));
      // Fastify adds to a header that is there.
      reply.removeHeader('set-cookie').header('set-cookie', list);
    },
  };
}
