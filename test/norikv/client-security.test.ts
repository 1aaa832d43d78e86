import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { NorimakiError } from '../../src/index.ts';
import { type ServeOptions, serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type NorikvOptions, norikv } from '../../src/stores/norikv/index.ts';
import { type Certificates, makeCertificates } from './support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'norimaki-client-tls-'));
const KEY = new TextEncoder().encode('key');
const TOKEN = 'the-secret-token';
let certificates: Certificates;

beforeAll(async () => {
  certificates = await makeCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(serving: ServeOptions): Promise<string> {
  const server = await serve(memory(), { port: 0, ...serving });
  onTestFinished(() => server.close({ grace: 0 }));
  return server.address;
}

async function openTo(address: string, options: Partial<NorikvOptions> = {}) {
  const store = await norikv({ nodes: [address], timeout: 5_000, ...options }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  return store;
}

async function refusalOf(opening: Promise<unknown>): Promise<NorimakiError> {
  const error: unknown = await opening.then(
    () => new Error('It was let in.'),
    (reason) => reason,
  );
  if (!(error instanceof NorimakiError)) throw error;
  // Whatever a log makes of it.
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN);
  return error;
}

/** A server behind these certificates, and a client with these; who is refused is told why. */
describe.each([
  ['one stream', true],
  ['unary calls', false],
] as const)('over %s', (_, batching) => {
  test('a certificate of a known authority for the right name is accepted', async () => {
    const store = await openTo(await start({ tls: certificates.server }), { tls: { ca: certificates.ca }, batching });
    await store.put(KEY, KEY);
    expect((await store.get(KEY))?.value).toEqual(KEY);
  });

  test('both sides show certificates', async () => {
    const address = await start({ tls: { ...certificates.server, ca: certificates.ca } });
    const store = await openTo(address, { tls: { ca: certificates.ca, ...certificates.client }, batching });
    await store.put(KEY, KEY);
  });

  test('a name of its own is demanded of the server', async () => {
    const address = await start({ tls: certificates.otherName });
    const tls = { ca: certificates.ca, serverName: 'example.org' };
    await (await openTo(address, { tls, batching })).put(KEY, KEY);
  });

  test.each(['static', 'given for each call'])('a good token is accepted, %s', async (kind) => {
    const address = await start({ tls: certificates.server, auth: { tokens: [TOKEN] } });
    const token = kind === 'static' ? TOKEN : async () => TOKEN;
    const store = await openTo(address, { tls: { ca: certificates.ca }, credentials: { token }, batching });
    await store.put(KEY, KEY);
    expect(inspect(store, { depth: 20, showHidden: true })).not.toContain(TOKEN);
  });

  test('a token that has become bad is refused, and not for ever', async () => {
    let token = TOKEN;
    const address = await start({ auth: { tokens: [TOKEN] } });
    const store = await openTo(address, { credentials: { token: () => token }, batching });
    token = 'old';
    expect((await refusalOf(store.put(KEY, KEY))).code).toBe('store.refused');
    token = TOKEN;
    await store.put(KEY, KEY);
  });

  test('a function that gives no token is an error of its own', async () => {
    const address = await start({ auth: { tokens: [TOKEN] } });
    let isGiven = true;
    const token = (): string => (isGiven ? TOKEN : `${TOKEN}\n`);
    const store = await openTo(address, { credentials: { token }, batching });
    isGiven = false;
    expect(await refusalOf(store.put(KEY, KEY))).toMatchObject({ code: 'store.refused' });
  });
});

describe('refused, with the reason, and without falling back to plaintext', () => {
  const cases: readonly (readonly [string, () => ServeOptions, () => Partial<NorikvOptions>, RegExp])[] = [
    [
      'an unknown authority',
      () => ({ tls: certificates.stranger }),
      () => ({ tls: { ca: certificates.ca } }),
      /certificate/,
    ],
    [
      'another authority than the server has',
      () => ({ tls: certificates.server }),
      () => ({ tls: { ca: certificates.strangerCa } }),
      /certificate/,
    ],
    ['authorities that Node trusts', () => ({ tls: certificates.server }), () => ({ tls: {} }), /certificate/],
    [
      'another name',
      () => ({ tls: certificates.otherName }),
      () => ({ tls: { ca: certificates.ca } }),
      /does not match|altnames/,
    ],
    [
      'a certificate that has expired',
      () => ({ tls: certificates.expired }),
      () => ({ tls: { ca: certificates.ca } }),
      /expired/,
    ],
    [
      'no client certificate',
      () => ({ tls: { ...certificates.server, ca: certificates.ca } }),
      () => ({ tls: { ca: certificates.ca } }),
      /certificate/,
    ],
    ['TLS to a server without it', () => ({}), () => ({ tls: { ca: certificates.ca } }), /TLS/],
    ['no token', () => ({ auth: { tokens: [TOKEN] } }), () => ({}), /refuses this client/],
    [
      'a bad token',
      () => ({ auth: { tokens: ['another'] } }),
      () => ({ credentials: { token: TOKEN } }),
      /refuses this client/,
    ],
  ];
  test.each(cases)('%s', async (_, serving, options, reason) => {
    const error = await refusalOf(openTo(await start(serving()), options()));
    expect(error.message).toMatch(reason);
    expect(error).toMatchObject({ code: 'store.refused', retryable: false });
  });

  test('plaintext to a server with TLS is an outage', async () => {
    const error = await refusalOf(openTo(await start({ tls: certificates.server })));
    expect(error).toMatchObject({ code: 'store.unavailable', details: { applied: 'no' } });
  });

  test('a client certificate of somebody else, at which a server of Node hangs up', async () => {
    const address = await start({ tls: { ...certificates.server, ca: certificates.ca } });
    const error = await refusalOf(openTo(address, { tls: { ca: certificates.ca, ...certificates.stranger } }));
    expect(error).toMatchObject({ code: 'store.unavailable', details: { applied: 'no' } });
    expect(error.message).toContain('check that both sides use TLS or neither, and tls.cert');
  });
});
