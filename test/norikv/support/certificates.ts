import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Certificates {
  /** Signed all below but `stranger`. */
  readonly ca: Buffer;
  /** For localhost and 127.0.0.1. */
  readonly server: KeyPair;
  /** For example.org only. */
  readonly otherName: KeyPair;
  /** For localhost and 127.0.0.1, until yesterday. */
  readonly expired: KeyPair;
  readonly client: KeyPair;
  /** Another authority, and what it signed for localhost and 127.0.0.1. */
  readonly strangerCa: Buffer;
  readonly stranger: KeyPair;
}

async function makeAuthority(folder: string, name: string): Promise<void> {
  const file = (end: string): string => join(folder, `${name}.${end}`);
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'],
    ...['-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('crt')],
  ]);
}

async function makePair(folder: string, authority: string, name: string, sans: string, days: number): Promise<KeyPair> {
  const file = (end: string): string => join(folder, `${name}.${end}`);
  await writeFile(file('ext'), `subjectAltName=${sans}\n`);
  await run('openssl', [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('csr')],
  ]);
  await run('openssl', [
    ...['x509', '-req', '-in', file('csr'), '-days', String(days), '-extfile', file('ext'), '-out', file('crt')],
    ...['-CA', join(folder, `${authority}.crt`), '-CAkey', join(folder, `${authority}.key`)],
  ]);
  return { cert: await readFile(file('crt')), key: await readFile(file('key')) };
}

/** Certificates of every kind that a client must tell apart, in `folder`, made by the `openssl` command. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  await mkdir(folder, { recursive: true });
  await Promise.all([makeAuthority(folder, 'ca'), makeAuthority(folder, 'stranger-ca')]);
  const here = 'DNS:localhost,IP:127.0.0.1';
  const [server, otherName, expired, client, stranger] = await Promise.all([
    makePair(folder, 'ca', 'server', here, 30),
    makePair(folder, 'ca', 'other-name', 'DNS:example.org', 30),
    makePair(folder, 'ca', 'expired', here, -1),
    makePair(folder, 'ca', 'client', 'DNS:client', 30),
    makePair(folder, 'stranger-ca', 'stranger', here, 30),
  ]);
  const ca = await readFile(join(folder, 'ca.crt'));
  return {
    ca,
    server,
    otherName,
    expired,
    client,
    stranger,
    strangerCa: await readFile(join(folder, 'stranger-ca.crt')),
  };
}
