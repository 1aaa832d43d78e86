import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Request } from 'express';
import session, { type SessionData, type SessionOptions } from 'express-session';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { open } from '../../src/index.ts';
import { faultStore, limitCapabilities, seededRandom } from '../../src/testing/index.ts';
import { NorimakiStore, type NorimakiStoreOptions } from '../../src/web/express-session/index.ts';
import { merged } from '../../src/web/express-session/merge.ts';
import { openMemory, START } from '../support/open.ts';
import { Browser } from './support/browser.ts';

declare module 'express-session' {
  interface SessionData {
    user: string;
    cart: Record<string, number>;
    visits: number;
  }
}

const HOUR = 3_600_000;

interface Door {
  readonly opened: Promise<void>;
  open(): void;
}

function door(): Door {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function world(options: Partial<SessionOptions> = {}, storeOptions: NorimakiStoreOptions = {}) {
  const { store: inner, clock } = await openMemory();
  // express-session reckons with the time of the machine.
  clock.set(Date.now());
  const failing = { gets: false };
  const faulty = faultStore(inner, {
    random: seededRandom(1),
    clock,
    script: ({ verb }) => (failing.gets && verb === 'get' ? 'errorBefore' : 'none'),
  });
  const store = new NorimakiStore(await open(faulty, { clock, random: seededRandom(2) }), storeOptions);
  const app = express();
  const doors: Record<string, Door> = {};
  const waiting: Record<string, Door> = {};
  app.use(session({ store, secret: 'cat', resave: false, saveUninitialized: false, ...options }));
  /** Waits between the load of the session and its save. */
  const pause = async ({ query }: Request): Promise<void> => {
    const name = String(query.wait ?? '');
    waiting[name]?.open();
    await doors[name]?.opened;
  };
  app.get('/me', (req, res) => void res.json(req.session));
  app.post('/login', async (req, res) => {
    await new Promise((done) => void req.session.regenerate(done));
    req.session.user = 'mia';
    res.send('ok');
  });
  app.post('/cart/:item', async (req, res) => {
    await pause(req);
    req.session.cart = { ...req.session.cart, [req.params.item]: 1 };
    res.send('ok');
  });
  app.post('/forget', (req, res) => {
    delete req.session.cart;
    res.send('ok');
  });
  app.post('/twice', async (req, res) => {
    req.session.visits = 1;
    await new Promise((done) => void req.session.save(done));
    await pause(req);
    await new Promise((done) => void req.session.reload(done));
    req.session.visits += 1;
    res.json(req.session);
  });
  app.post('/logout', (req, res) => {
    req.session.destroy((error) => void res.send(String(error ?? 'ok')));
  });
  const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(500).send(error.code);
  app.use(onError);
  const server = app.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const browser = new Browser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const me = async (who = browser): Promise<Partial<SessionData>> => JSON.parse((await who.get('/me')).text);
  /** Sends a request that waits inside its handler until it is let go on. */
  const held = async (path: string, who = browser) => {
    const name = `${Object.keys(doors).length}`;
    const gate = door();
    const arrival = door();
    doors[name] = gate;
    waiting[name] = arrival;
    const reply = who.post(`${path}?wait=${name}`);
    await arrival.opened;
    const goOn = () => {
      gate.open();
      return reply;
    };
    return { goOn };
  };
  return { store, inner, clock, browser, me, held, failing };
}

/** A method of the store, as a promise. */
function called<T>(call: (done: (error?: unknown, value?: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}

describe('express-session on a NorimakiStore', () => {
  test('logs in with another id than there was, keeps data, and logs out', async () => {
    const { browser, me } = await world();
    await browser.post('/cart/nori');
    expect(await me()).toMatchObject({ cart: { nori: 1 } });
    const former = browser.copy();
    await browser.post('/login');
    expect(browser.cookies).not.toEqual(former.cookies);
    expect((await me()).user).toBe('mia');
    expect((await me(former)).cart).toBeUndefined();
    const stolen = browser.copy();
    await browser.post('/logout');
    expect((await me()).user).toBeUndefined();
    expect((await me(stolen)).user).toBeUndefined();
  });

  test.each([false, true])('#361: requests at the same time lose nothing of each other, resave: %s', async (resave) => {
    const { browser, me, held } = await world({ resave });
    await browser.post('/login');
    // All are loaded before the first is saved.
    const requests = await Promise.all(['nori', 'rice', 'tea'].map((item) => held(`/cart/${item}`)));
    await browser.post('/forget');
    for (const { goOn } of requests) expect((await goOn()).text).toBe('ok');
    expect(await me()).toMatchObject({ user: 'mia', cart: { nori: 1, rice: 1, tea: 1 } });
  });

  test('with the store of express-session itself they lose all but one: the test above can fail', async () => {
    const { browser, me, held } = await world({ store: new session.MemoryStore() });
    await browser.post('/login');
    const requests = await Promise.all(['nori', 'rice', 'tea'].map((item) => held(`/cart/${item}`)));
    for (const { goOn } of requests) await goOn();
    expect(await me()).toMatchObject({ cart: { tea: 1 } });
  });

  test.each([false, true])('a request that is under way does not undo a logout, resave: %s', async (resave) => {
    const { browser, me, held, inner } = await world({ resave });
    await browser.post('/login');
    const stolen = browser.copy();
    const slow = await held('/cart/nori');
    await browser.post('/logout');
    expect((await slow.goOn()).status).toBe(200);
    expect((await me(stolen)).user).toBeUndefined();
    const { entries } = await inner.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
    for (const { value } of entries) expect(Buffer.from(value).includes('nori')).toBe(false);
  });

  test('nor does one that is under way for longer than the session could have lived', async () => {
    const { browser, me, held, clock } = await world({}, { ttl: '1h' });
    await browser.post('/login');
    const stolen = browser.copy();
    const slow = await held('/cart/nori');
    await browser.post('/logout');
    await clock.advance(2 * HOUR);
    await slow.goOn();
    expect(await me(stolen)).not.toHaveProperty('cart');
  });

  test('reload and save within a request see what others wrote', async () => {
    const { browser, held } = await world();
    await browser.post('/login');
    const twice = await held('/twice');
    await browser.post('/cart/nori');
    expect(JSON.parse((await twice.goOn()).text)).toMatchObject({ visits: 2, cart: { nori: 1 }, user: 'mia' });
  });

  test('touch moves the end with each request, and rolling the cookie too', async () => {
    for (const rolling of [false, true]) {
      const { browser, clock, me, inner } = await world({ rolling, cookie: { maxAge: HOUR } });
      await browser.post('/login');
      const puts = async () => (await inner.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) })).entries[0];
      const before = await puts();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const { setCookies } = await browser.get('/me');
      expect(setCookies.length).toBe(rolling ? 1 : 0);
      const after = await puts();
      expect(after?.expiresAt).toBeGreaterThan(before?.expiresAt as number);
      await clock.advance(HOUR + 1000);
      expect((await me()).user).toBeUndefined();
    }
  });

  test('touchEvery saves the writes that move the end by less', async () => {
    const { browser, inner } = await world({ cookie: { maxAge: HOUR } }, { touchEvery: '1m' });
    await browser.post('/login');
    const entry = async () => (await inner.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) })).entries[0];
    const before = await entry();
    await new Promise((resolve) => setTimeout(resolve, 5));
    await browser.get('/me');
    expect(await entry()).toEqual(before);
  });

  test('a session whose cookie ends with the browser lives for the ttl', async () => {
    const { browser, clock, me } = await world({}, { ttl: '2h' });
    await browser.post('/login');
    await clock.advance(HOUR);
    expect((await me()).user).toBe('mia');
    await clock.advance(2 * HOUR);
    expect((await me()).user).toBeUndefined();
  });

  test('the id is nowhere in the store', async () => {
    const { browser, inner } = await world();
    await browser.post('/login');
    const [sid = ''] = decodeURIComponent(browser.cookies['connect.sid'] ?? '')
      .slice(2)
      .split('.');
    expect(sid).not.toBe('');
    const { entries } = await inner.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
    expect(entries.length).toBeGreaterThan(0);
    for (const { key, value } of entries) expect(Buffer.concat([key, value]).includes(sid)).toBe(false);
  });

  test('what the store fails of goes to the error handler', async () => {
    const { browser, failing } = await world();
    await browser.post('/login');
    failing.gets = true;
    expect(await browser.get('/me')).toMatchObject({ status: 500, text: 'store.unavailable' });
  });
});

