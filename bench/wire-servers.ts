import { Server, ServerCredentials } from '@grpc/grpc-js';
import { serve } from '../src/server/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { bareMethod } from './wire-bare.ts';

// A process of its own, so that client and server share no event loop: ours, and one that does nothing but answer.

const ours = await serve(memory(), { port: 0 });

const bare = new Server();
bare.addService(
  { answer: bareMethod },
  {
    // As many bytes as the question asks for.
    answer: ({ request }: { request: Buffer }, reply: (error: null, bytes: Buffer) => void) =>
      reply(null, Buffer.alloc(request.readUInt32BE())),
  },
);
const port = await new Promise<number>((resolve, reject) => {
  bare.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
process.send?.({ ours: ours.port, bare: port });
process.once('disconnect', () => process.exit());
