import { NorimakiError } from '../../core/errors.ts';
import type { norikv } from '../../wire/index.ts';
import { invalid } from '../calls/requests.ts';
import type { UnaryCalls } from '../calls/unary.ts';
import type { Cluster, ClusterShard } from '../cluster.ts';
import { toWireShard } from './meta.ts';

/**
 * `norikv.v1.Admin`. All shards are parts of one store, which moves nothing from node to node and keeps what it acknowledged
 * by itself: a transfer to the leader and a snapshot have nothing left to do.
 */
export function adminService(cluster: Cluster, calls: UnaryCalls): norikv.AdminServer {
  return {
    transferShard: calls.handle(async (request) => {
      const shard = shardOf(cluster, request.id);
      const wanted = request.replicas.find(({ leader }) => leader)?.nodeId;
      const leader = shard.replicas.find(({ isLeader }) => isLeader)?.nodeId;
      if (wanted === undefined) throw invalid('replicas', 'Name the replica that is to lead the shard.');
      if (wanted === leader) return toWireShard(shard);
      throw new NorimakiError(
        'capability.missing',
        `This server cannot move shard ${request.id}: its nodes share one store, and who leads is decided elsewhere.`,
        { capability: 'transfer', neededBy: 'TransferShard' },
      );
    }),
    snapshotShard: calls.handle(async (request) => toWireShard(shardOf(cluster, request.id))),
  };
}

function shardOf(cluster: Cluster, id: number): ClusterShard {
  const shard = cluster.view().shards.find((one) => one.id === id);
  if (shard === undefined) throw invalid('id', `There is no shard ${id}; there are ${cluster.shards}.`);
  return shard;
}
