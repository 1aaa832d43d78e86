import {
  type CallOptions,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  Metadata,
  type ServiceError,
  connectivityState as State,
  status as Status,
} from '@grpc/grpc-js';
import { orAborted } from '../../core/abort.ts';
import type { Clock } from '../../core/clock.ts';
import { type norimaki, StoreService } from '../../wire/index.ts';
import { type CallStatus, connectionFailure, isNeverSent, UnreachableError } from './failures.ts';
import { closedError, type Patience } from './patience.ts';
import type { Security } from './security.ts';
import { beginUnary, type Method } from './unary-call.ts';

const OPTIONS: ClientOptions = {
  // There is one retry layer, and it is norimaki's.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // Servers end connections that ping more often, or that ping without calls (gRFC A8).
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // A connection of its own, which ends with the store.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
};
const MAX_CONNECT_MS = 5_000;
const TIMERS_APART_MS = 10;

/** A call that was handed over and failed. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: CallStatus;

  constructor(status: CallStatus) {
    super(status.details);
    this.status = status;
  }
}

/** One server, and the one channel to it. */
export class Node {
  readonly address: string;
  readonly #security: Security;
  readonly #clock: Clock;
  readonly #connectTimeout: number;
  #client: Client;
  #connecting: Promise<void> | undefined;
  #isClosed = false;

  constructor(address: string, security: Security, clock: Clock, timeout: number) {
    this.address = address;
    this.#security = security;
    this.#clock = clock;
    this.#connectTimeout = Math.min(timeout, MAX_CONNECT_MS);
    this.#client = this.#dial();
  }

  /**
   * Calls are handed over only to a connection that stands, so that without one it is certain that nothing was sent.
   * Errors: `store.unavailable`, `store.refused`, and those of `patience`; nothing was sent.
   */
  async connect(patience: Patience): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    await untilOver(this.#connecting, patience);
  }

  /** Errors: {@link StatusError}, and those of `connect` and `patience`. */
  async unary<Q, A>(method: Method<Q, A>, question: Q, patience: Patience, isWrite: boolean): Promise<A> {
    // A call that is given up in the turn in which it was made is not sent.
    const metadata = await this.#prepare(patience);
    this.#checkOpen(patience);
    return new Promise<A>((resolve, reject) => {
      // So that the server gives up too.
      const deadline = this.#clock.now() + patience.remaining;
      const giveUp = beginUnary(this.#client.getChannel(), method, question, metadata, deadline, (status, answer) => {
        if (status.code === Status.OK && answer !== undefined) return resolve(answer);
        // Its timer and ours are for one instant.
        if (status.code === Status.DEADLINE_EXCEEDED && patience.remaining < TIMERS_APART_MS) patience.end('deadline');
        reject(new StatusError(status));
      });
      patience.onOver(() => {
        reject(patience.failure(isWrite ? 'unknown' : 'no'));
        giveUp();
      });
    });
  }

  /** Without a deadline. Errors: those of `connect` and `patience`. */
  async openStream(patience: Patience): Promise<ClientDuplexStream<norimaki.Calls, norimaki.Replies>> {
    const metadata = await this.#prepare(patience);
    this.#checkOpen(patience);
    const { path, requestSerialize, responseDeserialize } = StoreService.stream;
    return this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
  }

  /** What the server says until the stream ends. Errors: those of `connect` and `patience`. */
  async watch<Q, A>(method: Method<Q, A>, question: Q, patience: Patience): Promise<ClientReadableStream<A>> {
    const metadata = await this.#prepare(patience);
    this.#checkOpen(patience);
    return this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      question,
      metadata,
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  get #isReady(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === State.READY;
  }

  #dial(): Client {
    const { channel, options } = this.#security;
    return new Client(this.address, channel, { ...OPTIONS, ...options });
  }

  /** What a call needs before it can be handed over, at once where it can be. Nothing was sent when it rejects. */
  #prepare(patience: Patience): Metadata | Promise<Metadata> {
    if (!this.#isReady) return this.connect(patience).then(() => this.#metadata(patience));
    return this.#metadata(patience);
  }

  #metadata(patience: Patience): Metadata | Promise<Metadata> {
    const metadata = this.#security.metadata();
    return metadata instanceof Metadata ? metadata : untilOver(metadata, patience);
  }

  /** Must be asked in the turn in which the call is handed over. */
  #checkOpen(patience: Patience): void {
    if (patience.isOver) throw patience.failure('no');
    // A closed channel throws an error of its own.
    if (this.#isClosed) throw closedError();
  }

  async #connect(): Promise<void> {
    const hung = new AbortController();
    const timer = this.#clock.sleep(this.#connectTimeout, { signal: hung.signal }).then(
      () => false,
      () => true,
    );
    try {
      for (;;) {
        const channel = this.#client.getChannel();
        const state = channel.getConnectivityState(true);
        if (state === State.READY) return;
        if (state === State.TRANSIENT_FAILURE) {
          const failure = await this.#whyNot();
          if (failure !== undefined) throw failure;
        }
        if (state === State.SHUTDOWN) throw closedError();
        const changed = new Promise<boolean>((resolve) => {
          channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => resolve(true));
        });
        if (await Promise.race([changed, timer])) continue;
        // grpc-js would wait for this handshake for ever.
        this.#client.close();
        if (!this.#isClosed) this.#client = this.#dial();
        throw new UnreachableError(
          `${this.address} took no connection within ${this.#connectTimeout} ms. Check the address, and that a server listens there.`,
        );
      }
    } finally {
      hung.abort();
    }
  }

  /** Only a call is told why there is no connection. `undefined`: there is one after all. */
  async #whyNot(): Promise<Error | undefined> {
    const { path, requestSerialize, responseDeserialize } = StoreService.describe;
    const options: CallOptions = { deadline: this.#clock.now() + this.#connectTimeout };
    const status = await new Promise<CallStatus>((resolve) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, options, (error) =>
        resolve(statusOf(error)),
      );
    });
    return isNeverSent(status) ? connectionFailure(this.address, status.details) : undefined;
  }
}

/** `work`, or what the caller is told as soon as its patience is over; nothing was sent. */
async function untilOver<T>(work: Promise<T>, patience: Patience): Promise<T> {
  try {
    return await orAborted(work, patience.signal);
  } catch (error) {
    throw patience.isOver ? patience.failure('no') : error;
  }
}

/** Without the stack that a `ServiceError` carries: where grpc-js was called from helps nobody. */
export function statusOf(error: ServiceError | null): CallStatus {
  return { code: error?.code ?? Status.UNKNOWN, details: error?.details ?? 'no answer', metadata: error?.metadata };
}
