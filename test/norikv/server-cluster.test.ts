import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type norimaki, shardOf } from '../../src/wire/index.ts';
import { movingCluster } from './support/moving-cluster.ts';
import { type Message, refusal } from './support/plain-client.ts';
import { clientOf, plain, serving } from './support/serving.ts';
import { get, type Request, StreamClient } from './support/stream-client.ts';

/** A key of each shard. */
const keys = Array.from({ length: 4 }, (_, shard) => {
  for (let i = 0; ; i++) if (shardOf(Buffer.from(`key ${i}`), 4) === shard) return Buffer.from(`key ${i}`);
});
const notLeader = { code: status.UNAVAILABLE, details: expect.stringMatching(/^NOT_LEADER/) };

async function twoNodes() {
  const cluster = movingCluster(['a', 'b']);
  const store = await memory().openStore(systemEnvironment);
  const a = await serving({ cluster: cluster.node('a') }, store);
  const b = await serving({ cluster: cluster.node('b') }, store);
  return { cluster, a, b };
}

test('a server alone leads every shard, and tells where it listens', async () => {
  const server = await serving({ shards: 3 });
  const watch = clientOf(server).watch();
  watch.on('error', () => {});
  const view = await new Promise<Message>((resolve) => watch.once('data', resolve));
  watch.cancel();
  const replicas = [{ node_id: 'norimaki', leader: true }];
  expect(view).toEqual({
    epoch: 1n,
    nodes: [{ id: 'norimaki', addr: server.address, role: 'leader' }],
    // The first has the number 0, which is not sent.
    shards: [{ replicas }, { id: 1, replicas }, { id: 2, replicas }],
  });
});

test('clients are told another address where one is given, and never that of all interfaces', async () => {
  for (const options of [{ advertise: 'db.example.org:7447' }, { host: '0.0.0.0', insecure: true }]) {
    const server = await serving({ shards: 1, ...options });
    const client = clientOf({ ...server, address: `127.0.0.1:${server.port}` });
    const watch = client.watch();
    watch.on('error', () => {});
    const view = await new Promise<Message>((resolve) => watch.once('data', resolve));
    watch.cancel();
    expect(view.nodes[0].addr).toMatch(options.advertise ?? /^(?!0\.0\.0\.0).+:\d+$/);
  }
});

test('there are 1,024 shards unless another number is given', async () => {
  const client = await plain();
  const watch = client.watch();
  watch.on('error', () => {});
  const view = await new Promise<Message>((resolve) => watch.once('data', resolve));
  watch.cancel();
  expect(view.shards).toHaveLength(1024);
});

test('a view comes at once, and after every change', async () => {
  const { cluster, a } = await twoNodes();
  const watch = clientOf(a).watch();
  watch.on('error', () => {});
  const next = () => new Promise<Message>((resolve) => watch.once('data', resolve));
  const leads = (view: Message) =>
    view.shards.map((shard: Message) => shard.replicas.find((one: Message) => one.leader).node_id);
  expect(leads(await next())).toEqual(['a', 'a', 'a', 'a']);
  const changed = next();
  cluster.lead('b', 2);
  const view = await changed;
  expect(leads(view)).toEqual(['a', 'a', 'b', 'a']);
  expect(view.epoch).toBe(2n);
  watch.cancel();
});

test('who does not lead a shard says so, to plain clients and to those of the extension', async () => {
  const { cluster, a, b } = await twoNodes();
  cluster.lead('b', 1, 2);
  const [first, second] = [clientOf(a), clientOf(b)];
  for (const [shard, key] of keys.entries()) {
    const [leader, other] = shard === 1 || shard === 2 ? [second, first] : [first, second];
    await leader.call('Kv/Put', { key, value: key });
    expect((await leader.call('Kv/Get', { key })).value).toEqual(key);
    for (const rpc of ['Kv/Put', 'Kv/Get', 'Kv/Delete'] as const) {
      expect(await refusal(other.call(rpc, { key }))).toMatchObject(notLeader);
    }
  }
  const stream = new StreamClient(a);
  const operation = (key: Buffer): norimaki.Operation => ({
    key,
    precondition: undefined,
    action: { $case: 'check', value: {} },
  });
  const commit = (...operations: norimaki.Operation[]): Request => ({
    $case: 'commit',
    value: { operations, vectors: [], idempotencyKey: '' },
  });
  const scan = (start: Buffer): Request => {
    const range = { start, end: Buffer.from('z') };
    return { $case: 'scan', value: { range, limit: 1, reverse: false, consistency: '' } };
  };
  const [mine, theirs] = [keys[0] as Buffer, keys[1] as Buffer];
  stream.send([1, get(theirs.toString())], [2, commit(operation(theirs))], [3, scan(theirs)]);
  // Of several keys the first decides.
  stream.send([4, commit(operation(mine), operation(theirs))], [5, scan(mine)], [6, commit()]);
  await stream.answers(6);
  for (const id of [1, 2, 3]) {
    expect(stream.failureOf(id)).toMatchObject({
      status: status.UNAVAILABLE,
      message: expect.stringMatching(/^NOT_LEADER/),
      details: '{"applied":"no"}',
    });
  }
  expect([4, 5, 6].map((id) => stream.resultOf(id)?.$case)).toEqual(['commit', 'scan', 'commit']);
});

test('sizes and consistencies are checked before who leads; vectors are anybody’s', async () => {
  const { b } = await twoNodes();
  const client = clientOf(b);
  const long = { key: Buffer.alloc(1025) };
  expect((await refusal(client.call('Kv/Put', long))).code).toBe(status.INVALID_ARGUMENT);
  const lease = { key: keys[0], consistency: 'lease' };
  expect((await refusal(client.call('Kv/Get', lease))).code).toBe(status.INVALID_ARGUMENT);
  const index = { namespace: 'n', dimensions: 1, distance: 1 };
  expect(await client.call('Vector/CreateIndex', index)).toEqual({ created: true });
});

test('a watch that is cancelled leaves no listener behind', async () => {
  const cluster = movingCluster(['a']);
  let listening = 0;
  const node = cluster.node('a');
  const counted = {
    ...node,
    onChange(listener: () => void) {
      listening++;
      const unsubscribe = node.onChange(listener);
      return () => {
        listening--;
        unsubscribe();
      };
    },
  };
  const client = clientOf(await serving({ cluster: counted }));
  const watch = client.watch();
  watch.on('error', () => {});
  await new Promise((resolve) => watch.once('data', resolve));
  expect(listening).toBe(1);
  watch.cancel();
  while (listening > 0) await new Promise(setImmediate);
});
