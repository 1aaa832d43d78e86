import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { NorikvServer } from '../../src/server/index.ts';
import { manualClock } from '../../src/testing/index.ts';
import { type Certificates, makeCertificates } from './support/certificates.ts';
import { PlainClient } from './support/plain-client.ts';
import { clientOf, serving } from './support/serving.ts';

const key = Buffer.from('key');
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

let folder: string;
let pki: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'server-handshake-'));
  pki = await makeCertificates(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function frame(type: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  return Buffer.concat([head, payload]);
}

/** SETTINGS_INITIAL_WINDOW_SIZE of 65,535. */
const SETTINGS = frame(4, Buffer.from([0, 4, 0, 0, 0xff, 0xff]));
const PING = frame(6, Buffer.from('pingpong'));

/** A connection of TCP that has come up; whoever connects last is the last to be taken. */
async function dial(server: NorikvServer): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Resolves once the server has done all that it does for what was sent before. */
async function settled(server: NorikvServer): Promise<void> {
  await clientOf(server).call('Kv/Get', { key });
}

const isOpen = (socket: Socket): boolean => !socket.closed && !socket.readableEnded;

test.each([
  ['nothing', Buffer.alloc(0)],
  ['half of what HTTP/2 begins with', PREFACE.subarray(0, 12)],
  ['no settings', PREFACE],
  ['settings that never end', Buffer.concat([PREFACE, frame(4, Buffer.alloc(0), 6_000)])],
])('who says %s keeps a connection for ten seconds', async (_, bytes) => {
  const clock = manualClock();
  const server = await serving({ clock });
  const socket = await dial(server);
  socket.resume();
  socket.write(bytes);
  await settled(server);
  await clock.advance(9_999);
  await settled(server);
  expect(isOpen(socket)).toBe(true);
  await clock.advance(1);
  await once(socket, 'close');
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['half a greeting of TLS', Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252])],
])('on a port of TLS, who says %s keeps a connection no longer', async (_, bytes) => {
  const clock = manualClock();
  const server = await serving({ clock, tls: pki.server, limits: { handshake: 500 } });
  const socket = await dial(server);
  socket.resume();
  socket.write(bytes);
  await secureCall(server);
  await clock.advance(499);
  await secureCall(server);
  expect(isOpen(socket)).toBe(true);
  await clock.advance(1);
  await once(socket, 'close');
});

function secureCall(server: NorikvServer): Promise<unknown> {
  const client = new PlainClient(`localhost:${server.port}`, credentials.createSsl(pki.ca));
  onTestFinished(() => client[Symbol.dispose]());
  return client.call('Kv/Get', { key });
}

test('TLS alone is no greeting', async () => {
  const clock = manualClock();
  const server = await serving({ clock, tls: pki.server });
  const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: pki.ca, ALPNProtocols: ['h2'] });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  socket.resume();
  await clock.advance(10_000);
  await once(socket, 'close');
});

test.each([
  ['plaintext', false],
  ['TLS', true],
])('who has greeted stays as long as it likes, over %s', async (_, isSecure) => {
  const clock = manualClock();
  const server = await serving({ clock, ...(isSecure ? { tls: pki.server } : {}) });
  const client = isSecure
    ? new PlainClient(`localhost:${server.port}`, credentials.createSsl(pki.ca))
    : new PlainClient(server.address);
  onTestFinished(() => client[Symbol.dispose]());
  await client.call('Kv/Put', { key, value: key });
  expect(clock.sleeping).toBe(0);
  await clock.advance(1_000_000);
  expect((await client.call('Kv/Get', { key })).value).toEqual(key);
});

test.each([
  ['TLS', Buffer.concat([Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]), Buffer.alloc(250, 4)])],
  ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ['HTTP/2 without settings', Buffer.concat([PREFACE, PING])],
])('who speaks %s is told at once that it is not spoken here', async (_, bytes) => {
  const socket = await dial(await serving({ clock: manualClock() }));
  socket.resume();
  socket.write(bytes);
  await once(socket, 'close');
});

test('a greeting in pieces is one, and nothing behind it is lost', async () => {
  const socket = await dial(await serving());
  socket.setNoDelay();
  const whole = Buffer.concat([PREFACE, SETTINGS, PING]);
  for (const byte of whole.subarray(0, whole.length - 30)) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  socket.write(whole.subarray(whole.length - 30));
  let answer = Buffer.alloc(0);
  for await (const piece of socket) {
    answer = Buffer.concat([answer, piece]);
    // The ping comes back with the flag of an acknowledgement.
    if (answer.includes(Buffer.concat([Buffer.from([0, 0, 8, 6, 1, 0, 0, 0, 0]), Buffer.from('pingpong')]))) return;
  }
  expect.unreachable('The ping was not answered.');
});

async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

test('what never greets gives its file descriptors back', async () => {
  const clock = manualClock();
  const server = await serving({ clock });
  const before = await openFiles();
  const sockets = await Promise.all(Array.from({ length: 60 }, () => dial(server)));
  for (const socket of sockets) socket.resume();
  while (clock.sleeping < 60) await new Promise(setImmediate);
  // Both ends are in this process.
  expect(await openFiles()).toBeGreaterThanOrEqual(before + 120);
  await clock.advance(10_000);
  await Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')));
  await new Promise(setImmediate);
  expect(await openFiles()).toBeLessThan(before + 20);
});

test('closing waits for nobody who has not greeted', async () => {
  const clock = manualClock();
  const server = await serving({ clock, tls: pki.server });
  const sockets = await Promise.all([dial(server), dial(server)]);
  for (const socket of sockets) socket.resume();
  sockets[0]?.write(Buffer.from([22, 3, 1]));
  while (clock.sleeping < 2) await new Promise(setImmediate);
  const gone = Promise.all(sockets.map((socket) => once(socket, 'close')));
  await server.close();
  await gone;
  expect(clock.sleeping).toBe(0);
});
