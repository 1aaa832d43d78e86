import { type CallOptions, Client, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { type StandardEntity, standardSchema } from './standard-entity.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

/** A unary method that neither encodes nor decodes. */
function bareMethod(path: string): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** `answer` sends so many bytes as the question asks for; `put` keeps a value under a key. */
export const bareService = { answer: bareMethod('/bare/Answer'), put: bareMethod('/bare/Put') };

/** Milliseconds. */
const DEADLINE = 10_000;

/** What a call costs when nothing is done in it, or no more than what any put does. */
export class BareClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  /** Sends so many bytes and receives so many. */
  call(sent: number, received: number): Promise<Buffer> {
    const question = Buffer.alloc(Math.max(4, sent));
    question.writeUInt32BE(received);
    return this.#ask(bareService.answer.path, question, {});
  }

  /** An entity that is checked, written as JSON and given back as it was written, by a deadline; nothing is promised. */
  async put(key: string, entity: StandardEntity): Promise<StandardEntity> {
    const json = JSON.stringify(standardSchema.parse(entity));
    // The length of the key, the key, the value.
    const question = Buffer.from(`${String.fromCharCode(key.length)}${key}${json}`);
    await this.#ask(bareService.put.path, question, { deadline: Date.now() + DEADLINE });
    const written = JSON.parse(json);
    return { ...written, addedAt: new Date(written.addedAt) };
  }

  #ask(path: string, question: Buffer, options: CallOptions): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, asIs, asIs, question, options, (error, answer) =>
        error === null ? resolve(answer as Buffer) : reject(error),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
