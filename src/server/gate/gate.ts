import { type ServerInterceptingCall, type ServerInterceptor, type ServerListener, status } from '@grpc/grpc-js';
import { PacedCall } from './pace.ts';
import type { Authorise } from './tokens.ts';

/** Whoever asks whether the server is well has no token. */
const OPEN_TO_ALL = '/grpc.health.v1.Health/';
/** Streams of these packages end by themselves when the server closes; those of others must be ended. */
const OURS = /^\/nori/;

/** Where every call comes through: without a good token it goes no further. */
export class Gate {
  readonly #authorise: Authorise | undefined;
  readonly #foreignStreams = new Set<ServerInterceptingCall>();

  constructor(authorise: Authorise | undefined) {
    this.#authorise = authorise;
  }

  readonly interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, next) => {
    const authorise = path.startsWith(OPEN_TO_ALL) ? undefined : this.#authorise;
    // Nothing to ask of it, to pace or to end. An interceptor may hand on the call that it got, which its type does not say.
    if (authorise === undefined && !requestStream && !responseStream) return next as ServerInterceptingCall;
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, pass) => {
        call.rememberBy(metadata);
        if (authorise === undefined) {
          pass(metadata);
          return;
        }
        authorise(metadata).then((refusal) => {
          if (refusal === undefined) pass(metadata);
          else call.sendStatus(refusal);
        });
      },
      // Comes at the end of every call, however it ends.
      onCancel: () => this.#foreignStreams.delete(call),
    };
    const call = new PacedCall(next, { start: (go) => go(listener) });
    if (responseStream && !OURS.test(path)) this.#foreignStreams.add(call);
    return call;
  };

  /** Ends the streams of other services, which know nothing of an end. */
  endForeignStreams(): void {
    for (const call of this.#foreignStreams) {
      call.sendStatus({ code: status.UNAVAILABLE, details: 'The server shuts down.' });
    }
  }
}
