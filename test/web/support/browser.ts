import { parseSetCookie, stringifyCookie } from 'cookie';

/** What a browser does with cookies, as far as sessions need it. */
export class Browser {
  readonly cookies: Record<string, string> = {};
  readonly #origin: string;

  constructor(origin: string, cookies: Record<string, string> = {}) {
    this.#origin = origin;
    Object.assign(this.cookies, cookies);
  }

  /** Another one with the same cookies. */
  copy(): Browser {
    return new Browser(this.#origin, this.cookies);
  }

  async send(method: string, path: string): Promise<Reply> {
    const headers = { cookie: stringifyCookie(this.cookies), connection: 'close' };
    const response = await fetch(this.#origin + path, { method, headers, redirect: 'manual' });
    const setCookies = response.headers.getSetCookie();
    for (const header of setCookies) {
      const { name, value, expires } = parseSetCookie(header);
      if (value === undefined || value === '' || (expires !== undefined && expires.getTime() === 0)) {
        delete this.cookies[name];
      } else this.cookies[name] = value;
    }
    const text = await response.text();
    return { status: response.status, setCookies, text };
  }

  get(path: string): Promise<Reply> {
    return this.send('GET', path);
  }

  post(path: string): Promise<Reply> {
    return this.send('POST', path);
  }
}

export interface Reply {
  readonly status: number;
  readonly setCookies: readonly string[];
  readonly text: string;
}
