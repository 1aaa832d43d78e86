import type { Clock, Random } from '../../core/clock.ts';
import type { Cluster } from '../cluster.ts';

const ELECTION_MS = { least: 150, most: 300 };
const VIEW_MS = 1000;

/** The first touch of a shard begins an election: for 150 to 300 ms nobody leads it. */
export function notLeaderFirst(cluster: Cluster, clock: Clock, random: Random): Cluster {
  const leadsFrom = new Map<number, number>();
  return {
    ...passed(cluster),
    isLeader(shard) {
      if (!cluster.isLeader(shard)) return false;
      const now = clock.mono();
      const from = leadsFrom.get(shard);
      if (from !== undefined) return now >= from;
      leadsFrom.set(shard, now + ELECTION_MS.least + random.float() * (ELECTION_MS.most - ELECTION_MS.least));
      return false;
    },
  };
}

/** A view is sent each second, whether or not anything changed. */
export function viewEachSecond(cluster: Cluster, clock: Clock): Cluster {
  return {
    ...passed(cluster),
    onChange(listener) {
      const unsubscribe = cluster.onChange(listener);
      const off = new AbortController();
      const tick = async (): Promise<void> => {
        while (!off.signal.aborted) {
          await clock.sleep(VIEW_MS, { signal: off.signal, background: true });
          listener();
        }
      };
      // Ends by its signal alone.
      tick().catch(() => {});
      return () => {
        off.abort();
        unsubscribe();
      };
    },
  };
}

/** Nodes are told by the address that they listen on, which nobody can dial. */
export function bindAddress(cluster: Cluster): Cluster {
  return {
    ...passed(cluster),
    view() {
      const view = cluster.view();
      const nodes = view.nodes.map((node) => ({ ...node, address: node.address.replace(/^.*:/, '0.0.0.0:') }));
      return { ...view, nodes };
    },
  };
}

/** All of a cluster, which may be an instance of a class. */
function passed(cluster: Cluster): Cluster {
  return {
    nodeId: cluster.nodeId,
    shards: cluster.shards,
    view: () => cluster.view(),
    isLeader: (shard) => cluster.isLeader(shard),
    onChange: (listener) => cluster.onChange(listener),
  };
}
