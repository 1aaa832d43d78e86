import { Client, credentials, type MethodDefinition } from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;

/** A unary method that neither encodes nor decodes. */
export const bareMethod: MethodDefinition<Buffer, Buffer> = {
  path: '/bare/Answer',
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

/** What a call costs when nothing is done in it. */
export class BareClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  /** Sends so many bytes and receives so many. */
  call(sent: number, received: number): Promise<Buffer> {
    const question = Buffer.alloc(Math.max(4, sent));
    question.writeUInt32BE(received);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(bareMethod.path, asIs, asIs, question, (error, answer) =>
        error === null ? resolve(answer as Buffer) : reject(error),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}
