import { Server, ServerCredentials } from '@grpc/grpc-js';
import { serve } from '../src/server/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { bareService } from './wire-bare.ts';

// A process of its own, so that client and server share no event loop: ours, and one that does nothing but answer.

const ours = await serve(memory(), { port: 0 });

type Handler = (call: { readonly request: Buffer }, reply: (error: null, bytes: Buffer) => void) => void;

const values = new Map<string, Buffer>();
const answer: Handler = ({ request }, reply) => reply(null, Buffer.alloc(request.readUInt32BE()));
const put: Handler = ({ request }, reply) => {
  const end = 1 + request.readUInt8();
  values.set(request.toString('latin1', 1, end), Buffer.from(request.subarray(end)));
  reply(null, Buffer.alloc(6));
};

const bare = new Server();
bare.addService(bareService, { answer, put });
const port = await new Promise<number>((resolve, reject) => {
  bare.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
process.send?.({ ours: ours.port, bare: port });
process.once('disconnect', () => process.exit());
