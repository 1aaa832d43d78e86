import type { Clock } from '../../core/clock.ts';
import { milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';
import { systemClock } from '../../core/system.ts';
import { isLoopback, type NodeAddress, nodesOf } from './addresses.ts';
import type { NorikvOptions, NorikvTls } from './options.ts';

/** {@link NorikvOptions}, checked and with every default decided. */
export interface Settings {
  readonly nodes: readonly NodeAddress[];
  /** `undefined`: plaintext. */
  readonly tls: NorikvTls | undefined;
  readonly token: string | (() => string | Promise<string>) | undefined;
  readonly shards: number | undefined;
  /** In milliseconds. */
  readonly timeout: number;
  readonly isExtensionRequired: boolean;
  readonly batching: boolean;
  readonly largeValues: 'warn' | 'refuse';
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
}

const MAX_SHARDS = 2 ** 31 - 1;

function refuse(argument: string, message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument });
}

/** Errors: `argument.invalid`. */
export function settingsOf(options: NorikvOptions): Settings {
  const { shards, timeout = '10s', extension = 'auto', batching = true, largeValues = 'warn' } = options;
  const { onWarning = (message) => process.emitWarning(message, 'NorimakiWarning') } = options;
  const { clock = systemClock, signal } = options;
  const nodes = nodesOf(options.nodes);
  const tls = tlsOf(options, nodes);
  if (shards !== undefined && (!Number.isInteger(shards) || shards < 1 || shards > MAX_SHARDS)) {
    refuse('shards', `shards is a whole number from 1 to ${MAX_SHARDS}.`);
  }
  const ms = milliseconds(timeout, 'timeout');
  if (ms < 1) refuse('timeout', 'timeout is at least one millisecond.');
  if (extension !== 'auto' && extension !== 'required') refuse('extension', "extension is 'auto' or 'required'.");
  if (largeValues !== 'warn' && largeValues !== 'refuse') refuse('largeValues', "largeValues is 'warn' or 'refuse'.");
  return {
    ...{ nodes, tls, token: tokenOf(options, nodes, tls), shards, timeout: ms, batching, largeValues, signal, clock },
    isExtensionRequired: extension === 'required',
    warn: onWarning,
  };
}

function tlsOf({ tls, insecure = false }: NorikvOptions, nodes: readonly NodeAddress[]): NorikvTls | undefined {
  if (tls !== undefined && insecure) {
    refuse('insecure', 'insecure: true is plaintext, and tls is not: leave out one of them.');
  }
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined)) {
    refuse('tls', 'tls.cert and tls.key go together: pass both or neither.');
  }
  if (tls !== undefined || insecure) return tls;
  return nodes.every(({ host }) => isLoopback(host)) ? undefined : {};
}

function tokenOf(
  { credentials }: NorikvOptions,
  nodes: readonly NodeAddress[],
  tls: NorikvTls | undefined,
): Settings['token'] {
  if (credentials === undefined) return undefined;
  if (tls === undefined && !nodes.every(({ host }) => isLoopback(host))) {
    refuse('credentials', 'A token does not travel in plaintext to other machines: use TLS.');
  }
  const { token } = credentials;
  if (typeof token === 'function') return token;
  return checkToken(token);
}

/** Says nothing of the token itself: errors end up in logs. */
export function checkToken(token: unknown): string {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  return refuse('credentials', 'A token is a string of visible ASCII characters, not empty.');
}
