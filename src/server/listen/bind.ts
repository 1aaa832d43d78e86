import { lookup } from 'node:dns/promises';
import type { Server } from 'node:net';
import { NorimakiError } from '../../core/errors.ts';
import { joinAddress, type Settings } from '../options.ts';

/** A machine may know `localhost` by an address that it does not have. */
const NOT_HERE: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Listens on every address of the host, with a server each, and resolves to their port. Errors: `argument.invalid`. */
export async function bind({ host, port: wanted }: Settings, newServer: () => Server): Promise<number> {
  const servers: Server[] = [];
  let port = wanted;
  try {
    const addresses = new Set((await lookup(host, { all: true })).map(({ address }) => address));
    let failure: unknown = new Error('no address');
    for (const address of addresses) {
      const server = newServer();
      try {
        port = await listen(server, address, port);
        servers.push(server);
      } catch (error) {
        if (!NOT_HERE.has(codeOf(error))) throw error;
        failure = error;
      }
    }
    if (servers.length === 0) throw failure;
    return port;
  } catch (cause) {
    for (const server of servers) server.close();
    const code = codeOf(cause);
    throw new NorimakiError(
      'argument.invalid',
      `The server cannot listen on ${joinAddress(host, wanted)} (${code ?? 'unknown'}): choose another host or port, or end what listens there.`,
      { argument: code === 'EADDRINUSE' ? 'port' : 'host' },
      { cause },
    );
  }
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const bound = server.address();
      // Only a pipe has a name in place of a port.
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
