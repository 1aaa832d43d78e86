import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express, { type ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { NorimakiError } from '../../../src/index.ts';
import { expressSessions } from '../../../src/web/express/index.ts';
import { fastifySessions } from '../../../src/web/fastify/index.ts';
import { fetchSessions } from '../../../src/web/fetch/index.ts';
import type { RequestSession, SessionCookieOptions } from '../../../src/web/hono/index.ts';
import { honoSessions, type SessionEnv } from '../../../src/web/hono/index.ts';
import type { AppSession, AppSessions } from '../../patterns/support/sessions.ts';

type Web = RequestSession<typeof AppSession>;

/** What the routes of every app do. */
const routes: Readonly<Record<string, (session: Web) => Promise<unknown>>> = {
  '/me': async ({ current }) => current ?? 'nobody',
  '/visit': (session) => session.create({}),
  '/login': (session) => session.create({ userId: 'mia' }),
  '/promote': (session) => session.rotate({ userId: 'mia', change: (draft) => void draft.roles.push('cook') }),
  '/rotate': (session) => session.rotate({ grace: '10s' }),
  '/logout': (session) => session.revoke(),
  '/others': (session) => session.revokeOthers(),
  '/flash': (session) => session.flash('info', 'Saved.'),
  '/flashes': (session) => session.takeFlash(),
  '/undecided': async (session) => {
    await session.create({ userId: 'mia' });
    await session.rotate();
    return session.revoke();
  },
  '/boom': async (session) => {
    await session.revoke();
    throw new TypeError('boom');
  },
};

async function act(path: string, session: Web): Promise<string> {
  const [, item] = /^\/cart\/(.+)$/.exec(path) ?? [];
  if (item === undefined) return JSON.stringify((await routes[path]?.(session)) ?? null);
  await session.mutate((draft) => void Object.assign(draft.cart, { [item]: 1 }));
  return '"ok"';
}

const codeOf = (error: unknown): string => (error instanceof NorimakiError ? error.code : String(error));

export interface AppOptions {
  readonly cookie?: SessionCookieOptions;
}

/** Starts an app; resolves to its origin. It is closed with the test. */
export const apps = {
  express: async (sessions: AppSessions, options: AppOptions): Promise<string> => {
    const app = express();
    const session = expressSessions(sessions, options);
    app.use(session);
    app.all('/late', async (req, res) => {
      res.write('it begins ');
      res.end(await session.of(req).create({ userId: 'mia' }).catch(codeOf));
    });
    app.all('/{*any}', async (req, res) => {
      res.cookie('other', '1').send(await act(req.path, session.of(req)));
    });
    const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(500).send(codeOf(error));
    app.use(onError);
    const server = app.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },

  fastify: async (sessions: AppSessions, options: AppOptions): Promise<string> => {
    const app = fastify();
    const session = fastifySessions(sessions, options);
    await app.register(session);
    app.setErrorHandler((error, _request, reply) => reply.status(500).send(codeOf(error)));
    app.all('/late', async (request, reply) => {
      reply.hijack();
      reply.raw.write('it begins ');
      reply.raw.end(await session.of(request).create({ userId: 'mia' }).catch(codeOf));
    });
    app.all('/*', async (request, reply) => {
      reply.header('set-cookie', 'other=1');
      return act(request.url, session.of(request));
    });
    onTestFinished(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  },

  hono: async (sessions: AppSessions, options: AppOptions): Promise<string> => {
    const app = new Hono<SessionEnv<typeof AppSession>>();
    app.use(honoSessions(sessions, options));
    app.onError((error, c) => c.text(codeOf(error), 500));
    app.all('/late', (c) => streamed(c.var.session));
    app.all('*', async (c) => {
      c.header('set-cookie', 'other=1');
      return c.text(await act(c.req.path, c.var.session));
    });
    return listen(app.fetch);
  },

  fetch: async (sessions: AppSessions, options: AppOptions): Promise<string> => {
    const web = fetchSessions(sessions, options);
    const handler = web.wrap(async (request: Request, session) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/late') return streamed(session);
      // What a framework does with what a handler throws.
      const answer = act(pathname, session).then((text) => ({ text, status: 200 }));
      const { text, status } = await answer.catch((error: unknown) => ({ text: codeOf(error), status: 500 }));
      return new Response(text, { status, headers: { 'set-cookie': 'other=1' } });
    });
    return listen((request) =>
      handler(request).catch((error: unknown) => new Response(codeOf(error), { status: 500 })),
    );
  },
} as const;

/** A response whose first byte is sent before the session is asked for. */
function streamed(session: Web): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode('it begins '));
      await new Promise((resolve) => setTimeout(resolve, 20));
      const code = await session.create({ userId: 'mia' }).catch(codeOf);
      controller.enqueue(encoder.encode(String(code)));
      controller.close();
    },
  });
  return new Response(body);
}

async function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<string> {
  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(`http://127.0.0.1:${port}`));
    onTestFinished(() => void server.close());
  });
}
