import { hostname } from 'node:os';
import type { Clock, Environment } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import { systemClock, systemEnvironment } from '../core/system.ts';
import { MAX_DIMENSIONS, MAX_K } from '../core/vectors/index.ts';
import type { Cluster } from './cluster.ts';
import { FAITHFUL, QUIRKS, type Quirk } from './quirks/names.ts';

/** PEM, as files hold it. */
export interface ServerTls {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Who signs clients: with it every client must show a certificate of theirs. */
  readonly ca?: string | Uint8Array | undefined;
}

/** Which bearer tokens are good. A function decides by itself; what it throws is not passed on. */
export type ServerAuth = { readonly tokens: readonly string[] } | ((token: string) => boolean | Promise<boolean>);

export interface ServerLimits {
  /** Of a message, in bytes; 2 MiB at least, default 4 MiB, which is what clients take. */
  readonly message: number;
  /** Calls and streams open at once on one connection; default 256. Clients wait for a place. */
  readonly streams: number;
  /** Calls at work at once, over all connections; default 4,096. What comes beyond is refused. */
  readonly calls: number;
  /** Calls at work at once in one `Stream`; default 1,024. What comes beyond is left unread. */
  readonly callsPerStream: number;
  /** Watches open at once on one connection; default 64. What comes beyond is refused. */
  readonly watchesPerConnection: number;
  /** Keys that wait for a client that reads slowly, before its watch is lost; default 10,000. */
  readonly changesPerWatch: number;
  /** Of a search; default 1,000, which is also the most. */
  readonly k: number;
  /** Of a vector; default 4,096, which is also the most. */
  readonly dimensions: number;
  /** Answers remembered for 24 hours where the store remembers none; default 100,000. */
  readonly idempotencyKeys: number;
  /** How long a call in a `Stream` may take that gives no time of its own, in milliseconds; default 60,000. */
  readonly timeout: number;
  /** How long a connection may take for its TLS and to greet as HTTP/2 does, in milliseconds; default 10,000. */
  readonly handshake: number;
}

export interface ServeOptions {
  /** Default `'127.0.0.1'`. Any other than loopback needs `tls`, or `insecure: true`. */
  readonly host?: string | undefined;
  /** Default 7447; 0 for any that is free. */
  readonly port?: number | undefined;
  readonly tls?: ServerTls | undefined;
  /** Plaintext on a host that is not loopback: only behind something that encrypts. */
  readonly insecure?: boolean | undefined;
  /** Default: everybody may call. Health checks never need a token. */
  readonly auth?: ServerAuth | undefined;
  /** `'faithful'` imitates the shipped NoriKV server; default `'strict'`. */
  readonly mode?: 'strict' | 'faithful' | undefined;
  /** These, in place of what `mode` stands for. */
  readonly quirks?: readonly Quirk[] | undefined;
  readonly limits?: Partial<ServerLimits> | undefined;
  /** Default: this server is alone and leads every shard. */
  readonly cluster?: Cluster | undefined;
  /** Over how many shards keys are spread, where there is no `cluster`; default 1,024. */
  readonly shards?: number | undefined;
  /** `host:port` as clients are told, where there is no `cluster`; default: where it listens. */
  readonly advertise?: string | undefined;
  /** What `open()` hands to a store: time decides what has expired. */
  readonly environment?: Partial<Environment> | undefined;
  /** For deadlines and waits of the network; default: the machine's, whatever `environment` says. */
  readonly clock?: Clock | undefined;
  /** Closes the server, as `close()` does. */
  readonly signal?: AbortSignal | undefined;
}

/** Options with their defaults, checked. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls | undefined;
  readonly auth: ServerAuth | undefined;
  readonly quirks: ReadonlySet<Quirk>;
  readonly limits: ServerLimits;
  readonly cluster: Cluster | undefined;
  readonly shards: number;
  readonly advertise: string | undefined;
  readonly environment: Environment;
  readonly clock: Clock;
}

const DEFAULT_LIMITS: ServerLimits = {
  message: 4 * 1024 * 1024,
  streams: 256,
  calls: 4096,
  callsPerStream: 1024,
  watchesPerConnection: 64,
  changesPerWatch: 10_000,
  k: MAX_K,
  dimensions: MAX_DIMENSIONS,
  idempotencyKeys: 100_000,
  timeout: 60_000,
  handshake: 10_000,
};

/** The longest record, and a page of a scan, must fit into a message. */
const LEAST: Partial<ServerLimits> = { message: 2 * 1024 * 1024 };
const MOST: Partial<ServerLimits> = { k: MAX_K, dimensions: MAX_DIMENSIONS };
const MAX_COUNT = 2 ** 31 - 1;
const MAX_SHARDS = 65_536;

