import { status as Status } from '@grpc/grpc-js';
import { NorimakiError } from '../../core/errors.ts';
import { norikv, norimaki } from '../../wire/index.ts';
import { judge, NotLeaderError, unavailable } from './failures.ts';
import { type Node, StatusError } from './node.ts';
import type { Patience } from './patience.ts';

/** What a server is. */
export interface Found {
  /** What norimaki's own says of itself; `undefined`: a plain NoriKV server. */
  readonly described: norimaki.DescribeResponse | undefined;
  readonly hasVectors: boolean;
}

/** Asks all nodes what they are; the first that answers speaks for all. */
export async function probe(nodes: readonly Node[], patience: Patience): Promise<Found> {
  try {
    return await Promise.any(nodes.map((node) => probeOne(node, patience)));
  } catch (error) {
    // What Promise.any rejects with, and its failures are those of `probeOne`.
    throw combined((error as AggregateError).errors as Error[]);
  }
}

async function probeOne(node: Node, patience: Patience): Promise<Found> {
  const described = await ask(node, () => node.unary(norimaki.StoreService.describe, {}, patience, false));
  if (described !== undefined) return { described, hasVectors: described.capabilities?.vectors ?? false };
  // Refused by every server that knows the call, before it does anything.
  const nobody = { namespace: '', id: '', consistency: '' };
  const answer = await ask(node, () => node.unary(norikv.VectorService.get, nobody, patience, false)).catch((error) => {
    if (NorimakiError.is(error, 'argument.invalid') || error instanceof NotLeaderError) return nobody;
    throw error;
  });
  return { described: undefined, hasVectors: answer !== undefined };
}

/** `undefined` where the server does not know the call. */
async function ask<A>(node: Node, call: () => Promise<A>): Promise<A | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    if (error.status.code === Status.UNIMPLEMENTED) return undefined;
    throw judge(node.address, error.status, { isWrite: false, isOurs: false });
  }
}

/** One error of those of all nodes. */
function combined(errors: readonly Error[]): Error {
  const [first] = errors;
  if (first === undefined || errors.length === 1) return first ?? unavailable('There is no node.', 'no');
  // What the network cannot cure, and what the caller or its deadline ended, says more than an outage.
  const telling = errors.find((error) => !NorimakiError.is(error, 'store.unavailable'));
  return telling ?? unavailable(`No node answers. ${errors.map(({ message }) => message).join(' ')}`, 'no', first);
}
