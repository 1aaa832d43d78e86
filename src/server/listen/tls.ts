import { createSecureContext, type TlsOptions } from 'node:tls';
import { NorimakiError } from '../../core/errors.ts';
import type { ServerTls } from '../options.ts';

/** TLS from version 1.2 on, which is Node's own least. Errors: `argument.invalid`. */
export function tlsOptionsOf({ cert, key, ca }: ServerTls): TlsOptions {
  const pem = { cert: Buffer.from(cert), key: Buffer.from(key), ...(ca === undefined ? {} : { ca: Buffer.from(ca) }) };
  try {
    // Here, so that what is no certificate is told before anything listens.
    createSecureContext(pem);
  } catch (cause) {
    throw new NorimakiError('argument.invalid', 'tls cannot be used.', { argument: 'tls' }, { cause });
  }
  return { ...pem, ALPNProtocols: ['h2'], requestCert: ca !== undefined, rejectUnauthorized: ca !== undefined };
}
