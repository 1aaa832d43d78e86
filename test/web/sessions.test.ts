import { describe, expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { faultStore, seededRandom } from '../../src/testing/index.ts';
import { nextSessions } from '../../src/web/next/index.ts';
import { SessionCookie } from '../../src/web/shared/cookie.ts';
import { type AppSession, appSessions, collect } from '../patterns/support/sessions.ts';
import { openMemory } from '../support/open.ts';
import { Browser } from './support/browser.ts';
import { type AppOptions, apps } from './support/session-apps.ts';

const NAME = '__Host-session';

describe.each(Object.keys(apps) as (keyof typeof apps)[])('sessions in %s', (framework) => {
  async function world(options: AppOptions = {}) {
    const { store, clock } = await openMemory();
    const failing = { gets: false };
    const faulty = faultStore(store, {
      random: seededRandom(1),
      clock,
      script: ({ verb }) => (failing.gets && verb === 'get' ? 'errorBefore' : 'none'),
    });
    const sessions = appSessions(await open(faulty, { clock, random: seededRandom(2) }));
    const origin = await apps[framework](sessions, options);
    return { sessions, clock, failing, browser: new Browser(origin), another: () => new Browser(origin) };
  }
  const me = async (browser: Browser): Promise<Partial<AppSession> | 'nobody'> =>
    JSON.parse((await browser.get('/me')).text);
  const own = (setCookies: readonly string[]): string[] => setCookies.filter((header) => !header.startsWith('other='));

  test('a login sets one cookie that scripts and other sites do not get; a request that changes nothing sets none', async () => {
    const { browser } = await world();
    expect(await me(browser)).toBe('nobody');
    const { status, setCookies } = await browser.post('/login');
    expect(status).toBe(200);
    const [header = '', ...more] = own(setCookies);
    expect(more).toEqual([]);
    expect(header).toMatch(new RegExp(`^${NAME}=[\\w-]{43}\\.[\\w-]{22}; `));
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/', 'Expires=Thu, 01 Jan 2026 12:00:00 GMT']) {
      expect(header.split('; ')).toContain(attribute);
    }
    expect(header).not.toContain('Domain');
    // What else sets cookies is not disturbed.
    expect(setCookies).toHaveLength(2);
    const again = await browser.get('/me');
    expect(JSON.parse(again.text)).toMatchObject({ userId: 'mia' });
    expect(own(again.setCookies)).toEqual([]);
    expect(own((await browser.post('/cart/nori')).setCookies)).toEqual([]);
  });

  test('a login gives another token than there was, and takes the cart along if told so', async () => {
    const { browser } = await world();
    await browser.post('/visit');
    await browser.post('/cart/nori');
    const planted = browser.copy();
    await browser.post('/promote');
    expect(await me(browser)).toMatchObject({ userId: 'mia', roles: ['cook'], cart: { nori: 1 } });
    expect(await me(planted)).toBe('nobody');

    const former = browser.copy();
    await browser.post('/login');
    expect(await me(browser)).toMatchObject({ userId: 'mia', cart: {} });
    expect(await me(former)).toBe('nobody');
  });

  test('a logout ends the session and takes the cookie away', async () => {
    const { browser } = await world();
    await browser.post('/login');
    const stolen = browser.copy();
    const { setCookies, text } = await browser.post('/logout');
    expect(text).toBe('true');
    expect(own(setCookies)).toEqual([
      `${NAME}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`,
    ]);
    expect(browser.cookies[NAME]).toBeUndefined();
    expect(await me(stolen)).toBe('nobody');
    const nothing = await browser.post('/logout');
    expect([nothing.text, ...own(nothing.setCookies)]).toEqual(['false']);
  });

  test('only the last of several changes reaches the browser', async () => {
    const { browser, sessions } = await world();
    await browser.post('/visit');
    const { setCookies } = await browser.post('/undecided');
    expect(own(setCookies)).toHaveLength(1);
    expect(browser.cookies[NAME]).toBeUndefined();
    expect(await collect(sessions.list('mia'))).toEqual([]);
  });

  test('express-session #361: of concurrent requests of one session none loses what another writes', async () => {
    const { browser } = await world();
    await browser.post('/login');
    const items = Array.from({ length: 12 }, (_, i) => `item-${i}`);
    const replies = await Promise.all(items.map((item) => browser.post(`/cart/${item}`)));
    expect(replies.map(({ text }) => text)).toEqual(items.map(() => '"ok"'));
    expect(await me(browser)).toMatchObject({ cart: Object.fromEntries(items.map((item) => [item, 1])) });
  });

  test('requests that rotate at once go on with one token, and those with the former one have grace', async () => {
    const { browser, clock } = await world();
    await browser.post('/login');
    const tabs = [browser.copy(), browser.copy(), browser.copy()];
    await Promise.all(tabs.map((tab) => tab.post('/rotate')));
    expect(new Set(tabs.map(({ cookies }) => cookies[NAME])).size).toBe(1);
    expect(await me(browser)).toMatchObject({ userId: 'mia' });
    await clock.advance(10_000);
    // A late request with the former token does not take the new one away.
    const late = await browser.get('/me');
    expect([late.text, ...own(late.setCookies)]).toEqual(['"nobody"']);
    expect(await me(tabs[0] as Browser)).toMatchObject({ userId: 'mia' });
  });

  test('a user ends all sessions but this one', async () => {
    const { browser, another } = await world();
    const phone = another();
    await phone.post('/login');
    await browser.post('/login');
    await browser.post('/others');
    expect(await me(browser)).toMatchObject({ userId: 'mia' });
    expect(await me(phone)).toBe('nobody');
  });

  test('a message is shown on the next page, once', async () => {
    const { browser } = await world();
    expect((await browser.get('/flashes')).text).toBe('[]');
    await browser.post('/visit');
    await browser.post('/flash');
    expect(JSON.parse((await browser.get('/flashes')).text)).toEqual([{ kind: 'info', message: 'Saved.' }]);
    expect((await browser.get('/flashes')).text).toBe('[]');
  });

  test('what needs a session says so without one, and what fails goes to the error handler', async () => {
    const { browser, failing } = await world();
    for (const path of ['/cart/nori', '/rotate', '/others', '/flash']) {
      expect(await browser.post(path)).toMatchObject({ status: 500, text: 'session.missing' });
    }
    await browser.post('/visit');
    expect(await browser.post('/others')).toMatchObject({ status: 500, text: 'session.missing' });
    // A logout stands, whatever fails after it.
    const { status, text, setCookies } = await browser.post('/boom');
    expect([status, text]).toEqual([500, 'TypeError: boom']);
    expect(own(setCookies)).toHaveLength(1);

    await browser.post('/login');
    failing.gets = true;
    expect(await browser.get('/me')).toMatchObject({ status: 500, text: 'store.unavailable' });
    failing.gets = false;
    expect(await me(browser)).toMatchObject({ userId: 'mia' });
  });

  test('once the response has begun there is no login, as its cookie could not be set', async () => {
    const { browser, sessions } = await world();
    expect((await browser.post('/late')).text).toBe('it begins session.tooLate');
    expect(await collect(sessions.list('mia'))).toEqual([]);
  });

  test('a cookie that is forged or of something else is no session, and no error', async () => {
    const { another } = await world();
    for (const value of ['x', 'a'.repeat(4000), '%E0%A4%A', `${'A'.repeat(43)}.${'A'.repeat(22)}`]) {
      const browser = another();
      browser.cookies[NAME] = value;
      expect(await me(browser)).toBe('nobody');
    }
  });

  test('the cookie is as the options say', async () => {
    const { browser } = await world({
      cookie: { name: 'sid', secure: false, sameSite: 'strict', path: '/', domain: 'example.org', persistent: false },
    });
    const { setCookies } = await browser.post('/login');
    expect(own(setCookies)[0]).toMatch(/^sid=[\w.-]+; Domain=example\.org; Path=\/; HttpOnly; SameSite=Strict$/);
  });
});

