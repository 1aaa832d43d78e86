import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { nextTurn } from '../../core/turn.ts';
import type { norimaki } from '../../wire/index.ts';
import { type CallStatus, ENDED, isNeverSent, judge, judgeFailure, unavailable } from './failures.ts';
import { type Node, statusOf } from './node.ts';
import type { Patience } from './patience.ts';
import { type Answer, isWrite, type Request, type RequestOf, type Transport, type Verb } from './transport.ts';

type Stream = ClientDuplexStream<norimaki.Calls, norimaki.Replies>;

/** Of encoded calls; one call may be larger, and then travels alone. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const MAX_TIMEOUT_MS = 2 ** 32 - 1;

interface Pending {
  readonly request: Request;
  readonly patience: Patience;
  /** 0 until it is handed over. */
  id: number;
  isOver: boolean;
  resolve(answer: Answer<Verb>): void;
  reject(error: Error): void;
}

/** Calls that are made in one tick travel in one message, on one stream that is opened anew after it broke. */
export class StreamTransport implements Transport {
  readonly #node: Node;
  readonly #sent = new Map<number, Pending>();
  #queue: Pending[] = [];
  #cancelled: number[] = [];
  #stream: Stream | undefined;
  #isFlushing = false;
  #lastId = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  call<V extends Verb>(request: RequestOf<V>, patience: Patience): Promise<Answer<V>> {
    return new Promise<Answer<Verb>>((resolve, reject) => {
      const pending: Pending = { request, patience, id: 0, isOver: false, resolve, reject };
      if (patience.isOver) return this.#giveUp(pending);
      patience.onOver(() => this.#giveUp(pending));
      this.#queue.push(pending);
      this.#wake();
      // `#settle` lets only the answer of this verb pass.
    }) as Promise<Answer<V>>;
  }

  close(): void {
    this.#stream?.end();
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #wake(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    void this.#flush().finally(() => {
      this.#isFlushing = false;
      if (this.#queue.length + this.#cancelled.length > 0) this.#wake();
    });
  }

  async #flush(): Promise<void> {
    // What this turn of the event loop still asks for travels in the same message.
    await nextTurn();
    while (this.#queue.length + this.#cancelled.length > 0) {
      this.#queue = this.#queue.filter(({ isOver }) => !isOver);
      const stream = this.#stream ?? (await this.#open());
      // It may have broken meanwhile, or its calls have been given up.
      if (stream === undefined || stream !== this.#stream) continue;
      const calls = this.#nextCalls();
      if (calls.length > 0 && !stream.write({ calls })) await drained(stream);
    }
  }

  /** `undefined` where there is no connection: then those that wait have been told. */
  async #open(): Promise<Stream | undefined> {
    // What is cancelled was on the stream that broke.
    this.#cancelled = [];
    const [first] = this.#queue;
    if (first === undefined) return undefined;
    try {
      const stream = await this.#node.openStream(first.patience);
      this.#stream = stream;
      stream.on('data', ({ replies }: norimaki.Replies) => {
        for (const reply of replies) this.#settle(reply);
      });
      stream.on('error', (error: ServiceError) => this.#onEnd(stream, statusOf(error)));
      stream.on('end', () => this.#onEnd(stream, ENDED));
      return stream;
    } catch (error) {
      // Only the first has run out of patience; the others try for themselves.
      if (first.isOver) return undefined;
      for (const pending of this.#queue.splice(0)) this.#fail(pending, error);
      return undefined;
    }
  }

  #nextCalls(): norimaki.Call[] {
    const calls: norimaki.Call[] = this.#cancelled
      .splice(0)
      .map((id) => ({ id, timeoutMs: 0, request: { $case: 'cancel', value: {} } }));
    let bytes = 0;
    let taken = 0;
    for (const pending of this.#queue) {
      const size = sizeOf(pending.request);
      if (bytes > 0 && bytes + size > MAX_MESSAGE_BYTES) break;
      bytes += size;
      taken += 1;
      if (pending.isOver) continue;
      pending.id = this.#newId();
      this.#sent.set(pending.id, pending);
      const timeoutMs = Math.min(MAX_TIMEOUT_MS, Math.max(1, Math.ceil(pending.patience.remaining)));
      calls.push({ id: pending.id, timeoutMs, request: pending.request });
    }
    this.#queue.splice(0, taken);
    return calls;
  }

  #newId(): number {
    do {
      this.#lastId = (this.#lastId + 1) >>> 0;
    } while (this.#lastId === 0 || this.#sent.has(this.#lastId));
    return this.#lastId;
  }

  #settle({ id, result }: norimaki.Reply): void {
    const pending = this.#sent.get(id);
    // Its caller has left.
    if (pending === undefined) return;
    this.#sent.delete(id);
    const { $case: verb } = pending.request;
    const kind = { isWrite: isWrite(verb), isOurs: true };
    if (result?.$case === 'failure') this.#fail(pending, judgeFailure(this.#node.address, result.value, kind));
    else if (result?.$case === verb) {
      pending.isOver = true;
      pending.resolve(result.value);
    } else {
      const message = `${this.#node.address} answered another call than ${verb}.`;
      this.#fail(pending, unavailable(message, kind.isWrite ? 'unknown' : 'no'));
    }
  }

  #giveUp(pending: Pending): void {
    if (pending.isOver) return;
    const { id, request, patience } = pending;
    const isSent = id !== 0;
    this.#fail(pending, patience.failure(isSent && isWrite(request.$case) ? 'unknown' : 'no'));
    if (!isSent || !this.#sent.delete(id)) return;
    this.#cancelled.push(id);
    this.#wake();
  }

  #onEnd(stream: Stream, status: CallStatus): void {
    if (stream !== this.#stream) return;
    this.#stream = undefined;
    const lost = [...this.#sent.values()];
    this.#sent.clear();
    for (const pending of lost) {
      const kind = { isWrite: isWrite(pending.request.$case) && !isNeverSent(status), isOurs: true };
      this.#fail(pending, judge(this.#node.address, status, kind));
    }
  }

  #fail(pending: Pending, error: unknown): void {
    if (pending.isOver) return;
    pending.isOver = true;
    // Everything that is thrown here is an error.
    pending.reject(error as Error);
  }
}

/** Until there is room, or the stream is over and never will have any. */
function drained(stream: Stream): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of ['drain', 'error', 'end', 'close']) stream.off(event, settle);
      resolve();
    };
    for (const event of ['drain', 'error', 'end', 'close']) stream.on(event, settle);
  });
}

/** About how many bytes a request takes, without encoding it twice. */
function sizeOf({ $case, value }: Request): number {
  const OVERHEAD = 64;
  switch ($case) {
    case 'put':
      return OVERHEAD + value.key.length + value.value.length;
    case 'commit':
      return (
        value.operations.reduce(
          (sum, { key, action }) =>
            sum + OVERHEAD + key.length + (action?.$case === 'put' ? action.value.value.length : 0),
          OVERHEAD,
        ) + value.vectors.reduce((sum, { insert }) => sum + OVERHEAD + 4 * (insert?.numbers.length ?? 0), 0)
      );
    case 'insertVector':
      return OVERHEAD + 4 * value.vector.length;
    case 'searchVectors':
      return OVERHEAD + 4 * value.query.length;
    default:
      return 2 * OVERHEAD;
  }
}
