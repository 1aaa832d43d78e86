import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { limitCapabilities } from '../../src/testing/index.ts';
import { decodeFailure, FAILURE_TRAILER, fromWireVersion, type norimaki } from '../../src/wire/index.ts';
import { movingCluster } from './support/moving-cluster.ts';
import { clientOf, serving } from './support/serving.ts';
import { extensionClient } from './support/stream-client.ts';
import { WatchedStore } from './support/watched-store.ts';

// `Watch` as a client meets it that was made from the .proto files alone.

const RANGE = { start: Buffer.from('a'), end: Buffer.from('n') };
const value = Buffer.from('value');

class WatchClient {
  readonly call: ClientReadableStream<norimaki.Changes>;
  readonly seen: norimaki.Change[] = [];
  readonly ready: Promise<void>;
  readonly error: Promise<ServiceError>;

  constructor(client: norimaki.StoreClient, range: norimaki.KeyRange | undefined = RANGE) {
    this.call = client.watch({ range });
    this.ready = new Promise((resolve) => this.call.once('metadata', () => resolve()));
    this.error = new Promise((resolve) => this.call.once('error', resolve));
  }

  read(): this {
    this.call.on('data', ({ changes }: norimaki.Changes) => this.seen.push(...changes));
    return this;
  }

  async failure(): Promise<{ code: number; failure: norimaki.Failure | undefined }> {
    const { code, metadata } = await this.error;
    const [trailer] = metadata.get(FAILURE_TRAILER);
    return { code, failure: Buffer.isBuffer(trailer) ? decodeFailure(trailer) : undefined };
  }
}

test('the header says that it is ready; then puts are told with their versions, and deletes without', async () => {
  const server = await serving();
  const watch = new WatchClient(extensionClient(server)).read();
  await watch.ready;
  const kv = clientOf(server);
  const { version } = await kv.call('Kv/Put', { key: Buffer.from('b'), value });
  await kv.call('Kv/Put', { key: Buffer.from('outside'), value });
  await kv.call('Kv/Delete', { key: Buffer.from('b') });
  await kv.call('Kv/Put', { key: Buffer.from('c'), value });
  await expect.poll(() => watch.seen.at(-1)?.key.toString()).toBe('c');
  const told = watch.seen.map(({ key, version: of }) => [Buffer.from(key).toString(), of && fromWireVersion(of)]);
  expect(told.filter(([key]) => key === 'outside')).toEqual([]);
  // The put may have been folded into the delete.
  expect(told.filter(([key]) => key === 'b').at(-1)).toEqual(['b', undefined]);
  const [first] = told;
  if (first?.[1] !== undefined) expect(first[1]).toBe(fromWireVersion(version));
});

test('a client that does not read is given no more than its share, and told in the end that it has missed some', async () => {
  const store = await WatchedStore.open();
  const server = await serving({ limits: { changesPerWatch: 100 } }, store);
  const watch = new WatchClient(extensionClient(server));
  await watch.ready;
  const written = 6000;
  for (let i = 0; i < written; i++) {
    await store.put(Buffer.from(`b${String(i).padStart(900, '0')}`), value);
    if (store.watches === 0) break;
  }
  await store.has(0);
  watch.read();
  expect(await watch.failure()).toMatchObject({
    code: status.ABORTED,
    failure: { code: 'watch.lost', details: JSON.stringify({ reason: 'behind' }) },
  });
  expect(watch.seen.length).toBeLessThan(written / 2);
  // It may begin anew.
  await new WatchClient(extensionClient(server)).ready;
});

test('a connection has so many watches and no more; one that ends makes room, and others have their own', async () => {
  const store = await WatchedStore.open();
  const server = await serving({ limits: { watchesPerConnection: 2 } }, store);
  const client = extensionClient(server);
  const [first, second] = [new WatchClient(client), new WatchClient(client)];
  await Promise.all([first.ready, second.ready]);
  expect(await new WatchClient(client).read().failure()).toMatchObject({
    code: status.UNAVAILABLE,
    failure: { code: 'store.unavailable' },
  });
  await new WatchClient(extensionClient(server)).ready;
  first.call.cancel();
  await store.has(2);
  await new WatchClient(client).ready;
});

test('whoever leaves, leaves nothing behind', async () => {
  const store = await WatchedStore.open();
  const server = await serving({}, store);
  const client = extensionClient(server);
  const watches = Array.from({ length: 20 }, () => new WatchClient(client));
  await Promise.all(watches.map(({ ready }) => ready));
  expect(store.watches).toBe(20);
  for (const { call } of watches.slice(0, 10)) call.cancel();
  await store.has(10);
  client.close();
  for (const { call } of watches.slice(10)) call.cancel();
  await store.has(0);
});

test('a server that closes ends its watches, whoever reads them, and waits for none', async () => {
  const store = await WatchedStore.open();
  const server = await serving({}, store);
  const reading = new WatchClient(extensionClient(server)).read();
  const silent = new WatchClient(extensionClient(server));
  await Promise.all([reading.ready, silent.ready]);
  await server.close();
  await store.has(0);
  expect(await reading.failure()).toMatchObject({ code: status.UNAVAILABLE, failure: { code: 'store.unavailable' } });
});

test('only who leads the start of the range tells, and only for as long', async () => {
  const store = await WatchedStore.open();
  const cluster = movingCluster(['a', 'b'], 4);
  const [a, b] = [
    await serving({ cluster: cluster.node('a') }, store),
    await serving({ cluster: cluster.node('b') }, store),
  ];
  const elsewhere = await new WatchClient(extensionClient(b)).read().error;
  expect(elsewhere).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/^NOT_LEADER/) });
  const watch = new WatchClient(extensionClient(a)).read();
  await watch.ready;
  cluster.lead('b');
  expect(await watch.error).toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringMatching(/^NOT_LEADER/),
  });
  await store.has(0);
  await new WatchClient(extensionClient(b)).ready;
});

test('a watch without a range is refused, and one of a store that cannot tell, which Describe says', async () => {
  const client = extensionClient(await serving());
  const rangeless = client.watch({ range: undefined });
  rangeless.resume();
  expect(await new Promise((resolve) => rangeless.once('error', resolve))).toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
  const mute = extensionClient(
    await serving({}, limitCapabilities(await memory().openStore(systemEnvironment), ['watch'])),
  );
  expect(await new WatchClient(mute).read().failure()).toMatchObject({
    code: status.UNIMPLEMENTED,
    failure: { code: 'capability.missing' },
  });
  const described = await new Promise<norimaki.DescribeResponse | undefined>((resolve) =>
    mute.describe({}, (_, response) => resolve(response)),
  );
  expect(described?.capabilities?.watch).toBe(false);
});
