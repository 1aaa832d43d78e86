import type { ServerWritableStream } from '@grpc/grpc-js';
import type { norikv } from '../../wire/index.ts';
import type { Cluster, ClusterView } from '../cluster.ts';

type Watcher = ServerWritableStream<norikv.ClusterView, norikv.ClusterView>;

/** `norikv.v1.Meta`: a view at once, and after every change. */
export class MetaService {
  readonly #cluster: Cluster;
  readonly #watchers = new Set<Watcher>();
  #stopped = false;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  readonly server: norikv.MetaServer = {
    watchCluster: (call) => {
      if (this.#stopped) {
        call.end();
        return;
      }
      let isBlocked = false;
      let isBehind = false;
      const send = (): void => {
        // A client that does not read is told the newest once it does.
        isBehind = isBlocked;
        if (!isBlocked) isBlocked = !call.write(toWireView(this.#cluster.view()));
      };
      call.on('drain', () => {
        isBlocked = false;
        if (isBehind) send();
      });
      const unsubscribe = this.#cluster.onChange(send);
      call.on('close', () => {
        unsubscribe();
        this.#watchers.delete(call);
      });
      call.on('cancelled', () => call.destroy());
      this.#watchers.add(call);
      send();
    },
  };

  /** Ends every watch. */
  stop(): void {
    this.#stopped = true;
    for (const watcher of this.#watchers) watcher.end();
  }
}

export function toWireShard({ id, replicas }: ClusterView['shards'][number]): norikv.ShardInfo {
  return { id, replicas: replicas.map(({ nodeId, isLeader }) => ({ nodeId, leader: isLeader })) };
}

function toWireView({ epoch, nodes, shards }: ClusterView): norikv.ClusterView {
  return {
    epoch,
    nodes: nodes.map(({ id, address, role }) => ({ id, addr: address, role })),
    shards: shards.map(toWireShard),
  };
}
