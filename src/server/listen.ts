import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { NorimakiError } from '../core/errors.ts';
import { joinAddress, type ServerTls, type Settings } from './options.ts';

/** Listens, and resolves to the port. Errors: `argument.invalid`. */
export async function listen(server: Server, { host, port, tls }: Settings): Promise<number> {
  const credentials = credentialsOf(tls);
  try {
    return await new Promise((resolve, reject) => {
      server.bindAsync(joinAddress(host, port), credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  } catch (cause) {
    const reason = cause instanceof Error ? (/[A-Z]{5,}/.exec(cause.message)?.[0] ?? cause.message) : 'unknown';
    throw new NorimakiError(
      'argument.invalid',
      `The server cannot listen on ${joinAddress(host, port)} (${reason}): choose another host or port, or end what listens there.`,
      { argument: reason === 'EADDRINUSE' ? 'port' : 'host' },
      { cause },
    );
  }
}

/** TLS from version 1.2 on, which is Node's own least. */
function credentialsOf(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, ca } = tls;
  try {
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    return ServerCredentials.createSsl(ca === undefined ? null : Buffer.from(ca), [pair], ca !== undefined);
  } catch (cause) {
    throw new NorimakiError('argument.invalid', 'tls cannot be used.', { argument: 'tls' }, { cause });
  }
}
