import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/index.ts';
import { seededRandom } from '../../../src/testing/index.ts';
import { pickInt } from '../../../src/testing/seeded-random.ts';

/**
 * What a network can do to a connection:
 * - `delay`: each piece comes up to 200 ms late;
 * - `slow`: 10 KiB/s;
 * - `reset`: cut in the middle of an answer;
 * - `half-close`: the server's side ends in place of an answer, the client's stays open;
 * - `black-hole`: nothing comes through any more, and nothing says so;
 * - `drop-reply`: requests reach the server, an answer is lost, and the connection is cut;
 * - `hang`: connections are cut; new ones are accepted, and nothing follows;
 * - `refuse`: connections are cut; new ones are refused.
 */
export const NETWORK_FAULTS = [
  'delay',
  'slow',
  'reset',
  'half-close',
  'black-hole',
  'drop-reply',
  'hang',
  'refuse',
] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

const MAX_DELAY_MS = 200;
const SLOW_BYTES_PER_MS = 10.24;
const DROPPED_MS = 30;
// The first pieces of an answer are HTTP/2's greetings: a connection that never gets further would hit no call.
const GREETINGS = 4;
const MAX_ANSWERS = 12;

type Direction = 'request' | 'answer';

/** One connection of a client's, and the proxy's own to the server. */
class Link {
  readonly #proxy: FaultProxy;
  readonly #client: Socket;
  readonly #server: Socket;
  /** What is under way in each direction; pieces keep their order. */
  readonly #tails: Record<Direction, Promise<void>> = { request: Promise.resolve(), answer: Promise.resolve() };
  /** How many pieces of answers come through before a fault that ends the connection. */
  #fuse: number;
  #isCut = false;

  constructor(proxy: FaultProxy, client: Socket, server: Socket) {
    this.#proxy = proxy;
    this.#client = client;
    this.#server = server;
    this.#fuse = GREETINGS + pickInt(proxy.random, MAX_ANSWERS - GREETINGS);
    client.setNoDelay();
    server.setNoDelay();
    client.on('data', (piece) => this.#pass('request', piece, server));
    server.on('data', (piece) => this.#pass('answer', piece, client));
    for (const socket of [client, server]) {
      socket.on('error', () => this.cut());
      socket.on('close', () => this.cut());
    }
    client.on('end', () => server.end());
    server.on('end', () => client.end());
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
    this.#proxy.forget(this);
  }

  #pass(direction: Direction, piece: Buffer, to: Socket): void {
    this.#tails[direction] = this.#tails[direction].then(() => this.#send(direction, piece, to));
  }

  async #send(direction: Direction, piece: Buffer, to: Socket): Promise<void> {
    const { fault, random } = this.#proxy;
    const isStruck = direction === 'answer' && --this.#fuse < 0;
    switch (fault) {
      case 'delay':
        await sleep(random.float() * MAX_DELAY_MS);
        break;
      case 'slow':
        await sleep(piece.length / SLOW_BYTES_PER_MS);
        break;
      case 'black-hole':
        return;
      case 'reset':
        if (!isStruck) break;
        to.write(piece.subarray(0, piece.length >> 1), () => this.cut());
        return;
      case 'half-close':
        if (!isStruck) break;
        to.end();
        return;
      case 'drop-reply':
        if (!isStruck) break;
        await sleep(DROPPED_MS);
        this.cut();
        return;
    }
    if (!this.#isCut && to.writable) to.write(piece);
  }
}

/** A TCP proxy before a server, for faults that a real network has. */
export class FaultProxy implements AsyncDisposable {
  readonly random: Random;
  readonly #target: number;
  readonly #links = new Set<Link>();
  readonly #hanging = new Set<Socket>();
  #listener: Server | undefined;
  #port = 0;
  #fault: NetworkFault | undefined;
  #accepted = 0;

  private constructor(target: number, seed: number) {
    this.#target = target;
    this.random = seededRandom(seed);
  }

  /** Before the server on `target`, a port of this machine. */
  static async start(target: number, seed = 1): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, seed);
    await proxy.#listen();
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get fault(): NetworkFault | undefined {
    return this.#fault;
  }

  /** How many connections have ever been made through it. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many connections are open through it. */
  get connections(): number {
    return this.#links.size;
  }

  /** From now on, for old connections and new ones; `undefined` is a network that works. */
  async set(fault: NetworkFault | undefined): Promise<void> {
    this.#fault = fault;
    // A network that has lost pieces of a connection can only end it.
    if (fault === undefined || fault === 'hang' || fault === 'refuse') this.cut();
    if (fault === 'refuse') await this.#stopListening();
    else if (this.#listener === undefined) await this.#listen();
  }

  cut(): void {
    for (const link of this.#links) link.cut();
    for (const socket of this.#hanging) socket.resetAndDestroy();
  }

  forget(link: Link): void {
    this.#links.delete(link);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await this.#stopListening();
  }

  async #listen(): Promise<void> {
    const listener = createServer((client) => {
      if (this.#fault === 'hang') {
        this.#hanging.add(client);
        client.on('error', () => {});
        client.on('close', () => this.#hanging.delete(client));
        return;
      }
      this.#accepted++;
      this.#links.add(new Link(this, client, connect(this.#target, '127.0.0.1')));
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      // The second time on the port of the first: a client knows no other.
      listener.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = listener.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
    this.#listener = listener;
  }

  async #stopListening(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) await new Promise((resolve) => listener.close(resolve));
  }
}
