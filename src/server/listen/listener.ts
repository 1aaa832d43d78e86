import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import type { Settings } from '../options.ts';
import { bind } from './bind.ts';
import { awaitGreeting } from './greeting.ts';
import { tlsOptionsOf } from './tls.ts';

/**
 * Where connections come in. Each has `limits.handshake` to get through TLS and to greet as HTTP/2 does, and is handed on
 * then; what never gets so far keeps no socket.
 */
export class Listener {
  readonly #settings: Settings;
  readonly #onConnection: (socket: Socket) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** Those that have not greeted yet, by where they come from: a socket of TLS does not tell which it stands on. */
  readonly #strangers = new Map<string, Stranger>();

  constructor(settings: Settings, onConnection: (socket: Socket) => void) {
    this.#settings = settings;
    this.#onConnection = onConnection;
  }

  /** Resolves to the port. Errors: `argument.invalid`. */
  async listen(): Promise<number> {
    const tls = this.#settings.tls && tlsOptionsOf(this.#settings.tls);
    return bind(this.#settings, () => {
      const server = tls === undefined ? createServer() : createSecureServer(tls);
      server.on('connection', (socket: Socket) => this.#take(socket));
      // With TLS it comes on its own, once the handshake is done; before that there is nothing to read.
      server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => this.#greet(socket));
      this.#servers.push(server);
      return server;
    });
  }

  /** Takes no more connections, and cuts those that have not greeted. */
  stop(): void {
    for (const server of this.#servers) server.close();
    for (const { socket } of this.#strangers.values()) socket.destroy();
  }

  /** Cuts every connection. */
  cut(): void {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  #take(socket: Socket): void {
    const { clock, limits } = this.#settings;
    const origin = originOf(socket);
    const known = new AbortController();
    const stranger = { socket, known };
    this.#sockets.add(socket);
    this.#strangers.set(origin, stranger);
    // Tells nothing that its end does not tell.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#strangers.get(origin) === stranger) this.#strangers.delete(origin);
      known.abort();
    });
    clock.sleep(limits.handshake, { signal: known.signal, background: true }).then(
      () => socket.destroy(),
      () => {},
    );
  }

  #greet(socket: Socket): void {
    const origin = originOf(socket);
    socket.on('error', () => {});
    awaitGreeting(socket, () => {
      this.#strangers.get(origin)?.known.abort();
      this.#strangers.delete(origin);
      this.#onConnection(socket);
    });
  }
}

interface Stranger {
  readonly socket: Socket;
  /** Aborted when there is nothing to wait for any more. */
  readonly known: AbortController;
}

function originOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