/** Errors: `argument.invalid`. */
export function settingsOf(options: ServeOptions): Settings {
  const { host = '127.0.0.1', port = 7447, tls, insecure = false, auth, cluster, shards = 1024 } = options;
  if (typeof host !== 'string' || host === '') refuse('host', 'host is a name or an address, such as 127.0.0.1.');
  wholeNumber('port', port, 0, 65_535);
  wholeNumber('shards', shards, 1, MAX_SHARDS);
  if (tls === undefined && !insecure && !isLoopback(host)) {
    refuse(
      'tls',
      `On ${host} anybody on the way could read and change what is sent. Give tls: { cert, key }, or insecure: true where something else encrypts.`,
    );
  }
  if (tls !== undefined && !(isPem(tls.cert) && isPem(tls.key) && (tls.ca === undefined || isPem(tls.ca)))) {
    refuse('tls', 'tls takes the contents of files in PEM: { cert, key }, and ca for the certificates of clients.');
  }
  checkAuth(auth);
  return {
    host,
    port,
    tls,
    auth,
    quirks: quirksOf(options),
    limits: limitsOf(options.limits ?? {}),
    cluster,
    shards,
    advertise: options.advertise,
    environment: { ...systemEnvironment, ...definedOf(options.environment) },
    clock: options.clock ?? systemClock,
  };
}

/** `host:port`, with an address of IPv6 in brackets. */
export function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where clients reach what listens on `host`: no client can dial the address that stands for all. */
export function publicAddress(host: string, port: number): string {
  return joinAddress(host === '0.0.0.0' || host === '::' ? hostname() : host, port);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isPem(text: unknown): boolean {
  return (typeof text === 'string' || text instanceof Uint8Array) && text.length > 0;
}

function checkAuth(auth: ServerAuth | undefined): void {
  if (auth === undefined || typeof auth === 'function') return;
  const { tokens } = auth;
  if (
    Array.isArray(tokens) &&
    tokens.length > 0 &&
    tokens.every((token) => typeof token === 'string' && token !== '')
  ) {
    return;
  }
  refuse('auth', 'auth takes { tokens: [...] }, one at least and none of them empty, or a function of a token.');
}

function quirksOf({ mode = 'strict', quirks }: ServeOptions): ReadonlySet<Quirk> {
  if (mode !== 'strict' && mode !== 'faithful') refuse('mode', "mode is 'strict' or 'faithful'.");
  const unknown = quirks?.find((quirk) => !QUIRKS.includes(quirk));
  if (unknown !== undefined) refuse('quirks', `There is no quirk '${unknown}', only ${QUIRKS.join(', ')}.`);
  return new Set(quirks ?? (mode === 'faithful' ? FAITHFUL : []));
}

function limitsOf(given: Partial<ServerLimits>): ServerLimits {
  const limits = { ...DEFAULT_LIMITS, ...definedOf(given) };
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) refuse('limits', `There is no limit '${name}'.`);
    // Just checked to be one of the names.
    const limit = name as keyof ServerLimits;
    wholeNumber(`limits.${name}`, value, LEAST[limit] ?? 1, MOST[limit] ?? MAX_COUNT);
  }
  return limits;
}

/** Without what is undefined, which would stand in the way of a default. */
function definedOf<T extends object>(given: T | undefined): Partial<T> {
  const entries = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  // The same names and values, but for some that are left out.
  return Object.fromEntries(entries) as Partial<T>;
}

function wholeNumber(argument: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  refuse(argument, `${argument} is a whole number from ${least} to ${most}.`);
}

function refuse(argument: string, message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument });
}
