import type { MiddlewareHandler } from 'hono';
import type { SessionSource, Sessions } from '../../patterns/index.ts';
import { type FetchSessionsOptions, fetchSessions } from '../fetch/sessions.ts';
import type { RequestSession } from '../shared/request-session.ts';

export interface HonoSessionsOptions extends FetchSessionsOptions {}

/** What the middleware adds to the context, for `new Hono<SessionEnv<typeof AppSession>>()`. */
export interface SessionEnv<Source extends SessionSource> {
  Variables: { session: RequestSession<Source> };
}

/**
 * Sessions for Hono: `c.var.session` in each handler behind it. What fails goes to `app.onError`.
 *
 * @example
 * ```ts
 * const app = new Hono<SessionEnv<typeof AppSession>>();
 * app.use(honoSessions(sessions));
 * app.post('/login', async (c) => {
 *   await c.var.session.create({ userId: 'mia' });
 *   return c.redirect('/');
 * });
 * ```
 */
export function honoSessions<Source extends SessionSource>(
  sessions: Sessions<Source>,
  options: HonoSessionsOptions = {},
): MiddlewareHandler<SessionEnv<Source>> {
  const web = fetchSessions(sessions, options);
  return async (c, next) => {
    const { session, close } = await web.open(c.req.raw);
    c.set('session', session);
    await next();
    const header = close();
    if (header !== undefined) c.header('Set-Cookie', header, { append: true });
  };
}
