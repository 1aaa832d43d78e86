// A small server with logins: a cart that survives the login, two browsers of one user, a list of devices, and a logout that
// nothing undoes. The browsers are played by fetch; the program ends by itself.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { type Default, Entity, Field, open } from 'norimaki';
import { expressSessions } from 'norimaki/express';
import { SessionRecord, Sessions } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('session')
class AppSession extends SessionRecord {
  @Field(z.record(z.string(), z.int())) cart: Default<Record<string, number>> = {};
  @Field(z.string().optional()) device?: string | undefined;
}

await using db = await open(memory());
const sessions = new Sessions(db, AppSession, {
  name: 'shop',
  // From the environment, and never in the code: openssl rand -base64 32
  secrets: [process.env.SESSION_SECRET ?? 'only for this example, where nobody attacks'],
  ttl: { idle: '30m', absolute: '12h' },
});

const app = express();
const session = expressSessions(sessions);
app.use(session);

app.post('/cart/:item', async (req, res) => {
  const mine = session.of(req);
  if (mine.current === undefined) await mine.create({});
  const { cart } = await mine.mutate(({ cart }) => {
    cart[req.params.item] = (cart[req.params.item] ?? 0) + 1;
  });
  res.json(cart);
});

app.post('/login', async (req, res) => {
  // Here a real server checks the password.
  const mine = session.of(req);
  const device = req.get('user-agent');
  // The cart comes along, the token does not: whoever planted the former one has nothing.
  if (mine.current?.userId === undefined && mine.current !== undefined) {
    await mine.rotate({
      userId: 'mia',
      change: (draft) => {
        draft.device = device;
      },
    });
  } else await mine.create({ userId: 'mia', device });
  await mine.flash('info', `Welcome on your ${device}.`);
  res.end();
});

app.get('/', async (req, res) => {
  const mine = session.of(req);
  const messages = (await mine.takeFlash()).map(({ message }) => message);
  res.json({ user: mine.current?.userId ?? 'nobody', cart: mine.current?.cart, messages });
});

app.get('/devices', async (req, res) => {
  const devices: string[] = [];
  const userId = session.of(req).current?.userId;
  if (userId !== undefined) for await (const { device = '?' } of sessions.list(userId)) devices.push(device);
  res.json(devices);
});

app.post('/password', async (req, res) => {
  const mine = session.of(req);
  if (!mine.current?.fresh('5m')) {
    res.status(403).end();
    return;
  }
  await mine.revokeOthers();
  res.end();
});

app.post('/logout', async (req, res) => {
  await session.of(req).revoke();
  res.end();
});

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A browser, as far as this needs one: it keeps one cookie. */
function browser(device: string) {
  let cookie = '';
  return async (method: string, path: string): Promise<string> => {
    const response = await fetch(origin + path, { method, headers: { cookie, 'user-agent': device } });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) cookie = set.split(';')[0] ?? '';
    return response.text();
  };
}

const laptop = browser('laptop');
const phone = browser('phone');
await laptop('POST', '/cart/nori');
// Ten clicks at once: none is lost.
await Promise.all(Array.from({ length: 10 }, () => laptop('POST', '/cart/rice')));
await laptop('POST', '/login');
console.log(`laptop: ${await laptop('GET', '/')}`);
console.log(`laptop again: ${await laptop('GET', '/')}`);
await phone('POST', '/login');
console.log(`devices: ${await phone('GET', '/devices')}`);

await laptop('POST', '/password');
console.log(`phone, after the laptop changed the password: ${await phone('GET', '/')}`);
await laptop('POST', '/logout');
console.log(`laptop, after the logout: ${await laptop('GET', '/')}`);

server.close();
