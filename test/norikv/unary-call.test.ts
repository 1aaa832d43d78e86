import { Server, ServerCredentials, type ServerUnaryCall, type ServerWritableStream } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/core/system.ts';
import { Node, StatusError } from '../../src/stores/norikv/node.ts';
import { Patience } from '../../src/stores/norikv/patience.ts';
import { securityOf } from '../../src/stores/norikv/security.ts';
import { settingsOf } from '../../src/stores/norikv/settings.ts';
import { norimaki } from '../../src/wire/index.ts';

const { get } = norimaki.StoreService;
const question = { key: Buffer.from('key'), consistency: '' };
const NOTHING = Buffer.alloc(0);
const asIs = (bytes: Buffer): Buffer => bytes;

async function nodeTo(server: Server): Promise<Node> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const node = new Node(
    `127.0.0.1:${port}`,
    securityOf(settingsOf({ nodes: [`127.0.0.1:${port}`] })),
    systemClock,
    5_000,
  );
  onTestFinished(() => {
    node.close();
    server.forceShutdown();
  });
  return node;
}

/** A server that answers the call with these messages, be they one or not. */
function answering(...messages: readonly Buffer[]): Server {
  const server = new Server();
  const method = { path: get.path, requestStream: false, responseStream: true } as const;
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { get: { ...method, ...bytes } },
    {
      get: (call: ServerWritableStream<Buffer, Buffer>) => {
        for (const message of messages) call.write(message);
        call.end();
      },
    },
  );
  return server;
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  return error instanceof StatusError ? error.status : error;
}

const patience = (timeout = 5_000): Patience => new Patience(systemClock, timeout);

test('one message that can be read is the answer', async () => {
  const node = await nodeTo(answering(NOTHING));
  await expect(node.unary(get, question, patience(), false)).resolves.toEqual({ record: undefined });
});

test.each([
  ['none', [], 12],
  ['two', [NOTHING, NOTHING], 12],
  ['one that cannot be read', [Buffer.from([0xff, 0xff])], 13],
] as const)('%s is a failure, and no answer', async (_, messages, code) => {
  const node = await nodeTo(answering(...messages));
  expect(await failureOf(node.unary(get, question, patience(), false))).toMatchObject({ code });
});

/** A server that keeps calls waiting; resolves to the first. */
function waiting(): { readonly server: Server; readonly first: Promise<ServerUnaryCall<unknown, unknown>> } {
  const server = new Server();
  const first = new Promise<ServerUnaryCall<unknown, unknown>>((resolve) => {
    server.addService({ get }, { get: resolve });
  });
  return { server, first };
}

test('the server is told until when it may work', async () => {
  const { server, first } = waiting();
  const node = await nodeTo(server);
  const before = Date.now();
  const call = node.unary(get, question, patience(4_000), false).catch(() => {});
  const deadline = Number((await first).getDeadline());
  expect(deadline).toBeGreaterThan(before + 3_000);
  expect(deadline).toBeLessThan(Date.now() + 4_500);
  server.forceShutdown();
  await call;
});

test('the server is told when a call is given up', async () => {
  const { server, first } = waiting();
  const node = await nodeTo(server);
  // Not by its deadline, which the server knows too.
  const given = patience(600_000);
  const call = node.unary(get, question, given, true);
  const atWork = await first;
  const cancelled = new Promise((resolve) => atWork.on('cancelled', resolve));
  given.end('deadline');
  await expect(call).rejects.toMatchObject({ code: 'deadline.exceeded', details: { applied: 'unknown' } });
  await cancelled;
});
