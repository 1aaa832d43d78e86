import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { NorimakiError } from '../../src/index.ts';
import { type ServeOptions, serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type Certificates, makeCertificates } from './support/certificates.ts';
import { PlainClient, refusal } from './support/plain-client.ts';
import { plain, serving } from './support/serving.ts';
import { extensionClient, get, StreamClient } from './support/stream-client.ts';

const key = Buffer.from('key');
const TOKEN = 'a-good-token-7f3a';

let folder: string;
let pki: Certificates;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'server-security-'));
  pki = await makeCertificates(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Over TLS; `pair` is what the client shows of itself. */
function secure(port: number, ca: Buffer, pair?: { readonly key: Buffer; readonly cert: Buffer }): PlainClient {
  const client = new PlainClient(`localhost:${port}`, credentials.createSsl(ca, pair?.key ?? null, pair?.cert ?? null));
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

test.each(['0.0.0.0', '::', 'example.org', '10.0.0.1', '128.0.0.1'])(
  'plaintext on %s must be asked for',
  async (host) => {
    await expect(serve(memory(), { host, port: 0 })).rejects.toMatchObject({
      code: 'argument.invalid',
      details: { argument: 'tls' },
      message: expect.stringContaining('insecure: true'),
    });
  },
);

test('plaintext on every address works where it was asked for', async () => {
  const server = await serving({ host: '0.0.0.0', insecure: true });
  const client = new PlainClient(`127.0.0.1:${server.port}`);
  onTestFinished(() => client[Symbol.dispose]());
  expect(await client.call('Kv/Get', { key })).toEqual({});
});

test('over TLS a client of the right authority is served, any other is not', async () => {
  const { port } = await serving({ host: 'localhost', tls: pki.server });
  expect(await secure(port, pki.ca).call('Kv/Get', { key })).toEqual({});
  const options = { timeout: 2000 };
  expect((await refusal(secure(port, pki.strangerCa).call('Kv/Get', { key }, options))).code).toBe(status.UNAVAILABLE);
  const plaintext = new PlainClient(`localhost:${port}`);
  onTestFinished(() => plaintext[Symbol.dispose]());
  expect((await refusal(plaintext.call('Kv/Get', { key }, options))).code).toBe(status.UNAVAILABLE);
});

test('with an authority for clients, only who shows a certificate of it is served', async () => {
  const { port } = await serving({ host: 'localhost', tls: { ...pki.server, ca: pki.ca } });
  expect(await secure(port, pki.ca, pki.client).call('Kv/Get', { key })).toEqual({});
  for (const pair of [undefined, pki.stranger]) {
    const refused = await refusal(secure(port, pki.ca, pair).call('Kv/Get', { key }, { timeout: 2000 }));
    expect(refused.code).toBe(status.UNAVAILABLE);
  }
});

test.each(['TLSv1', 'TLSv1.1'] as const)('%s is too old', async (version) => {
  const { port } = await serving({ host: 'localhost', tls: pki.server });
  const attempt = new Promise((resolve, reject) => {
    const versions = { minVersion: version, maxVersion: version };
    // Security level 0: the client itself would refuse to try, otherwise.
    const options = { port, host: 'localhost', ca: pki.ca, ciphers: 'DEFAULT@SECLEVEL=0', ALPNProtocols: ['h2'] };
    const socket = connect({ ...options, ...versions }, () => resolve(socket.destroy()));
    socket.on('error', reject);
  });
  await expect(attempt).rejects.toThrow(/alert protocol version|unsupported protocol/i);
});

test.each<[string, ServeOptions]>([
  ['what is no certificate', { tls: { cert: 'x', key: 'y' } }],
  ['an empty key', { tls: { cert: 'x', key: '' } }],
  ['no token', { auth: { tokens: [] } }],
  ['an empty token', { auth: { tokens: [''] } }],
])('%s is refused before it listens', async (_, options) => {
  await expect(serve(memory(), { port: 0, ...options })).rejects.toMatchObject({ code: 'argument.invalid' });
});

const bearer = (token: string) => ({ metadata: { authorization: `Bearer ${token}` } });

const auths: Record<string, ServeOptions['auth']> = {
  'a list of tokens': { tokens: ['another', TOKEN] },
  'a function': (token) => token === TOKEN,
  'a function that takes its time': async (token) => token === TOKEN,
};

test.each(Object.entries(auths))('with %s only a good token is served, on every service', async (_, auth) => {
  const server = await serving({ auth });
  const client = new PlainClient(server.address);
  onTestFinished(() => client[Symbol.dispose]());
  expect(await client.call('Kv/Get', { key }, bearer(TOKEN))).toEqual({});
  expect(await client.call('Kv/Get', { key }, { metadata: { authorization: `bearer  ${TOKEN}` } })).toEqual({});
  const bad = ['', `${TOKEN}x`, TOKEN.slice(1), 'x'].map(bearer);
  for (const options of [{}, ...bad, { metadata: { authorization: `Basic ${TOKEN}` } }]) {
    for (const rpc of ['Kv/Get', 'Vector/Get', 'Admin/SnapshotShard'] as const) {
      expect(await refusal(client.call(rpc, {}, options))).toMatchObject({
        code: status.UNAUTHENTICATED,
        details: 'A good bearer token is needed.',
      });
    }
  }
  const described = new Promise((resolve) => extensionClient(server).describe({}, (error) => resolve(error?.code)));
  expect(await described).toBe(status.UNAUTHENTICATED);
  const stream = new StreamClient(server);
  stream.send([1, get('key')]);
  expect((await stream.ended).code).toBe(status.UNAUTHENTICATED);
  const reflection = client.raw('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', Buffer.alloc(0));
  expect((await refusal(reflection)).code).toBe(status.UNAUTHENTICATED);
});

test('a good token is served in a stream too', async () => {
  const server = await serving({ auth: { tokens: [TOKEN] } });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${TOKEN}`);
  const duplex = extensionClient(server).stream(metadata);
  duplex.on('error', () => {});
  const answer = new Promise((resolve) => duplex.on('data', resolve));
  duplex.write({ calls: [{ id: 1, timeoutMs: 0, request: get('key') }] });
  expect(await answer).toMatchObject({ replies: [{ id: 1 }] });
  duplex.end();
});

test('whether the server is well may be asked without a token', async () => {
  const client = await plain({ auth: { tokens: [TOKEN] } });
  const answer = await client.raw('/grpc.health.v1.Health/Check', Buffer.alloc(0));
  expect([...answer]).toEqual([8, 1]);
});

test('no token is in what a client is told, nor in what its check throws', async () => {
  const check = (token: string): boolean => {
    throw new Error(`The directory does not know ${token}.`);
  };
  const client = await plain({ auth: check });
  const { code, error } = await refusal(client.call('Kv/Get', { key }, bearer(TOKEN)));
  expect(code).toBe(status.UNAVAILABLE);
  expect(`${error.message} ${error.details} ${JSON.stringify(error.metadata.getMap())}`).not.toContain(TOKEN);
});

test('what opening the server throws holds no key and no token', async () => {
  const text = (await readFile(join(folder, 'server.key'))).toString();
  const error = await serve(memory(), {
    port: 0,
    tls: { cert: 'no certificate', key: text },
    auth: { tokens: [TOKEN] },
  }).catch((reason: unknown) => reason);
  if (!(error instanceof NorimakiError)) throw error;
  const { inspect } = await import('node:util');
  expect(inspect(error, { depth: 9 })).not.toContain(text.split('\n')[1]);
  expect(inspect(error, { depth: 9 })).not.toContain(TOKEN);
});
