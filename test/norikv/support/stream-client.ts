import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { NorikvServer } from '../../../src/server/index.ts';
import { norimaki } from '../../../src/wire/index.ts';

export type Request = NonNullable<norimaki.Call['request']>;
type Result = NonNullable<norimaki.Reply['result']>;

export const get = (key: string): Request => ({ $case: 'get', value: { key: Buffer.from(key), consistency: '' } });

export const put = (key: string, value: string, idempotencyKey = ''): Request => ({
  $case: 'put',
  value: {
    key: Buffer.from(key),
    value: Buffer.from(value),
    precondition: undefined,
    expiresAt: undefined,
    idempotencyKey,
  },
});

/** The generated client of the extension, closed when the test ends. */
export function extensionClient(server: NorikvServer): norimaki.StoreClient {
  const client = new norimaki.StoreClient(server.address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  onTestFinished(() => client.close());
  return client;
}

/** One `Stream` of a client that does not know when to stop. */
export class StreamClient {
  readonly duplex: ClientDuplexStream<norimaki.Calls, norimaki.Replies>;
  /** How many messages came. */
  messages = 0;
  /** Answers, in order. */
  readonly replies: norimaki.Reply[] = [];
  /** What the stream ended with. */
  readonly ended: Promise<{ code: number; details: string }>;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(server: NorikvServer) {
    this.duplex = extensionClient(server).stream();
    this.duplex.on('data', ({ replies }: norimaki.Replies) => {
      this.messages++;
      this.replies.push(...replies);
      for (const { count, resolve } of this.#waiting) if (this.replies.length >= count) resolve();
    });
    this.duplex.on('error', () => {});
    this.ended = new Promise((resolve) => this.duplex.on('status', resolve));
  }

  send(...calls: readonly (readonly [id: number, request: Request | undefined, timeoutMs?: number])[]): void {
    this.duplex.write({ calls: calls.map(([id, request, timeoutMs = 0]) => ({ id, request, timeoutMs })) });
  }

  cancel(id: number): void {
    this.send([id, { $case: 'cancel', value: {} }]);
  }

  /** Resolves once so many have come in all. */
  answers(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.replies.length >= count) resolve();
      else this.#waiting.push({ count, resolve });
    });
  }

  resultOf(id: number): Result | undefined {
    return this.replies.find((reply) => reply.id === id)?.result;
  }

  /** The error of a call that failed. */
  failureOf(id: number): norimaki.Failure | undefined {
    const result = this.resultOf(id);
    return result?.$case === 'failure' ? result.value : undefined;
  }
}
