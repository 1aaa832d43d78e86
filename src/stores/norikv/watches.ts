import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { isOutage } from '../../core/retry/index.ts';
import type { KeyRange, Watch, WatchOptions } from '../../core/store.ts';
import { ChangeQueue, watchLost } from '../../core/watch/index.ts';
import { fromWireVersion, norimaki } from '../../wire/index.ts';
import type { Caller } from './caller.ts';
import { type CallStatus, ENDED, judge, NotLeaderError } from './failures.ts';
import { type Node, statusOf } from './node.ts';
import { closedError, type Patience } from './patience.ts';
import { copy } from './requests.ts';

type Stream = ClientReadableStream<norimaki.Changes>;

/** The watches of one store: each is a stream of its own, from the node that leads the start of its range. */
export class RemoteWatches {
  readonly #nodes: readonly Node[];
  readonly #caller: Caller;
  readonly #open = new Set<ChangeQueue>();

  constructor(nodes: readonly Node[], caller: Caller) {
    this.#nodes = nodes;
    this.#caller = caller;
  }

  /** Resolves when the server has said that nothing more is missed. Errors: `argument.invalid`, and those of a read. */
  async open(range: KeyRange, options: WatchOptions, patience: Patience): Promise<Watch> {
    const question = { range: { start: copy(range.start), end: copy(range.end) } };
    let stream: Stream | undefined;
    const queue = new ChangeQueue(options, () => {
      this.#open.delete(queue);
      stream?.cancel();
    });
    try {
      await this.#caller.reach(question.range.start, patience, async (at) => {
        // The cluster names nodes by their position.
        const node = this.#nodes[at] as Node;
        stream = await node.watch(norimaki.StoreService.watch, question, patience);
        await follow(stream, queue, node.address, patience);
      });
      this.#open.add(queue);
      return queue;
    } catch (error) {
      await queue.return();
      throw error;
    }
  }

  close(): void {
    for (const queue of [...this.#open]) queue.fail(closedError());
  }
}

/** Resolves at the header; what the stream brings then goes into the queue. Rejects where it ends before. */
function follow(stream: Stream, queue: ChangeQueue, address: string, patience: Patience): Promise<void> {
  return new Promise((resolve, reject) => {
    let isReady = false;
    const end = (status: CallStatus): void => {
      const error = judge(address, status, { isWrite: false, isOurs: true });
      if (!isReady) reject(error);
      else queue.fail(isOutage(error) || error instanceof NotLeaderError ? watchLost('disconnected', error) : error);
    };
    stream.on('metadata', () => {
      isReady = true;
      resolve();
    });
    stream.on('data', ({ changes }: norimaki.Changes) => {
      for (const { key, version } of changes) {
        queue.add(
          version === undefined ? { type: 'delete', key } : { type: 'put', key, version: fromWireVersion(version) },
        );
      }
    });
    stream.on('error', (error: ServiceError) => end(statusOf(error)));
    stream.on('end', () => end(ENDED));
    patience.onOver(() => {
      if (isReady) return;
      reject(patience.failure('no'));
      stream.cancel();
    });
  });
}
