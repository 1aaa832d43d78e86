import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express, { type ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { parseList } from 'structured-headers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NorimakiError, open } from '../../src/index.ts';
import { type Denied, gcra, RateLimiter, type RateLimiterOptions } from '../../src/patterns/index.ts';
import { faultStore, seededRandom } from '../../src/testing/index.ts';
import { expressRateLimit } from '../../src/web/express/index.ts';
import { fastifyRateLimit } from '../../src/web/fastify/index.ts';
import { honoRateLimit } from '../../src/web/hono/index.ts';
import { openMemory } from '../support/open.ts';

/** What the tests ask of a limit, in the words of every framework. */
interface Asked {
  readonly isTold?: boolean;
  readonly refundIf?: (status: number) => boolean;
  readonly onRefundError?: (error: unknown) => void;
}

const SKIPPED = '/health';
const toldOf = ({ by, retryAfter }: Denied) => ({ by, retryAfter });
const codeOf = (error: unknown): string => (error instanceof NorimakiError ? error.code : String(error));
const costOf = (header: string | undefined): number => Number(header ?? 1);

/** Each starts an app whose limits are passed one after the other; `/status/404` answers so. Resolves to its origin. */
const apps = {
  express: async (limiters: readonly RateLimiter[], { isTold, ...asked }: Asked): Promise<string> => {
    const app = express();
    for (const limiter of limiters) {
      app.use(
        expressRateLimit(limiter, {
          key: (req) => String(req.headers['x-user']),
          cost: (req) => costOf(req.get('x-cost')),
          skip: (req) => req.path === SKIPPED,
          ...(isTold && { onLimited: (denied, _req, res) => void res.json(toldOf(denied)) }),
          ...asked,
        }),
      );
    }
    app.all('/status/:status', (req, res) => void res.status(Number(req.params.status)).send('done'));
    app.all('/{*any}', (_req, res) => void res.send('done'));
    const onError: ErrorRequestHandler = (error, _req, res, _next) => void res.status(503).send(codeOf(error));
    app.use(onError);
    const server = app.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },

  fastify: async (limiters: readonly RateLimiter[], { isTold, ...asked }: Asked): Promise<string> => {
    const app = fastify();
    for (const limiter of limiters) {
      await app.register(
        fastifyRateLimit(limiter, {
          key: (request) => String(request.headers['x-user']),
          cost: (request) => costOf(request.headers['x-cost']?.toString()),
          skip: (request) => request.url === SKIPPED,
          ...(isTold && { onLimited: toldOf }),
          ...asked,
        }),
      );
    }
    app.setErrorHandler((error, _request, reply) => reply.status(503).send(codeOf(error)));
    app.all<{ Params: { status: string } }>('/status/:status', (request, reply) =>
      reply.status(Number(request.params.status)).send('done'),
    );
    app.all('/*', async () => 'done');
    onTestFinished(() => app.close());
    return app.listen({ port: 0, host: '127.0.0.1' });
  },

  hono: async (limiters: readonly RateLimiter[], { isTold, ...asked }: Asked): Promise<string> => {
    const app = new Hono();
    for (const limiter of limiters) {
      app.use(
        honoRateLimit(limiter, {
          key: (c) => String(c.req.header('x-user')),
          cost: (c) => costOf(c.req.header('x-cost')),
          skip: (c) => c.req.path === SKIPPED,
          ...(isTold && { onLimited: (denied, c) => c.json(toldOf(denied)) }),
          ...asked,
        }),
      );
    }
    app.onError((error, c) => c.text(codeOf(error), 503));
    app.all('/status/:status', (c) => new Response('done', { status: Number(c.req.param('status')) }));
    app.all('*', (c) => c.text('done'));
    return new Promise((resolve) => {
      const options = { fetch: app.fetch, port: 0, hostname: '127.0.0.1' };
      const server = serve(options, ({ port }) => resolve(`http://127.0.0.1:${port}`));
      onTestFinished(() => void server.close());
    });
  },
} as const;

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

async function world(options: Partial<RateLimiterOptions> = {}) {
  const { db, store, clock } = await openMemory();
  const limits = [gcra({ rate: 3, per: '1m', name: 'burst' })] as const;
  return { db, store, clock, limiter: new RateLimiter(db, { name: 'api', limits, ...options }) };
}

function client(origin: string): (path?: string, headers?: Record<string, string>) => Promise<Reply> {
  return async (path = '/', headers = {}) => {
    const response = await fetch(origin + path, { headers: { 'x-user': 'mia', connection: 'close', ...headers } });
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  };
}

describe.each(Object.entries(apps))('%s', (_, start) => {
  test('lets through with headers, then answers 429 with Retry-After and a problem document', async () => {
    const { limiter, clock } = await world();
    const get = client(await start([limiter], {}));
    for (const left of [2, 1, 0]) {
      const { status, headers, text } = await get();
      expect({ status, text }).toEqual({ status: 200, text: 'done' });
      expect(headers['ratelimit-policy']).toBe('"burst";q=3;w=60');
      expect(headers.ratelimit).toBe(`"burst";r=${left};t=20`);
      expect(headers['retry-after']).toBeUndefined();
    }
    await clock.advance(500);
    const { status, headers, text } = await get();
    expect(status).toBe(429);
    expect(headers).toMatchObject({
      'ratelimit-policy': '"burst";q=3;w=60',
      ratelimit: '"burst";r=0;t=20',
      'retry-after': '20',
    });
    expect(headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(text)).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      'violated-policies': ['burst'],
    });
    expect(await get('/', { 'x-user': 'tom' })).toMatchObject({ status: 200 });
    await clock.advance(19_500);
    expect(await get()).toMatchObject({ status: 200 });
  });

  test('key, cost, skip and onLimited', async () => {
    const { limiter } = await world();
    const get = client(await start([limiter], { isTold: true }));
    expect((await get('/', { 'x-cost': '3' })).headers.ratelimit).toBe('"burst";r=0;t=20');
    const { status, headers, text } = await get();
    expect({ status, told: JSON.parse(text) }).toEqual({ status: 429, told: { by: 'burst', retryAfter: 20_000 } });
    expect(headers['retry-after']).toBe('20');
    const skipped = await get(SKIPPED);
    expect(skipped).toMatchObject({ status: 200, text: 'done' });
    expect(skipped.headers['ratelimit-policy']).toBeUndefined();
  });

  test('refundIf gives back by the status of the response, also of one made by hand', async () => {
    const { limiter } = await world();
    const get = client(await start([limiter], { refundIf: (status) => status < 400 }));
    for (let i = 0; i < 6; i++) {
      expect(await get('/status/200')).toMatchObject({ status: 200 });
      // The response is sent before what it gives back is stored.
      await expect.poll(async () => (await limiter.peek('mia')).remaining).toBe(3);
    }
    for (const left of [2, 1, 0]) {
      const { status, headers } = await get('/status/401');
      expect({ status, ratelimit: headers.ratelimit }).toEqual({ status: 401, ratelimit: `"burst";r=${left};t=20` });
    }
    expect(await get('/status/401')).toMatchObject({ status: 429 });
  });

  test('a refund that fails is heard of, and the response is sent all the same', async () => {
    const { store, clock } = await openMemory();
    let puts = 0;
    const script = ({ verb }: { verb: string }) => (verb === 'put' && ++puts > 1 ? 'errorBefore' : 'none');
    const db = await open(faultStore(store, { random: seededRandom(1), clock, script }), { clock });
    const limiter = new RateLimiter(db, { name: 'api', limits: [gcra({ rate: 3, per: '1m' })] });
    const heard: unknown[] = [];
    const asked = { refundIf: () => true, onRefundError: (error: unknown) => heard.push(error) };
    const get = client(await start([limiter], asked));
    expect(await get()).toMatchObject({ status: 200, text: 'done' });
    await expect.poll(() => heard.length).toBe(1);
    expect(heard[0]).toMatchObject({ code: 'store.unavailable' });
  });

  test('several limits on one response are all told', async () => {
    const { db, limiter } = await world();
    const daily = new RateLimiter(db, { name: 'daily', limits: [gcra({ rate: 2, per: '1d', name: 'daily' })] });
    const get = client(await start([limiter, daily], {}));
    const { headers } = await get();
    const names = (value: string | undefined) => parseList(value ?? '').map(([name]) => name);
    expect(names(headers['ratelimit-policy']).sort()).toEqual(['burst', 'daily']);
    expect(names(headers.ratelimit).sort()).toEqual(['burst', 'daily']);
    await get();
    const no = await get();
    expect(no).toMatchObject({ status: 429, headers: { 'retry-after': '43200' } });
  });

  test('a store that fails goes to the error handler, and a mistake in an option too', async () => {
    const { store, clock } = await openMemory();
    const faulty = faultStore(store, { random: seededRandom(1), clock, script: () => 'errorBefore' });
    const db = await open(faulty, { clock });
    const limits = [gcra({ rate: 3, per: '1m' })] as const;
    const closed = client(await start([new RateLimiter(db, { name: 'api', limits })], {}));
    expect(await closed()).toMatchObject({ status: 503, text: 'rateLimit.unavailable' });
    expect(await closed('/', { 'x-cost': '0.5' })).toMatchObject({ status: 503, text: 'argument.invalid' });
    const ajar = client(await start([new RateLimiter(db, { name: 'api', limits, onStoreError: 'open' })], {}));
    expect(await ajar()).toMatchObject({ status: 200, text: 'done' });
  });

  test('a blocked user is told so', async () => {
    const { limiter } = await world();
    await limiter.block('mia', '1h');
    const { status, headers, text } = await client(await start([limiter], {}))();
    expect({ status, after: headers['retry-after'] }).toEqual({ status: 429, after: '3600' });
    expect(JSON.parse(text).type).toContain('abnormal-usage-detected');
  });
});

test('a limit can be for one route of Fastify alone', async () => {
  const { limiter } = await world();
  const limit = fastifyRateLimit(limiter, { key: () => 'all', cost: 3 });
  const app = fastify();
  app.get('/dear', { onRequest: limit.hook }, async () => 'dear');
  app.get('/free', async () => 'free');
  onTestFinished(() => app.close());
  const get = client(await app.listen({ port: 0, host: '127.0.0.1' }));
  expect(await get('/dear')).toMatchObject({ status: 200 });
  expect(await get('/dear')).toMatchObject({ status: 429 });
  expect((await get('/free')).headers['ratelimit-policy']).toBeUndefined();
});
