import type { SessionSource, Sessions } from '../../patterns/index.ts';
import { type CookieToSet, headerOf, SessionCookie, type SessionCookieOptions } from '../shared/cookie.ts';
import {
  type CookieSink,
  openRequestSession,
  type RequestSession,
  type RequestSessionOptions,
} from '../shared/request-session.ts';

export interface FetchSessionsOptions extends RequestSessionOptions {
  readonly cookie?: SessionCookieOptions | undefined;
}

/** The session of a request, and what it has to tell the browser. */
export interface OpenedSession<Source extends SessionSource> {
  readonly session: RequestSession<Source>;
  /**
   * The `Set-Cookie` header that the response needs; `undefined` if nothing has changed. From then on the session cannot get
   * another token.
   */
  close(): string | undefined;
  /** The response with that header; the very same if nothing has changed. */
  apply(response: Response): Response;
}

/** Sessions for whatever speaks `Request` and `Response`. */
export interface FetchSessions<Source extends SessionSource> {
  /** The session of a request, or of its headers. */
  open(request: Request | Headers): Promise<OpenedSession<Source>>;
  /** A handler of requests that is given the session, and whose response gets the cookie. */
  wrap<Req extends Request, Rest extends unknown[]>(
    handler: (request: Req, session: RequestSession<Source>, ...rest: Rest) => Response | Promise<Response>,
  ): (request: Req, ...rest: Rest) => Promise<Response>;
}

/**
 * Sessions for `Request` and `Response`, as route handlers of Next, SvelteKit, Astro, Bun and others take them.
 *
 * @example
 * ```ts
 * const web = fetchSessions(sessions);
 * export const POST = web.wrap(async (request, session) => {
 *   await session.create({ userId: 'mia' });
 *   return Response.json({ ok: true });
 * });
 * ```
 */
export function fetchSessions<Source extends SessionSource>(
  sessions: Sessions<Source>,
  { cookie: cookieOptions = {}, ...options }: FetchSessionsOptions = {},
): FetchSessions<Source> {
  const cookie = new SessionCookie(cookieOptions);
  const open = async (request: Request | Headers): Promise<OpenedSession<Source>> => {
    const headers = request instanceof Headers ? request : request.headers;
    const sink = new LastCookie();
    const session = await openRequestSession(sessions, cookie, sink, cookie.read(headers.get('cookie')), options);
    const close = (): string | undefined => sink.close();
    return { session, close, apply: (response) => withHeader(response, close()) };
  };
  return {
    open,
    wrap:
      (handler) =>
      async (request, ...rest) => {
        const opened = await open(request);
        return opened.apply(await handler(request, opened.session, ...rest));
      },
  };
}

/** Holds the cookie until there is a response. */
class LastCookie implements CookieSink {
  isOpen = true;
  #cookie: CookieToSet | undefined;

  set(cookie: CookieToSet): void {
    this.#cookie = cookie;
  }

  close(): string | undefined {
    this.isOpen = false;
    return this.#cookie && headerOf(this.#cookie);
  }
}

function withHeader(response: Response, header: string | undefined): Response {
  if (header === undefined) return response;
  // The headers of a redirect, say, cannot be changed.
  const copy = new Response(response.body, response);
  copy.headers.append('Set-Cookie', header);
  return copy;
}
