import { NorimakiError } from '../core/errors.ts';
import type { Key } from '../core/store.ts';
import { shardOf } from '../wire/index.ts';

export interface ClusterNode {
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
  readonly role: string;
}

export interface ClusterShard {
  /** 0 to the number of shards − 1. */
  readonly id: number;
  readonly replicas: readonly { readonly nodeId: string; readonly isLeader: boolean }[];
}

/** Who leads what, as clients are told. */
export interface ClusterView {
  /** Rises with every change. */
  readonly epoch: bigint;
  readonly nodes: readonly ClusterNode[];
  readonly shards: readonly ClusterShard[];
}

/** What a server asks of the cluster that it is a node of. */
export interface Cluster {
  readonly nodeId: string;
  /** Over how many shards keys are spread. */
  readonly shards: number;
  view(): ClusterView;
  /** Whether this node leads a shard now. */
  isLeader(shard: number): boolean;
  /** Calls the listener after every change of the view, until the function that it returns is called. */
  onChange(listener: () => void): () => void;
}

/** The cluster of a server that is alone: it leads every shard, and nothing changes. */
export function alone(shards: number, address: () => string): Cluster {
  const nodeId = 'norimaki';
  const replicas = [{ nodeId, isLeader: true }];
  return {
    nodeId,
    shards,
    view: () => ({
      epoch: 1n,
      nodes: [{ id: nodeId, address: address(), role: 'leader' }],
      shards: Array.from({ length: shards }, (_, id) => ({ id, replicas })),
    }),
    isLeader: () => true,
    onChange: () => () => {},
  };
}

/** What a client is told, by the first word; nothing was applied. */
export function notLeader(shard: number): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', `NOT_LEADER: this node does not lead shard ${shard}.`, {
    applied: 'no',
  });
}

/** Errors: `store.unavailable`, NOT_LEADER, for a key of a shard that another node leads. */
export function requireLeader(cluster: Cluster, key: Key): void {
  const shard = shardOf(key, cluster.shards);
  if (!cluster.isLeader(shard)) throw notLeader(shard);
}