describe('the methods of a NorimakiStore', () => {
  const data = (user: string): SessionData =>
    ({ cookie: { originalMaxAge: null, path: '/' }, user }) as unknown as SessionData;

  test('get, set, destroy, all, length and clear; sessions of another name are others', async () => {
    const { db } = await openMemory();
    const store = new NorimakiStore(db);
    const other = new NorimakiStore(db, { name: 'admin' });
    await called((done) => store.set('a', data('mia'), done));
    await called((done) => store.set('b', data('tom'), done));
    await called((done) => other.set('a', data('eve'), done));
    expect(await called((done) => store.get('a', done))).toMatchObject({ user: 'mia', cookie: { path: '/' } });
    expect(await called((done) => store.get('none', done))).toBeNull();
    // What was not loaded is stored whole.
    await called((done) => store.set('a', data('ada'), done));
    const all = (await called<SessionData[]>((done) => store.all(done))) ?? [];
    expect(all.map(({ user }) => user).sort()).toEqual(['ada', 'tom']);
    expect(await called((done) => store.length(done))).toBe(2);
    await called((done) => store.destroy('a', done));
    await called((done) => store.destroy('none', done));
    await called((done) => store.touch('a', data('ada'), done));
    await called((done) => store.set('a', data('ada'), done));
    expect(await called((done) => store.get('a', done))).toBeNull();
    expect(await called((done) => store.length(done))).toBe(1);
    await called((done) => store.clear(done));
    expect(await called((done) => store.all(done))).toEqual([]);
    expect(await called((done) => other.get('a', done))).toMatchObject({ user: 'eve' });
    store.set('c', data('ida'));
    store.destroy('c');
  });

  test('say what a store without scan cannot do, and refuse one without compare-and-swap', async () => {
    const { store: inner, clock } = await openMemory();
    const store = new NorimakiStore(await open(limitCapabilities(inner, ['scan', 'commit']), { clock }));
    await called((done) => store.set('a', data('mia'), done));
    for (const call of [store.all, store.length, store.clear]) {
      const done = called((callback) => call.call(store, callback as never));
      await expect(done).rejects.toMatchObject({ code: 'capability.missing' });
    }
    const weak = await open(limitCapabilities(inner, ['cas']), { clock });
    expect(() => new NorimakiStore(weak)).toThrow(expect.objectContaining({ code: 'capability.missing' }));
    expect(() => new NorimakiStore(weak, { unsafe: true })).not.toThrow();
  });

  test('a deadline in the data decides by the clock of the database', async () => {
    const { db, clock } = await openMemory();
    const store = new NorimakiStore(db);
    const until = { ...data('mia'), cookie: { originalMaxAge: HOUR, expires: new Date(START + HOUR) } };
    await called((done) => store.set('a', until as unknown as SessionData, done));
    await clock.advance(HOUR - 1);
    expect(await called((done) => store.get('a', done))).toMatchObject({ user: 'mia' });
    await clock.advance(1);
    expect(await called((done) => store.get('a', done))).toBeNull();
  });
});

describe('merging', () => {
  const json = fc.dictionary(
    fc.constantFrom('a', 'b', '__proto__', 'constructor'),
    fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.integer({ min: 0, max: 2 }),
        fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('x', 'y'), tie('value'), { noNullPrototype: true }),
      ),
    })).value,
    { noNullPrototype: true },
  );

  test('does what one side did where the other did nothing, and both where they did different things', () => {
    fc.assert(
      fc.property(json, json, (base, other) => {
        expect(merged(base, other, base)).toEqual(other);
        expect(merged(base, base, other)).toEqual(other);
        expect(merged(base, other, other)).toEqual(other);
      }),
      { seed: 20_260_101 },
    );
    expect(merged({ a: { x: 1 } }, { a: { x: 1, y: 2 }, b: 1 }, { a: { x: 3 }, c: 1 })).toEqual({
      a: { x: 3, y: 2 },
      b: 1,
      c: 1,
    });
    expect(merged({ a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 })).toEqual({ b: 2 });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});
