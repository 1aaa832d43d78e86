import type { SessionSource, Sessions } from '../../patterns/index.ts';
import { type CookieToSet, SessionCookie, type SessionCookieOptions } from '../shared/cookie.ts';
import { openRequestSession, type RequestSession, type RequestSessionOptions } from '../shared/request-session.ts';

export interface NextSessionsOptions extends RequestSessionOptions {
  readonly cookie?: SessionCookieOptions | undefined;
}

/** What `cookies()` of `next/headers` gives. */
export interface NextCookies {
  get(name: string): { readonly value: string } | undefined;
  set(name: string, value: string, options: Omit<CookieToSet, 'name' | 'value'>): unknown;
}

/** Sessions for Next. */
export interface NextSessions<Source extends SessionSource> {
  /** The session behind the cookies of a request. */
  of(cookies: NextCookies | Promise<NextCookies>): Promise<RequestSession<Source>>;
}

/**
 * Sessions for server components, server actions and route handlers of Next. A server component can read the session and change
 * its data; Next lets only actions and route handlers set the cookie, so `create`, `rotate` and `revoke` are for those.
 *
 * @example
 * ```ts
 * const sessions = nextSessions(new Sessions(db, AppSession, options));
 * const { current } = await sessions.of(cookies());
 * ```
 */
export function nextSessions<Source extends SessionSource>(
  sessions: Sessions<Source>,
  { cookie: cookieOptions = {}, ...options }: NextSessionsOptions = {},
): NextSessions<Source> {
  const cookie = new SessionCookie(cookieOptions);
  return {
    of: async (given) => {
      const cookies = await given;
      const set = ({ name, value, ...attributes }: CookieToSet): void => void cookies.set(name, value, attributes);
      return openRequestSession(sessions, cookie, { isOpen: true, set }, cookies.get(cookie.name)?.value, options);
    },
  };
}
