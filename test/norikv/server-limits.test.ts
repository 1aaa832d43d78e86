import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { type NorikvServer, type ServeOptions, serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { HeldStore } from './support/held-store.ts';
import { encode, refusal } from './support/plain-client.ts';
import { clientOf, plain, serving } from './support/serving.ts';

const key = Buffer.from('key');
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SEED = 7;

const isServed = async (server: NorikvServer): Promise<boolean> => {
  const client = clientOf(server);
  return (await client.call('Kv/Put', { key, value: key })).version !== undefined;
};

test('bytes that are no HTTP/2 end their connection, and no other', async () => {
  const server = await serving();
  const random = seededRandom(SEED);
  const other = clientOf(server);
  await other.call('Kv/Put', { key, value: key });
  for (let i = 0; i < 40; i++) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    const noise = Buffer.from(random.bytes(1 + Math.floor(random.float() * 2000)));
    socket.end(i % 2 === 0 ? noise : Buffer.concat([PREFACE, noise]));
    socket.resume();
    await once(socket, 'close');
  }
  expect((await other.call('Kv/Get', { key })).value).toEqual(key);
  expect(await isServed(server)).toBe(true);
});

function session(server: NorikvServer): ClientHttp2Session {
  const one = connectHttp2(`http://${server.address}`);
  one.on('error', () => {});
  onTestFinished(() => one.destroy());
  return one;
}

/** The code that a call is answered with whose message is these bytes as they are. */
async function statusOf(server: NorikvServer, path: string, frame: Buffer): Promise<number | undefined> {
  const stream = session(server).request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  let code: number | undefined;
  const read = (headers: Record<string, unknown>): void => {
    if (headers['grpc-status'] !== undefined) code = Number(headers['grpc-status']);
  };
  stream.on('response', read);
  stream.on('trailers', read);
  stream.resume();
  stream.end(frame);
  await once(stream, 'close');
  return code;
}

const framed = (message: Buffer, length = message.length): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
};

test('messages that are none are refused, and the server serves on', async () => {
  const server = await serving();
  const put = '/norikv.v1.Kv/Put';
  const garbage = Buffer.from(seededRandom(SEED).bytes(500)).fill(0xff, 0, 20);
  expect(await statusOf(server, put, framed(garbage))).toBe(status.INTERNAL);
  // A length that stands for more than there is, in the message and in its frame.
  expect(await statusOf(server, put, framed(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])))).toBe(status.INTERNAL);
  expect(await statusOf(server, put, framed(Buffer.alloc(0), 0xffff_ffff))).toBe(status.RESOURCE_EXHAUSTED);
  expect(await statusOf(server, put, Buffer.alloc(0))).toBe(status.UNIMPLEMENTED);
  expect(await statusOf(server, '/norimaki.v1.Store/Stream', framed(garbage))).toBe(status.INTERNAL);
  expect(await statusOf(server, '/norikv.v1.Kv/Nothing', framed(garbage))).toBe(status.UNIMPLEMENTED);
  expect(await isServed(server)).toBe(true);
});

test('a message over the limit is refused before it is read as a whole', async () => {
  const client = await plain({ limits: { message: 2 * 1024 * 1024 } });
  const request = encode('PutRequest', { key, value: Buffer.alloc(2 * 1024 * 1024) });
  expect((await refusal(client.raw('/norikv.v1.Kv/Put', request))).code).toBe(status.RESOURCE_EXHAUSTED);
});

test('a vector of 10,000 dimensions and a k of 10,000 are refused; lower limits hold too', async () => {
  const client = await plain({ limits: { k: 10, dimensions: 4 } });
  const index = (dimensions: number) => client.call('Vector/CreateIndex', { namespace: 'n', dimensions, distance: 1 });
  expect((await refusal(index(5))).code).toBe(status.INVALID_ARGUMENT);
  await index(4);
  const search = (k: number) => client.call('Vector/Search', { namespace: 'n', query: [1, 2, 3, 4], k });
  await search(10);
  for (const k of [11, 10_000]) expect((await refusal(search(k))).code).toBe(status.INVALID_ARGUMENT);
  const huge = new Array(10_000).fill(1);
  const insert = client.call('Vector/Insert', { namespace: 'n', id: 'a', vector: huge });
  expect((await refusal(insert)).code).toBe(status.INVALID_ARGUMENT);
});

