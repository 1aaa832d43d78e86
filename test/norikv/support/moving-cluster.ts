import type { Cluster } from '../../../src/server/index.ts';

export interface MovingCluster {
  /** As one of the nodes sees it. */
  node(id: string): Cluster;
  /** Makes a node the leader of some shards; of all, if none is named. */
  lead(id: string, ...shards: number[]): void;
  /** Where a node listens; until it is told, nowhere. */
  listens(id: string, address: string): void;
}

/** A cluster whose leaders move when a test says so. At first the first node leads everything. */
export function movingCluster(ids: readonly string[], shards = 4): MovingCluster {
  const all = Array.from({ length: shards }, (_, id) => id);
  const leaders = new Map(all.map((shard) => [shard, ids[0]]));
  const addresses = new Map<string, string>();
  const listeners = new Set<() => void>();
  let epoch = 1n;
  const changed = (): void => {
    epoch++;
    for (const listener of listeners) listener();
  };
  return {
    node: (nodeId) => ({
      nodeId,
      shards,
      isLeader: (shard) => leaders.get(shard) === nodeId,
      view: () => ({
        epoch,
        nodes: ids.map((id) => ({ id, address: addresses.get(id) ?? '0.0.0.0:0', role: 'member' })),
        shards: all.map((id) => ({
          id,
          replicas: ids.map((one) => ({ nodeId: one, isLeader: leaders.get(id) === one })),
        })),
      }),
      onChange(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    }),
    lead(id, ...some) {
      for (const shard of some.length === 0 ? all : some) leaders.set(shard, id);
      changed();
    },
    listens(id, address) {
      addresses.set(id, address);
      changed();
    },
  };
}
