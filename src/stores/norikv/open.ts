import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { type Capabilities, DEFAULT_LIMITS } from '../../core/store.ts';
import { Caller } from './caller.ts';
import { Cluster } from './cluster.ts';
import { Node } from './node.ts';
import { Patiences } from './patience.ts';
import { LargeValues, PlainTransport } from './plain-transport.ts';
import { type Found, probe } from './probe.ts';
import { securityOf } from './security.ts';
import type { Settings } from './settings.ts';
import { Norikv } from './store.ts';
import { StreamTransport } from './stream-transport.ts';
import type { Transport } from './transport.ts';
import { UnaryTransport } from './unary-transport.ts';
import { watchCluster } from './watch-cluster.ts';
import { RemoteWatches } from './watches.ts';

const DEFAULT_SHARDS = 1024;

/** Errors: see `norikv()`. */
export async function openNorikv(settings: Settings, environment: Environment): Promise<Norikv> {
  const { timeout, clock } = settings;
  const { random } = environment;
  const security = securityOf(settings);
  const nodes = settings.nodes.map(({ address }) => new Node(address, security, clock, timeout));
  const patiences = new Patiences(clock, timeout);
  try {
    const found = await patiences.lend(settings.signal, (patience) => probe(nodes, patience));
    const capabilities = capabilitiesOf(found);
    if (settings.isExtensionRequired) checkExtension(capabilities);
    const transports = transportsOf(found, nodes, settings, environment);
    const cluster = new Cluster(settings.nodes, found.described?.shards || settings.shards || DEFAULT_SHARDS);
    const ending = new AbortController();
    const network = { clock, random };
    const watching =
      nodes.length === 1 ? Promise.resolve() : watchCluster(nodes, cluster, network, timeout, ending.signal);
    const caller = new Caller(cluster, transports, network);
    return new Norikv({
      ...{ capabilities, patiences, random, isPlain: found.described === undefined },
      ...{ caller, watches: new RemoteWatches(nodes, caller) },
      release: async () => {
        ending.abort();
        for (const transport of transports) transport.close();
        for (const node of nodes) node.close();
        await watching;
      },
    });
  } catch (error) {
    for (const node of nodes) node.close();
    await patiences.close(0);
    throw error;
  }
}

function transportsOf(
  { described }: Found,
  nodes: readonly Node[],
  settings: Settings,
  environment: Environment,
): Transport[] {
  if (described === undefined) {
    const largeValues = new LargeValues(settings);
    return nodes.map((node) => new PlainTransport(node, environment.clock, largeValues));
  }
  return nodes.map((node) => (settings.batching ? new StreamTransport(node) : new UnaryTransport(node, true)));
}

function capabilitiesOf({ described, hasVectors }: Found): Capabilities {
  const can = described?.capabilities;
  // A plain server compares before it proposes and never again, and remembers idempotency keys only as long as it runs.
  if (can === undefined) {
    const no = { ifAbsent: false, deleteIfMatch: false, idempotency: false, scan: false, commit: false, watch: false };
    return { cas: 'best-effort', ...no, vectors: hasVectors, limits: DEFAULT_LIMITS };
  }
  const { ifAbsent, deleteIfMatch, idempotency, scan, commit, vectors, watch } = can;
  const { key = DEFAULT_LIMITS.key, value = DEFAULT_LIMITS.value } = described?.limits ?? {};
  const cas = can.atomicCas ? 'atomic' : 'best-effort';
  return { cas, ifAbsent, deleteIfMatch, idempotency, scan, commit, vectors, watch, limits: { key, value } };
}

function checkExtension({ cas, scan, commit, vectors, watch }: Capabilities): void {
  const needed = { 'atomic compare-and-swap': cas === 'atomic', scan, commit, vectors, watch };
  const missing = Object.entries(needed).flatMap(([name, has]) => (has ? [] : [name]));
  if (missing.length === 0) return;
  throw new NorimakiError(
    'capability.missing',
    `extension: 'required' needs a server with ${missing.join(', ')}, which this one lacks. Take norimaki/server over the memory or the embedded store, or leave the option out.`,
    { capability: missing.join(', '), neededBy: "extension: 'required'" },
  );
}
