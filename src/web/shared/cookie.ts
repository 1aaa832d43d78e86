import { parseCookie, stringifySetCookie } from 'cookie';
import { NorimakiError } from '../../core/errors.ts';

/** The cookie that holds the token. It is always `HttpOnly`. */
export interface SessionCookieOptions {
  /** Default `'__Host-session'`, by which browsers keep other hosts from setting it; `'session'` where that cannot be. */
  readonly name?: string | undefined;
  /** Only over HTTPS, and to localhost; default `true`. `false` is for development with a browser that refuses that. */
  readonly secure?: boolean | undefined;
  /** Default `'lax'`: sent with links from elsewhere, not with forms and scripts from there. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | undefined;
  /** Default `'/'`. */
  readonly path?: string | undefined;
  /** For all hosts below a domain; default: this host alone. */
  readonly domain?: string | undefined;
  /** Outlives the browser, until the absolute end of the session; default `true`. */
  readonly persistent?: boolean | undefined;
}

/** A cookie to be set; the names are those of the `cookie` package and of Next. */
export interface CookieToSet {
  readonly name: string;
  readonly value: string;
  readonly httpOnly: true;
  readonly secure: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  readonly path: string;
  readonly domain?: string;
  readonly expires?: Date;
}

/** Reads and makes the cookie of a session. */
export class SessionCookie {
  readonly name: string;
  readonly #attributes: Omit<CookieToSet, 'name' | 'value' | 'expires'>;
  readonly #isPersistent: boolean;

  /** Errors: `argument.invalid`. */
  constructor(options: SessionCookieOptions) {
    const { secure = true, sameSite = 'lax', path = '/', domain, persistent = true } = options;
    const isHostOnly = secure && path === '/' && domain === undefined;
    this.name = options.name ?? (isHostOnly ? '__Host-session' : 'session');
    if (this.name.startsWith('__Host-') && !isHostOnly) {
      refuse('name', 'Browsers refuse a __Host- cookie that is not secure, has a domain, or another path than /.');
    }
    if (this.name.startsWith('__Secure-') && !secure) refuse('name', 'Browsers refuse a __Secure- cookie that is not.');
    if (sameSite === 'none' && !secure) {
      refuse('sameSite', "Browsers refuse a cookie with sameSite: 'none' that is not secure.");
    }
    this.#attributes = { httpOnly: true, secure, sameSite, path, ...(domain !== undefined && { domain }) };
    this.#isPersistent = persistent;
    // An unfit name or attribute shows now, not at the first login.
    headerOf(this.set('x', new Date(0)));
  }

  /** The token in a `Cookie` header. */
  read(header: string | null | undefined): string | undefined {
    return header ? parseCookie(header)[this.name] : undefined;
  }

  set(value: string, expires: Date): CookieToSet {
    return { name: this.name, value, ...this.#attributes, ...(this.#isPersistent && { expires }) };
  }

  /** Takes it away from the browser. */
  clear(): CookieToSet {
    return { name: this.name, value: '', ...this.#attributes, expires: new Date(0) };
  }
}

/** As a `Set-Cookie` header. Errors: `argument.invalid`. */
export function headerOf(cookie: CookieToSet): string {
  try {
    return stringifySetCookie(cookie);
  } catch (error) {
    if (error instanceof TypeError) refuse('cookie', `The cookie of the session cannot be: ${error.message}.`);
    throw error;
  }
}

function refuse(argument: string, message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument });
}
