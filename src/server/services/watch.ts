import { Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import { orAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Change, Key } from '../../core/store.ts';
import { encodeFailure, FAILURE_TRAILER, type norimaki, toFailure, toWireVersion } from '../../wire/index.ts';
import { invalid } from '../calls/requests.ts';
import { type Cluster, requireLeader } from '../cluster.ts';
import type { ServedStore } from '../layers/store-layer.ts';
import type { ServerLimits } from '../options.ts';

type Call = ServerWritableStream<norimaki.WatchRequest, norimaki.Changes>;

/** Bytes of keys in a message, save that one key may be longer. */
const MESSAGE_BYTES = 256 * 1024;
/** What a change takes around its key, at most. */
const CHANGE_OVERHEAD = 32;

/** `Watch`: the header says that nothing more is missed, and messages tell what was written since. */
export class WatchService {
  readonly #store: ServedStore;
  readonly #cluster: Cluster;
  readonly #limits: ServerLimits;
  readonly #open = new Map<AbortController, string>();
  #isStopping = false;

  constructor(store: ServedStore, cluster: Cluster, limits: ServerLimits) {
    this.#store = store;
    this.#cluster = cluster;
    this.#limits = limits;
  }

  readonly handle = (call: Call): void => {
    const control = new AbortController();
    call.on('cancelled', () => control.abort());
    this.#serve(call, control)
      .catch((error: unknown) => {
        if (call.cancelled) call.destroy();
        else fail(call, control.signal.reason instanceof NorimakiError ? control.signal.reason : error);
      })
      .finally(() => this.#open.delete(control));
  };

  /** Ends every watch. */
  stop(): void {
    this.#isStopping = true;
    for (const control of this.#open.keys()) control.abort(shuttingDown());
  }

  /** Until it throws. */
  async #serve(call: Call, control: AbortController): Promise<void> {
    const { signal } = control;
    const { range } = call.request;
    if (range === undefined) throw invalid('range', 'A watch takes a range of keys.');
    const { start } = range;
    requireLeader(this.#cluster, start);
    if (this.#isStopping) throw shuttingDown();
    this.#takePlace(call, control);
    const unsubscribe = this.#cluster.onChange(() => this.#checkLeader(start, control));
    try {
      await using watch = await this.#store.watch(range, { signal, buffer: this.#limits.changesPerWatch });
      call.sendMetadata(new Metadata());
      for await (const changes of watch) {
        for (const message of messagesOf(changes)) {
          // What comes while a slow client is waited for is folded, and bounded, by the watch.
          await orAborted(new Promise<unknown>((resolve) => call.write(message, resolve)), signal);
        }
      }
    } finally {
      unsubscribe();
    }
  }

  #takePlace(call: Call, control: AbortController): void {
    const peer = call.getPeer();
    const { watchesPerConnection: most } = this.#limits;
    let open = 0;
    for (const other of this.#open.values()) if (other === peer) open += 1;
    if (open >= most) {
      const message = `There are ${most} watches on this connection, which is all that it may have: end one.`;
      throw new NorimakiError('store.unavailable', message, { applied: 'no' });
    }
    this.#open.set(control, peer);
  }

  /** Who leads no more may not see what others write. */
  #checkLeader(start: Key, control: AbortController): void {
    try {
      requireLeader(this.#cluster, start);
    } catch (error) {
      control.abort(error);
    }
  }
}

function* messagesOf(changes: readonly Change[]): Generator<norimaki.Changes> {
  let message: norimaki.Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const { key } = change;
    bytes += key.length + CHANGE_OVERHEAD;
    if (bytes > MESSAGE_BYTES && message.length > 0) {
      yield { changes: message };
      message = [];
      bytes = key.length + CHANGE_OVERHEAD;
    }
    message.push({ key, version: change.type === 'put' ? toWireVersion(change.version) : undefined });
  }
  yield { changes: message };
}

function fail(call: Call, error: unknown): void {
  const failure = toFailure(error);
  const metadata = new Metadata();
  metadata.set(FAILURE_TRAILER, encodeFailure(failure));
  call.emit('error', { code: failure.status, details: failure.message, metadata });
}

function shuttingDown(): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', 'The server shuts down.', { applied: 'no' });
}
