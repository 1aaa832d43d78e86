import { NorimakiError } from '../../core/errors.ts';
import type {
  BlockCallOptions,
  Flash,
  RotateOptions,
  SessionCreateOptions,
  SessionInput,
  SessionMutation,
  SessionOf,
  SessionSource,
  Sessions,
  ValidateOptions,
} from '../../patterns/index.ts';
import type { CookieToSet, SessionCookie } from './cookie.ts';
import { missing, tooLate } from './errors.ts';

/** Options of the session middleware of every framework. */
export interface RequestSessionOptions extends Pick<ValidateOptions, 'read' | 'touch'> {}

/** Where the cookie of a response goes to. */
export interface CookieSink {
  /** `false`: the response has begun. */
  readonly isOpen: boolean;
  /** Sets the cookie, in place of one that was set before. */
  set(cookie: CookieToSet): void;
}

/**
 * The session of one request: what `Sessions` does, with the token in a cookie. A cookie is set only by what changes the token:
 * `create`, `rotate` and `revoke`.
 *
 * Errors of every call: those of the same call of `Sessions`.
 */
export class RequestSession<Source extends SessionSource> {
  readonly #sessions: Sessions<Source>;
  readonly #cookie: SessionCookie;
  readonly #sink: CookieSink;
  #token: string | undefined;
  #current: SessionOf<Source> | undefined;

  /** Made by {@link openRequestSession}. */
  constructor(
    sessions: Sessions<Source>,
    cookie: SessionCookie,
    sink: CookieSink,
    token: string | undefined,
    current: SessionOf<Source> | undefined,
  ) {
    this.#sessions = sessions;
    this.#cookie = cookie;
    this.#sink = sink;
    this.#token = token;
    this.#current = current;
  }

  /** The session, as it was when the request came or as this object has changed it since; `undefined` if there is none. */
  get current(): SessionOf<Source> | undefined {
    return this.#current;
  }

  /** The token of the session, for what else may need it, such as a web socket. Do not log it. */
  get token(): string | undefined {
    return this.#current && this.#token;
  }

  /**
   * Begins a session, as at login; one that there was is ended. To keep its data use {@link RequestSession.rotate} with `userId`.
   * Errors: `session.tooMany`, `session.tooLate`.
   */
  async create(input: SessionInput<Source>, options?: SessionCreateOptions): Promise<SessionOf<Source>> {
    this.#checkOpen();
    const former = this.#current && this.#token;
    const issued = await this.#sessions.create(input, options);
    const session = this.#issue(issued.token, issued.session);
    if (former !== undefined && former !== issued.token) await this.#sessions.revoke(former, options);
    return session;
  }

  /** Changes the session; no request that changes it at the same time is lost. Errors: `session.missing`. */
  async mutate(fn: SessionMutation<Source>, options?: BlockCallOptions): Promise<SessionOf<Source>> {
    const session = await this.#live((current) => this.#sessions.mutate(current, fn, options));
    this.#current = session;
    return session;
  }

  /**
   * Gives the session another token; with `userId` it logs that user in. Errors: `session.missing`, `session.tooLate`,
   * `session.tooMany`.
   */
  async rotate(options?: RotateOptions<Source>): Promise<SessionOf<Source>> {
    this.#checkOpen();
    const issued = await this.#live((_current, token) => this.#sessions.rotate(token, options));
    return this.#issue(issued.token, issued.session);
  }

  /** Ends the session, as at logout, and takes the cookie away. `false`: there was none to end. */
  async revoke(options?: BlockCallOptions): Promise<boolean> {
    const token = this.#token;
    if (token === undefined) return false;
    const wasLive = await this.#sessions.revoke(token, options);
    this.#forget();
    // A response that has begun keeps the cookie, which is worth nothing.
    if (this.#sink.isOpen) this.#sink.set(this.#cookie.clear());
    return wasLive;
  }

  /** Ends all other sessions of the user. Errors: `session.missing`, also where nobody has logged in. */
  async revokeOthers(options?: BlockCallOptions): Promise<void> {
    await this.#live(async ({ userId }, except) => {
      if (userId === undefined) throw missing(this.#sessions.name);
      await this.#sessions.revokeAll(userId, { ...options, except });
    });
  }

  /** Leaves a message for the next page. Errors: `session.missing`. */
  async flash(kind: string, message: string, options?: BlockCallOptions): Promise<void> {
    await this.#live((current) => this.#sessions.flash(current, kind, message, options));
  }

  /** The messages that were left, each of them once; none without a session. */
  async takeFlash(options?: BlockCallOptions): Promise<Flash[]> {
    if (this.#current === undefined) return [];
    return this.#live((current) => this.#sessions.takeFlash(current, options));
  }

  #issue(token: string, session: SessionOf<Source>): SessionOf<Source> {
    this.#token = token;
    this.#current = session;
    this.#sink.set(this.#cookie.set(token, session.absoluteAt));
    return session;
  }

  #forget(): void {
    this.#token = undefined;
    this.#current = undefined;
  }

  /** Does something with the session. One that turns out to have ended is none from then on. */
  async #live<R>(act: (current: SessionOf<Source>, token: string) => Promise<R>): Promise<R> {
    if (this.#current === undefined || this.#token === undefined) throw missing(this.#sessions.name);
    try {
      return await act(this.#current, this.#token);
    } catch (error) {
      const isOver = (['session.expired', 'session.revoked', 'session.rotated'] as const).some((code) =>
        NorimakiError.is(error, code),
      );
      if (isOver) this.#forget();
      throw error;
    }
  }

  #checkOpen(): void {
    if (!this.#sink.isOpen) throw tooLate(this.#sessions.name);
  }
}

/** The session of a request with this `Cookie` header. */
export async function openRequestSession<Source extends SessionSource>(
  sessions: Sessions<Source>,
  cookie: SessionCookie,
  sink: CookieSink,
  token: string | undefined,
  options: RequestSessionOptions,
): Promise<RequestSession<Source>> {
  const current = token === undefined ? undefined : await sessions.validate(token, options);
  return new RequestSession(sessions, cookie, sink, token, current);
}