describe('the options of the cookie', () => {
  test.each([
    ['name', { name: '__Host-sid', secure: false }],
    ['name', { name: '__Host-sid', path: '/app' }],
    ['name', { name: '__Host-sid', domain: 'example.org' }],
    ['name', { name: '__Secure-sid', secure: false }],
    ['sameSite', { sameSite: 'none', secure: false }],
    ['cookie', { name: 'a b' }],
    ['cookie', { path: '/;' }],
  ] as const)('%s: %o is refused', (argument, options) => {
    expect(() => new SessionCookie(options)).toThrow(
      expect.objectContaining({ code: 'argument.invalid', details: { argument } }),
    );
  });

  test('a cookie that cannot be for this host alone gets a name without the promise', () => {
    expect(new SessionCookie({}).name).toBe('__Host-session');
    for (const options of [{ secure: false }, { domain: 'example.org' }, { path: '/app' }]) {
      expect(new SessionCookie(options).name).toBe('session');
    }
  });
});

/** As `cookies()` of Next: a promise, and in a server component read-only. */
function nextCookies(values: Map<string, string>, isReadOnly = false) {
  return Promise.resolve({
    get: (name: string) => {
      const value = values.get(name);
      return value === undefined ? undefined : { name, value };
    },
    set: (name: string, value: string, { expires }: { expires?: Date }) => {
      if (isReadOnly) throw new Error('Cookies can only be modified in a Server Action or Route Handler.');
      if (expires?.getTime() === 0) values.delete(name);
      else values.set(name, value);
    },
  });
}

test('in Next a server component reads the session that an action began, and changes its data', async () => {
  const { db } = await openMemory();
  const sessions = nextSessions(appSessions(db));
  const cookies = new Map<string, string>();
  await (await sessions.of(nextCookies(cookies))).create({ userId: 'mia' });
  expect([...cookies.keys()]).toEqual([NAME]);
  const component = await sessions.of(nextCookies(cookies, true));
  expect(component.current?.userId).toBe('mia');
  await component.mutate((session) => void session.roles.push('cook'));
  const action = await sessions.of(nextCookies(cookies));
  expect(action.current?.roles).toEqual(['cook']);
  await action.revoke();
  expect(cookies.size).toBe(0);
  expect((await sessions.of(nextCookies(cookies))).current).toBeUndefined();
});
