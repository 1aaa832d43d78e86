import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import type { norimaki } from '../../wire/index.ts';
import { paceOf } from '../gate/pace.ts';
import { CallStream, type Duplex, type StreamContext } from './call-stream.ts';

/** All open streams of a server. */
export class Streams {
  readonly #context: StreamContext;
  readonly #open = new Set<CallStream>();
  #isStopping = false;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  readonly handle: handleBidiStreamingCall<norimaki.Calls, norimaki.Replies> = (call) => {
    // STREAM_METHOD takes replies that are encoded already, which its generated type does not say.
    const duplex = call as unknown as Duplex;
    const stream = new CallStream(duplex, this.#context, paceOf(call.metadata));
    this.#open.add(stream);
    duplex.on('close', () => this.#open.delete(stream));
    if (this.#isStopping) stream.stop();
  };

  /** What is on its way is answered, then all end. */
  stop(): void {
    this.#isStopping = true;
    for (const stream of this.#open) stream.stop();
  }
}
