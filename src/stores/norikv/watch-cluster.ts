import type { Clock, Environment } from '../../core/clock.ts';
import { fullJitter } from '../../core/retry/index.ts';
import { norikv } from '../../wire/index.ts';
import type { Cluster } from './cluster.ts';
import type { Node } from './node.ts';
import { Patience } from './patience.ts';

const WAITS = { maxAttempts: Number.POSITIVE_INFINITY, deadline: Number.POSITIVE_INFINITY, base: 100, cap: 5_000 };

/** Keeps the cluster's view, from one node after the other, until `signal` fires. */
export async function watchCluster(
  nodes: readonly Node[],
  cluster: Cluster,
  { clock, random }: Environment,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  for (let turn = 0; !signal.aborted; turn++) {
    const node = nodes[turn % nodes.length];
    if (node === undefined) return;
    const views = await watchOne(node, cluster, clock, timeout, signal);
    failures = views > 0 ? 1 : failures + 1;
    const wait = fullJitter(failures, WAITS, random);
    // `aborted` is the end of the loop.
    await clock.sleep(wait, { signal, background: true }).catch(() => {});
  }
}

/** How many views came before the stream ended, however it did: the next node is asked then. */
async function watchOne(
  node: Node,
  cluster: Cluster,
  clock: Clock,
  timeout: number,
  signal: AbortSignal,
): Promise<number> {
  const patience = new Patience(clock, timeout);
  const giveUp = (): void => patience.end('closed');
  signal.addEventListener('abort', giveUp, { once: true });
  const question = { epoch: 0n, nodes: [], shards: [] };
  let views = 0;
  try {
    const stream = await node.watch(norikv.MetaService.watchCluster, question, patience);
    await new Promise<void>((resolve) => {
      patience.onOver(() => stream.cancel());
      stream.on('data', (view: norikv.ClusterView) => {
        views += 1;
        cluster.update(view);
      });
      stream.on('error', () => resolve());
      stream.on('end', () => resolve());
    });
  } catch {
    // No connection. Calls say so to whom it concerns.
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
  return views;
}
