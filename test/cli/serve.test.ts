import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { requireBuild } from '../docs/build.ts';
import { makeCertificates } from '../norikv/support/certificates.ts';
import { PlainClient, refusal } from '../norikv/support/plain-client.ts';
import { call, type Running, start } from './support/command.ts';
import { folder } from './support/world.ts';

beforeAll(requireBuild);

const key = Buffer.from('key');
const value = Buffer.from('value');

/** Starts it on a free port, and waits until it listens. */
async function serve(cwd: string, ...words: string[]): Promise<Running & { readonly address: string }> {
  const running = start(['serve', '--path', './data', '--port', '0', ...words], { cwd });
  const [line] = await Promise.race([
    once(running.process.stdout as NodeJS.ReadableStream, 'data'),
    running.ended.then((ended) => {
      throw new Error(`It ended: ${JSON.stringify(ended)}`);
    }),
  ]);
  const [, address = ''] = /^Listening on (\S+)\n$/.exec(String(line)) ?? [];
  return { ...running, address };
}

function client(address: string, options?: ConstructorParameters<typeof PlainClient>[1]): PlainClient {
  const one = new PlainClient(address, options);
  onTestFinished(() => one[Symbol.dispose]());
  return one;
}

test('serves a folder until Ctrl-C or SIGTERM, exits with 0, and keeps what it took', async () => {
  const cwd = folder();
  const first = await serve(cwd);
  expect(first.address).toMatch(/^127\.0\.0\.1:\d+$/);
  await client(first.address).call('Kv/Put', { key, value });
  first.process.kill('SIGINT');
  expect(await first.ended).toMatchObject({ exitCode: 0 });
  const second = await serve(cwd);
  expect((await client(second.address).call('Kv/Get', { key })).value).toEqual(value);
  second.process.kill('SIGTERM');
  expect(await second.ended).toMatchObject({ exitCode: 0 });
});

test('with a certificate, an authority for clients and a token each must be right', async () => {
  const cwd = folder({ tokens: '\nfirst-token\n second-token \n' });
  const pki = await makeCertificates(join(cwd, 'pki'));
  for (const [name, text] of Object.entries({ cert: pki.server.cert, key: pki.server.key, ca: pki.ca })) {
    writeFileSync(join(cwd, name), text);
  }
  const tls = ['--tls-cert', 'cert', '--tls-key', 'key', '--tls-ca', 'ca'];
  const { address, process, ended } = await serve(cwd, '--host', 'localhost', ...tls, '--token-file', 'tokens');
  const known = client(address, credentials.createSsl(pki.ca, pki.client.key, pki.client.cert));
  const bearer = { metadata: { authorization: 'Bearer second-token' } };
  expect(await known.call('Kv/Get', { key }, bearer)).toEqual({});
  expect((await refusal(known.call('Kv/Get', { key }))).code).toBe(status.UNAUTHENTICATED);
  const unknown = client(address, credentials.createSsl(pki.ca));
  expect((await refusal(unknown.call('Kv/Get', { key }, { timeout: 2000 }))).code).toBe(status.UNAVAILABLE);
  process.kill('SIGTERM');
  const { stdout, stderr } = await ended;
  expect(stdout + stderr).not.toContain('-token');
});

test('a faithful server has the quirks', async () => {
  const { address, process, ended } = await serve(folder(), '--mode', 'faithful');
  expect((await refusal(client(address).call('Vector/Get', {}))).code).toBe(status.UNIMPLEMENTED);
  process.kill('SIGTERM');
  await ended;
});

const mistakes: Record<string, { words: string[]; says: RegExp }> = {
  'no folder': { words: ['--port', '0'], says: /required option '--path <folder>'/ },
  'a port that is none': {
    words: ['--path', 'data', '--port', '70000'],
    says: /port is a whole number from 0 to 65535\./,
  },
  'plaintext for everybody': { words: ['--path', 'data', '--host', '0.0.0.0'], says: /anybody on the way could read/ },
  'a certificate without its key': { words: ['--path', 'data', '--tls-cert', 'x'], says: /--tls-cert and --tls-key/ },
  'a file that is not there': {
    words: ['--path', 'data', '--tls-cert', 'x', '--tls-key', 'y'],
    says: /--tls-cert: there is no file x that can be read/,
  },
  'a token file without a token': {
    words: ['--path', 'data', '--token-file', 'no-tokens'],
    says: /--token-file: no-tokens holds no token/,
  },
  'a mode that is none': { words: ['--path', 'data', '--mode', 'loose'], says: /Allowed choices are strict, faithful/ },
};

test('bad usage says what to do, exits with 2, and makes nothing', async () => {
  const cwd = folder({ 'no-tokens': '\n' });
  const ends = Object.entries(mistakes).map(async ([name, { words, says }]) => {
    const { exitCode, stdout, stderr } = await call(['serve', ...words], { cwd });
    expect(stderr, name).toMatch(says);
    expect({ exitCode, stdout }, name).toEqual({ exitCode: 2, stdout: '' });
  });
  await Promise.all(ends);
  expect(existsSync(join(cwd, 'data'))).toBe(false);
});
