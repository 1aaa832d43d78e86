import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { throwIfAborted } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { type norimaki, toFailure } from '../../wire/index.ts';
import type { OperationName, Operations, RequestOf, ResponseOf } from '../calls/operations.ts';
import type { Places } from '../calls/places.ts';
import type { Signals } from '../calls/signals.ts';
import type { Pace } from '../gate/pace.ts';
import type { ServerLimits } from '../options.ts';
import { Deadlines } from './deadlines.ts';
import { encodeReply } from './frames.ts';
import { Outbox } from './outbox.ts';
import { RunningCall } from './running-call.ts';

/** A `Stream` as grpc-js hands it over, with replies already encoded. */
export type Duplex = ServerDuplexStream<norimaki.Calls, readonly Uint8Array[]>;

/** What all streams share. */
export interface StreamContext {
  readonly operations: Operations;
  readonly limits: ServerLimits;
  readonly places: Places;
  readonly signals: Signals;
  readonly clock: Clock;
}

type Request = NonNullable<norimaki.Call['request']>;
type Waiting = readonly [RunningCall, Exclude<Request, { $case: 'cancel' }>];

/** The calls of one `Stream`. */
export class CallStream {
  readonly #duplex: Duplex;
  readonly #context: StreamContext;
  readonly #pace: Pace;
  readonly #deadlines: Deadlines;
  readonly #outbox: Outbox;
  /** All that have no answer yet, by their numbers: those at work and those that wait for a place. */
  readonly #calls = new Map<number, RunningCall>();
  #waiting: Waiting[] = [];
  #atWork = 0;
  #isStarting = false;
  #isStopping = false;
  #hasNoMore = false;
  #isOver = false;

  constructor(duplex: Duplex, context: StreamContext, pace: Pace) {
    this.#duplex = duplex;
    this.#context = context;
    this.#pace = pace;
    this.#deadlines = new Deadlines(context.clock, () => this.#calls.values());
    this.#outbox = new Outbox(duplex, () => this.#settled());
    duplex.on('data', ({ calls }: norimaki.Calls) => this.#receive(calls));
    duplex.on('drain', () => this.#outbox.drained());
    duplex.on('end', () => {
      this.#hasNoMore = true;
      this.#settled();
    });
    duplex.on('cancelled', () => this.#abandon());
    duplex.on('close', () => this.#abandon());
  }

  /** What is on its way is answered, what comes is refused, and the stream ends. */
  stop(): void {
    this.#isStopping = true;
    this.#settled();
  }

  #receive(calls: readonly norimaki.Call[]): void {
    for (const call of calls) {
      if (this.#isOver) return;
      this.#begin(call);
    }
    this.#work();
  }

  #begin({ id, timeoutMs, request }: norimaki.Call): void {
    if (request?.$case === 'cancel') {
      this.#calls.get(id)?.cancel();
      return;
    }
    if (this.#calls.has(id)) {
      this.#fail(status.INVALID_ARGUMENT, `The number ${id} is used again before its answer came.`);
      return;
    }
    if (request === undefined) {
      this.#answer(id, failed(unknownRequest()));
    } else if (this.#isStopping) {
      this.#answer(id, failed(shuttingDown()));
    } else {
      const { limits, signals } = this.#context;
      const timeout = timeoutMs === 0 ? limits.timeout : timeoutMs;
      const running = new RunningCall(id, this.#deadlines.now(), timeout, signals.take());
      this.#calls.set(id, running);
      this.#deadlines.watch(running.deadline);
      this.#waiting.push([running, request]);
    }
  }

  #work(): void {
    // A call that is refused at once comes back here before the loop has ended.
    if (this.#isStarting) return;
    this.#isStarting = true;
    let at = 0;
    while (at < this.#waiting.length && this.#hasRoom()) {
      const [running, request] = this.#waiting[at++] as Waiting;
      this.#atWork++;
      this.#run(running, request);
    }
    if (at > 0) this.#waiting = this.#waiting.slice(at);
    this.#isStarting = false;
    // Reads on only while there is room: what a client sends beyond waits in the network.
    if (this.#waiting.length > 0 || !this.#hasRoom()) this.#pace.hold();
    else this.#pace.release();
  }

  /** For one call more, and for its answer. */
  #hasRoom(): boolean {
    return this.#atWork < this.#context.limits.callsPerStream && !this.#outbox.isFull;
  }

  async #run(running: RunningCall, request: Waiting[1]): Promise<void> {
    let result: norimaki.Reply['result'];
    try {
      using _ = this.#context.places.take();
      throwIfAborted(running.signal);
      const value = await this.#perform(request.$case, request.value, running.signal);
      // The table answers each request with the response of its name.
      result = { $case: request.$case, value } as norimaki.Reply['result'];
    } catch (error) {
      result = failed(running.errorOf(error));
    }
    this.#atWork--;
    this.#calls.delete(running.id);
    this.#context.signals.giveBack(running.controller);
    this.#answer(running.id, result);
    if (this.#waiting.length > 0) this.#work();
  }

  #perform<N extends OperationName>(name: N, value: unknown, signal: AbortSignal): Promise<ResponseOf<N>> {
    // Name and value stand together in the request.
    return this.#context.operations[name](value as RequestOf<N>, { signal });
  }

  #answer(id: number, result: norimaki.Reply['result']): void {
    if (!this.#isOver) this.#outbox.add(encodeReply({ id, result }));
  }

  /** All answers are handed over: goes on reading, or ends if nothing is left to answer. */
  #settled(): void {
    if (this.#isOver) return;
    const isIdle = this.#calls.size === 0 && this.#outbox.isEmpty;
    if (isIdle && (this.#hasNoMore || this.#isStopping)) {
      this.#abandon();
      this.#duplex.end();
    } else {
      this.#work();
    }
  }

  #fail(code: status, details: string): void {
    this.#abandon();
    this.#duplex.emit('error', { code, details });
  }

  /** Nobody waits for an answer any more. */
  #abandon(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#deadlines.stop();
    this.#outbox.close();
    for (const running of this.#calls.values()) running.cancel();
  }
}

function failed(error: unknown): norimaki.Reply['result'] {
  return { $case: 'failure', value: toFailure(error) };
}

function unknownRequest(): NorimakiError<'capability.missing'> {
  const message = 'This server does not know the request: it is older than the client.';
  return new NorimakiError('capability.missing', message, { capability: 'request', neededBy: 'the call' });
}

function shuttingDown(): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', 'The server shuts down: nothing was written.', { applied: 'no' });
}
