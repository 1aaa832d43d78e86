import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock } from '../../src/testing/index.ts';
import { HeldStore } from './support/held-store.ts';
import { refusal } from './support/plain-client.ts';
import { clientOf, serving } from './support/serving.ts';
import { get, put, StreamClient } from './support/stream-client.ts';

const key = Buffer.from('key');

test('calls that run when it closes are answered, and no other is taken', async () => {
  const store = await HeldStore.open();
  const server = await serving({}, store);
  const client = clientOf(server);
  const running = client.call('Kv/Put', { key, value: key });
  await store.holds(1);
  const closing = server.close();
  const late = await refusal(clientOf(server).call('Kv/Get', { key }));
  expect(late.code).toBe(status.UNAVAILABLE);
  expect(store.begun).toBe(1);
  store.letGo();
  expect((await running).version).toBeDefined();
  await closing;
});

test('calls in a stream are answered when it closes, later ones are refused, and the stream ends well', async () => {
  const store = await HeldStore.open();
  const server = await serving({}, store);
  const stream = new StreamClient(server);
  stream.send([1, get('a')], [2, put('b', 'value')]);
  await store.holds(2);
  const closing = server.close();
  stream.send([3, put('c', 'value')]);
  await stream.answers(1);
  expect(stream.failureOf(3)).toMatchObject({ code: 'store.unavailable', details: '{"applied":"no"}' });
  store.letGo();
  expect(await stream.ended).toMatchObject({ code: status.OK });
  expect([1, 2].map((id) => stream.resultOf(id)?.$case)).toEqual(['get', 'put']);
  await closing;
});

test('an idle stream and a watch do not keep it open', async () => {
  const server = await serving();
  const stream = new StreamClient(server);
  stream.send([1, get('a')]);
  await stream.answers(1);
  const watch = clientOf(server).watch();
  const ended = new Promise((resolve) => watch.on('end', resolve));
  watch.resume();
  await new Promise((resolve) => watch.once('data', resolve));
  await server.close();
  expect(await stream.ended).toMatchObject({ code: status.OK });
  await ended;
});

test('after the grace it cuts what is left, and the work of it ends', async () => {
  const clock = manualClock();
  const store = await HeldStore.open();
  const server = await serving({ clock }, store);
  const stream = new StreamClient(server);
  stream.send([1, get('a')]);
  const unary = refusal(clientOf(server).call('Kv/Get', { key }));
  await store.holds(2);
  const closing = server.close({ grace: 5000 });
  await clock.advance(4999);
  await sleep(20);
  expect(store.aborted).toBe(0);
  await clock.advance(1);
  await closing;
  while (store.aborted < 2) await sleep(1);
  // As the connection's end is seen, which may come in the middle of something.
  expect([status.CANCELLED, status.UNAVAILABLE, status.INTERNAL]).toContain((await unary).code);
  expect((await stream.ended).code).not.toBe(status.OK);
});

test('nothing that was acknowledged under load is lost, and nothing that was refused is there', async () => {
  const store = await memory().openStore({
    clock: manualClock(),
    random: { float: () => 0, bytes: (n) => new Uint8Array(n) },
  });
  const server = await serving({}, store);
  const clients = Array.from({ length: 4 }, () => clientOf(server));
  const acknowledged = new Set<string>();
  const refused = new Map<string, number>();
  let isOver = false;
  const write = async (who: number): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      const name = `${who} ${i}`;
      try {
        await clients[who % 4]?.call('Kv/Put', { key: Buffer.from(name), value: key });
        acknowledged.add(name);
      } catch (error) {
        refused.set(name, (error as { code: number }).code);
        isOver = true;
      }
    }
  };
  const writers = Array.from({ length: 32 }, (_, who) => write(who));
  while (acknowledged.size < 200) await sleep(1);
  await server.close();
  await Promise.all(writers);
  for (const name of acknowledged) expect(await store.get(Buffer.from(name)), name).toBeDefined();
  expect(new Set(refused.values())).toEqual(new Set([status.UNAVAILABLE]));
  for (const name of refused.keys()) expect(await store.get(Buffer.from(name)), name).toBeUndefined();
});

test('it closes what it opened, last; what was handed in open stays open', async () => {
  const handedIn = await HeldStore.open();
  const first = await serve(handedIn, { port: 0 });
  await first.close();
  expect(handedIn.isClosed).toBe(false);
  const opened = await HeldStore.open();
  const second = await serve({ openStore: async () => opened }, { port: 0 });
  const running = clientOf(second).call('Kv/Get', { key });
  await opened.holds(1);
  const closing = second.close();
  await sleep(20);
  expect(opened.isClosed).toBe(false);
  opened.letGo();
  await running;
  await closing;
  expect(opened.isClosed).toBe(true);
});

test('await using, a signal, and closing twice', async () => {
  const controller = new AbortController();
  {
    await using server = await serve(memory(), { port: 0, signal: controller.signal });
    expect(server.address).toBe(`127.0.0.1:${server.port}`);
    controller.abort();
    await server.close();
    await server.close();
    const again = await serve(memory(), { port: server.port });
    await again.close();
  }
});

test('a port that is taken is refused in one sentence, and the store is closed', async () => {
  const { port } = await serving();
  const store = await HeldStore.open();
  await expect(serve({ openStore: async () => store }, { port })).rejects.toMatchObject({
    code: 'argument.invalid',
    details: { argument: 'port' },
    message: expect.stringMatching(/cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/),
  });
  expect(store.isClosed).toBe(true);
});