test('a connection has as many streams as it may, and the next one waits', async () => {
  const store = await HeldStore.open();
  const server = await serving({ limits: { streams: 3 } }, store);
  const one = session(server);
  await once(one, 'remoteSettings');
  expect(one.remoteSettings.maxConcurrentStreams).toBe(3);
  const client = clientOf(server);
  const calls = Array.from({ length: 5 }, () => client.call('Kv/Get', { key }));
  await store.holds(3);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(store.begun).toBe(3);
  store.letGo();
  await Promise.all(calls);
});

test('streams that are opened and left alone keep nobody out', async () => {
  const server = await serving();
  const sessions = Array.from({ length: 4 }, () => session(server));
  await Promise.all(sessions.map((one) => once(one, 'remoteSettings')));
  for (const one of sessions) {
    for (let i = 0; i < 256; i++) {
      const headers = { ':method': 'POST', ':path': '/norikv.v1.Kv/Put', 'content-type': 'application/grpc' };
      one.request(headers).on('error', () => {});
    }
  }
  expect(await isServed(server)).toBe(true);
});

test('beyond the calls of the whole server a call is refused, and the next is served', async () => {
  const store = await HeldStore.open();
  const server = await serving({ limits: { calls: 2 } }, store);
  const client = clientOf(server);
  const running = [client.call('Kv/Get', { key }), client.call('Kv/Get', { key })];
  await store.holds(2);
  expect(await refusal(client.call('Kv/Put', { key, value: key }))).toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringContaining('2 calls'),
  });
  expect(store.begun).toBe(2);
  store.letGo();
  await Promise.all(running);
  expect(await isServed(server)).toBe(true);
});

test('work ends when the deadline of a call comes, and when its client gives it up', async () => {
  const store = await HeldStore.open();
  const client = await plain({}, store);
  const late = refusal(client.call('Kv/Put', { key, value: key }, { timeout: 500 }));
  const controller = new AbortController();
  const given = refusal(client.call('Kv/Put', { key, value: key }, { signal: controller.signal }));
  await store.holds(2);
  controller.abort();
  expect((await late).code).toBe(status.DEADLINE_EXCEEDED);
  expect((await given).code).toBe(status.CANCELLED);
  while (store.aborted < 2) await new Promise(setImmediate);
  expect(await store.inner.get(key)).toBeUndefined();
});

test('a ping of a client each minute is no offence', async () => {
  const server = await serving();
  const one = session(server);
  await once(one, 'connect');
  let isToldOff = false;
  one.on('goaway', () => {
    isToldOff = true;
  });
  for (let i = 0; i < 10; i++)
    await new Promise<void>((resolve, reject) => one.ping((error) => (error === null ? resolve() : reject(error))));
  expect(isToldOff).toBe(false);
});

test.each<ServeOptions>([
  { port: -1 },
  { port: 65_536 },
  { host: '' },
  { shards: 0 },
  { limits: { calls: 0 } },
  { limits: { k: 1001 } },
  { limits: { dimensions: 4097 } },
  { limits: { streams: 1.5 } },
  { limits: { message: 2 * 1024 * 1024 - 1 } },
  // A program without types may pass anything.
  { limits: { strems: 1 } as never },
  { mode: 'loose' as never },
])('%o is refused with the name of the option', async (options) => {
  await expect(serve(memory(), { port: 0, ...options })).rejects.toMatchObject({ code: 'argument.invalid' });
});

test('what is no store is refused', async () => {
  await expect(serve({} as never)).rejects.toMatchObject({ code: 'argument.invalid', details: { argument: 'store' } });
});
