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
export class Alone implements Cluster {
  readonly nodeId = 'norimaki';
  readonly shards: number;
  readonly #address: () => string;

  constructor(shards: number, address: () => string) {
    this.shards = shards;
    this.#address = address;
  }

  view(): ClusterView {
    const { nodeId } = this;
    const replicas = [{ nodeId, isLeader: true }];
    return {
      epoch: 1n,
      nodes: [{ id: nodeId, address: this.#address(), role: 'leader' }],
      shards: Array.from({ length: this.shards }, (_, id) => ({ id, replicas })),
    };
  }

  isLeader(): boolean {
    return true;
  }

  onChange(): () => void {
    return () => {};
  }
}

/** What a client is told, by the first word; nothing was applied. */
export function notLeader(shard: number): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', `NOT_LEADER: this node does not lead shard ${shard}.`, {
    applied: 'no',
  });
}

/** Errors: `store.unavailable`, NOT_LEADER, for a key of a shard that another node leads. */
export function requireLeader(cluster: Cluster, key: Key): void {
  // Whatever the shard is; to find it takes longer than to read the record.
  if (cluster instanceof Alone) return;
  const shard = shardOf(key, cluster.shards);
  if (!cluster.isLeader(shard)) throw notLeader(shard);
}
