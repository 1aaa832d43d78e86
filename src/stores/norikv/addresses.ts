import { isIP } from 'node:net';
import { NorimakiError } from '../../core/errors.ts';
import type { NorikvOptions } from './options.ts';

/** A server that may be dialled. */
export interface NodeAddress {
  /** The id that the cluster knows it by, where it was told. */
  readonly id: string | undefined;
  /** `host:port`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
}

// A host by name, by IPv4 or by IPv6 in brackets; then the port.
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/;

function refuse(message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument: 'nodes' });
}

/** The parts of `host:port`, or `undefined` if it is none. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const match = ADDRESS.exec(address);
  const [, six, name, digits] = match ?? [];
  const [host, port] = [six ?? name, Number(digits)];
  if (host === undefined || port > 65_535 || (six !== undefined && isIP(six) !== 6)) return undefined;
  return { host, port };
}

/** Errors: `argument.invalid`. */
export function nodesOf(nodes: NorikvOptions['nodes']): NodeAddress[] {
  // A program without types may pass anything.
  if (typeof nodes !== 'object' || nodes === null) refuse("nodes is a list of addresses: ['127.0.0.1:7447'].");
  const entries = Array.isArray(nodes) ? nodes.map((address) => [undefined, address] as const) : Object.entries(nodes);
  if (entries.length === 0) refuse("nodes needs at least one address, such as '127.0.0.1:7447'.");
  const found = entries.map(([id, address]) => {
    const parts = typeof address === 'string' ? splitAddress(address) : undefined;
    if (parts === undefined || parts.port === 0) {
      return refuse(`nodes: ${JSON.stringify(address)} is not 'host:port', such as '127.0.0.1:7447'.`);
    }
    return { id, address, ...parts };
  });
  if (new Set(found.map(({ address }) => address)).size < found.length) refuse('nodes names an address twice.');
  return found;
}

/** Whether a host is this machine, whatever a name server says. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
