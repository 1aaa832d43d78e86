import { type handleUnaryCall, Metadata, type sendUnaryData } from '@grpc/grpc-js';
import { encodeFailure, FAILURE_TRAILER, type norimaki, toFailure } from '../../wire/index.ts';
import type { CallContext } from './operations.ts';
import type { Places } from './places.ts';
import type { Signals } from './signals.ts';

/** What a client is told of an error. */
export type Explain = (error: unknown) => norimaki.Failure;

/** Handlers of single calls. */
export class UnaryCalls {
  readonly #places: Places;
  readonly #signals: Signals;

  constructor(places: Places, signals: Signals) {
    this.#places = places;
    this.#signals = signals;
  }

  /** A call whose signal fires when its deadline comes or its client gives it up. */
  handle<Request, Response>(
    work: (request: Request, context: CallContext) => Promise<Response>,
    explain: Explain = toFailure,
  ): handleUnaryCall<Request, Response> {
    return (call, callback) => {
      const controller = this.#signals.take();
      let isAnswered = false;
      // Comes at the end of every call, however it ends: a signal that fired each time would cost more than the work.
      call.on('cancelled', () => {
        if (!isAnswered) controller.abort();
      });
      this.#run(
        () => work(call.request, { signal: controller.signal }),
        explain,
        (error, response) => {
          isAnswered = true;
          this.#signals.giveBack(controller);
          callback(error, response);
        },
      );
    };
  }

  async #run<Response>(
    work: () => Promise<Response>,
    explain: Explain,
    callback: sendUnaryData<Response>,
  ): Promise<void> {
    try {
      using _ = this.#places.take();
      callback(null, await work());
    } catch (error) {
      const failure = explain(error);
      const metadata = new Metadata();
      metadata.set(FAILURE_TRAILER, encodeFailure(failure));
      callback({ code: failure.status, details: failure.message, metadata });
    }
  }
}
