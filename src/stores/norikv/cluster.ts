import { type norikv, shardOf } from '../../wire/index.ts';
import { type NodeAddress, splitAddress } from './addresses.ts';

const UNSPECIFIED = new Set(['0.0.0.0', '::']);

/** Which of the configured nodes leads a shard, as far as it is known. Nodes are named by their position. */
export class Cluster {
  readonly #nodes: readonly NodeAddress[];
  readonly #shards: number;
  /** Of the last view. */
  #leaders = new Map<number, number>();
  /** Those that have answered since, where the view was wrong or silent. */
  readonly #learned = new Map<number, number>();
  #epoch = -1n;

  constructor(nodes: readonly NodeAddress[], shards: number) {
    this.#nodes = nodes;
    this.#shards = shards;
  }

  get size(): number {
    return this.#nodes.length;
  }

  shardOf(key: Uint8Array): number {
    // With one node, nothing depends on it.
    return this.#nodes.length === 1 ? 0 : shardOf(key, this.#shards);
  }

  leaderOf(shard: number): number {
    return this.#learned.get(shard) ?? this.#leaders.get(shard) ?? shard % this.#nodes.length;
  }

  /** This node answered for the shard. */
  learn(shard: number, node: number): void {
    this.#learned.set(shard, node);
  }

  /** This node does not lead the shard, whatever was learned. */
  forget(shard: number, node: number): void {
    if (this.#learned.get(shard) === node) this.#learned.delete(shard);
  }

  update({ epoch, nodes, shards }: norikv.ClusterView): void {
    const positions = new Map(nodes.map((node) => [node.id, this.#positionOf(node)]));
    const leaders = new Map<number, number>();
    for (const { id, replicas } of shards) {
      const leader = replicas.find((replica) => replica.leader);
      const position = leader && positions.get(leader.nodeId);
      if (position !== undefined) leaders.set(id, position);
    }
    this.#leaders = leaders;
    // Servers repeat their view each second; only a new one knows more than what was learned.
    if (epoch !== this.#epoch) this.#learned.clear();
    this.#epoch = epoch;
  }

  /** What a node publishes is not dialled, only compared: it may be an address that it listens on, such as 0.0.0.0. */
  #positionOf({ id, addr }: norikv.ClusterNode): number | undefined {
    const byId = this.#nodes.findIndex((node) => node.id === id);
    if (byId >= 0) return byId;
    const published = splitAddress(addr);
    const fits = this.#nodes.flatMap(({ address, port }, position) => {
      const isHere = published !== undefined && UNSPECIFIED.has(published.host) && published.port === port;
      return address === addr || isHere ? [position] : [];
    });
    return fits.length === 1 ? fits[0] : undefined;
  }
}
