import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { manualClock } from '../../src/testing/index.ts';
import type { Rpc } from './support/plain-client.ts';
import { type PlainClient, refusal } from './support/plain-client.ts';
import { plain } from './support/serving.ts';

const key = Buffer.from('key');
const value = Buffer.from('value');
const MIB = 1_048_576;

const versionOf = async (client: PlainClient) => (await client.call('Kv/Get', { key })).version;

test('a client of the table of messages alone puts, gets and deletes', async () => {
  const client = await plain();
  const put = await client.call('Kv/Put', { key, value });
  expect(put.version.index).toBeTypeOf('bigint');
  const got = await client.call('Kv/Get', { key });
  expect(got).toEqual({ value, version: put.version });
  expect(await client.call('Kv/Delete', { key })).toEqual({ tombstoned: true });
  expect(await client.call('Kv/Delete', { key })).toEqual({});
});

test('a missing key has no version; an empty value has one', async () => {
  const client = await plain();
  expect(await client.call('Kv/Get', { key })).toEqual({});
  const { version } = await client.call('Kv/Put', { key, value: Buffer.alloc(0) });
  expect(await client.call('Kv/Get', { key })).toEqual({ version });
});

test('a key of 1,024 bytes and a value of 1 MiB are taken, one byte more is not', async () => {
  const client = await plain();
  const longest = Buffer.alloc(1024, 'k');
  await client.call('Kv/Put', { key: longest, value: Buffer.alloc(MIB, 'v') });
  expect((await client.call('Kv/Get', { key: longest })).value).toHaveLength(MIB);
  const tooLong = Buffer.alloc(1025, 'k');
  for (const rpc of ['Kv/Put', 'Kv/Get', 'Kv/Delete'] as const) {
    expect(await refusal(client.call(rpc, { key: tooLong }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'Key size 1025 exceeds limit 1024',
    });
  }
  expect(await refusal(client.call('Kv/Put', { key, value: Buffer.alloc(MIB + 1) }))).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'Value size 1048577 exceeds limit 1048576',
  });
});

test('the four consistencies are known, and no other', async () => {
  const client = await plain();
  for (const consistency of ['', 'strong', 'eventual', 'bounded_staleness']) {
    expect(await client.call('Kv/Get', { key, consistency })).toEqual({});
  }
  for (const consistency of ['lease', 'linearizable', 'stale_ok', 'Strong']) {
    expect(await refusal(client.call('Kv/Get', { key, consistency }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: `Unknown consistency level: ${consistency}`,
    });
  }
  const endless = await refusal(client.call('Kv/Get', { key, consistency: 'x'.repeat(MIB) }));
  expect(endless.details).toBe(`Unknown consistency level: ${'x'.repeat(100)}`);
});

test('if_match: on a missing key, on another version, on the right one', async () => {
  const client = await plain();
  const stale = { term: 1n, index: 77n };
  for (const rpc of ['Kv/Put', 'Kv/Delete'] as const) {
    expect(await refusal(client.call(rpc, { key, if_match: stale }))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'CAS failed: key does not exist',
    });
  }
  const { version: first } = await client.call('Kv/Put', { key, value });
  const { version: second } = await client.call('Kv/Put', { key, value, if_match: first });
  for (const rpc of ['Kv/Put', 'Kv/Delete'] as const) {
    expect(await refusal(client.call(rpc, { key, if_match: first }))).toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: `Version mismatch: expected term=${first.term} index=${first.index}, got term=${second.term} index=${second.index}`,
    });
  }
  expect(await client.call('Kv/Delete', { key, if_match: second })).toEqual({ tombstoned: true });
});

test('of racing puts with one version exactly one succeeds', async () => {
  const client = await plain();
  const { version } = await client.call('Kv/Put', { key, value });
  const racing = Array.from({ length: 50 }, (_, i) =>
    client.call('Kv/Put', { key, value: Buffer.from(`${i}`), if_match: version }),
  );
  const won = (await Promise.allSettled(racing)).filter((one) => one.status === 'fulfilled');
  expect(won).toHaveLength(1);
});

test('ttl_ms is from now by the clock of the server; an expired key is missing, for if_match too', async () => {
  const clock = manualClock();
  const client = await plain({ environment: { clock } });
  const { version } = await client.call('Kv/Put', { key, value, ttl_ms: 1000n });
  clock.advance(999);
  expect(await versionOf(client)).toEqual(version);
  clock.advance(1);
  expect(await client.call('Kv/Get', { key })).toEqual({});
  expect((await refusal(client.call('Kv/Put', { key, if_match: version }))).details).toBe(
    'CAS failed: key does not exist',
  );
});

test('the longest ttl is no ttl that has passed', async () => {
  const client = await plain();
  await client.call('Kv/Put', { key, value, ttl_ms: 2n ** 64n - 1n });
  expect(await versionOf(client)).toBeDefined();
});

test('checks come in order: sizes before the version, size of the key before the consistency', async () => {
  const client = await plain();
  const if_match = { term: 1n, index: 1n };
  const tooMuch = await refusal(client.call('Kv/Put', { key, value: Buffer.alloc(MIB + 1), if_match }));
  expect(tooMuch.details).toContain('Value size');
  const tooLong = await refusal(client.call('Kv/Get', { key: Buffer.alloc(1025), consistency: 'lease' }));
  expect(tooLong.details).toContain('Key size');
});

test('a repeated idempotency key answers as the first did, before the version is compared', async () => {
  const client = await plain();
  const { version: first } = await client.call('Kv/Put', { key, value });
  const put = { key, value: Buffer.from('two'), idempotency_key: 'one', if_match: first };
  const { version: second } = await client.call('Kv/Put', put);
  expect(await client.call('Kv/Put', put)).toEqual({ version: second });
  expect(await versionOf(client)).toEqual(second);
});

const vectorMistakes: Record<string, readonly [Rpc, Record<string, unknown>]> = {
  'no namespace': ['Vector/CreateIndex', { dimensions: 2, distance: 1 }],
  'a namespace of 257 bytes': ['Vector/CreateIndex', { namespace: 'n'.repeat(257), dimensions: 2, distance: 1 }],
  'no dimensions': ['Vector/CreateIndex', { namespace: 'n', distance: 1 }],
  '4,097 dimensions': ['Vector/CreateIndex', { namespace: 'n', dimensions: 4097, distance: 1 }],
  'no distance': ['Vector/CreateIndex', { namespace: 'n', dimensions: 2 }],
  'a distance that is none': ['Vector/CreateIndex', { namespace: 'n', dimensions: 2, distance: 4 }],
  'a type that is none': ['Vector/CreateIndex', { namespace: 'n', dimensions: 2, distance: 1, index_type: 3 }],
  'no id': ['Vector/Insert', { namespace: 'there', vector: [1, 2] }],
  'an id of 513 bytes': ['Vector/Insert', { namespace: 'there', id: 'i'.repeat(513), vector: [1, 2] }],
  'an empty vector': ['Vector/Insert', { namespace: 'there', id: 'a' }],
  'a vector of another length': ['Vector/Insert', { namespace: 'there', id: 'a', vector: [1] }],
  'a vector of 4,097 numbers': ['Vector/Insert', { namespace: 'there', id: 'a', vector: new Array(4097).fill(1) }],
  'a number that is none': ['Vector/Insert', { namespace: 'there', id: 'a', vector: [1, Number.NaN] }],
  'no query': ['Vector/Search', { namespace: 'there', k: 1 }],
  'k of 0': ['Vector/Search', { namespace: 'there', query: [1, 2] }],
  'k of 1,001': ['Vector/Search', { namespace: 'there', query: [1, 2], k: 1001 }],
  'k of 10,000': ['Vector/Search', { namespace: 'there', query: [1, 2], k: 10_000 }],
  'an unknown consistency': ['Vector/Search', { namespace: 'there', query: [1, 2], k: 1, consistency: 'lease' }],
};

test.each(Object.entries(vectorMistakes))('%s is INVALID_ARGUMENT', async (_, [rpc, request]) => {
  const client = await plain();
  await client.call('Vector/CreateIndex', { namespace: 'there', dimensions: 2, distance: 1 });
  expect(await refusal(client.call(rpc, request))).toMatchObject({ code: status.INVALID_ARGUMENT });
});

test('vectors at the limits are taken: names of 256 and 512 bytes, 4,096 dimensions, k of 1 and of 1,000', async () => {
  const client = await plain();
  const namespace = 'n'.repeat(256);
  const id = 'i'.repeat(512);
  const vector = new Array(4096).fill(0.5);
  const index = { namespace, dimensions: 4096, distance: 3, index_type: 2 };
  expect(await client.call('Vector/CreateIndex', index)).toEqual({ created: true });
  expect(await client.call('Vector/CreateIndex', index)).toEqual({});
  expect(await client.call('Vector/Insert', { namespace, id, vector })).toEqual({ inserted: true });
  for (const k of [1, 1000]) {
    expect(await client.call('Vector/Search', { namespace, query: vector, k })).toMatchObject({
      matches: [{ id, distance: -1024 }],
    });
  }
});

test('vectors: create, insert, search, get, delete, drop', async () => {
  const client = await plain();
  const namespace = 'n';
  await client.call('Vector/CreateIndex', { namespace, dimensions: 2, distance: 1, index_type: 1 });
  await client.call('Vector/Insert', { namespace, id: 'far', vector: [3, 4] });
  await client.call('Vector/Insert', { namespace, id: 'near', vector: [1, 0] });
  const search = { namespace, query: [0, 0], k: 10, consistency: 'strong' };
  expect((await client.call('Vector/Search', search)).matches).toEqual([
    { id: 'near', distance: 1 },
    { id: 'far', distance: 5 },
  ]);
  expect((await client.call('Vector/Search', { ...search, include_vectors: true })).matches).toEqual([
    { id: 'near', distance: 1, vector: [1, 0] },
    { id: 'far', distance: 5, vector: [3, 4] },
  ]);
  expect(await client.call('Vector/Get', { namespace, id: 'far' })).toEqual({ vector: [3, 4], found: true });
  expect(await client.call('Vector/Delete', { namespace, id: 'far' })).toEqual({ deleted: true });
  expect(await client.call('Vector/Get', { namespace, id: 'far' })).toEqual({});
  expect(await client.call('Vector/Delete', { namespace, id: 'far' })).toEqual({});
  expect(await client.call('Vector/DropIndex', { namespace })).toEqual({ dropped: true });
  expect(await client.call('Vector/DropIndex', { namespace })).toEqual({});
});

test('an index that is not there is NOT_FOUND, behind the checks of what was sent', async () => {
  const client = await plain();
  const insert = { namespace: 'n', id: 'a', vector: [1] };
  expect(await refusal(client.call('Vector/Insert', insert))).toMatchObject({ code: status.NOT_FOUND });
  expect(await refusal(client.call('Vector/Search', { namespace: 'n', query: [1], k: 1 }))).toMatchObject({
    code: status.NOT_FOUND,
  });
  expect(await refusal(client.call('Vector/Insert', { ...insert, vector: [] }))).toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test('vectors that would not fit into a message are refused before the search', async () => {
  const client = await plain();
  const query = new Array(4096).fill(1);
  await client.call('Vector/CreateIndex', { namespace: 'n', dimensions: 4096, distance: 1 });
  const search = { namespace: 'n', query, include_vectors: true };
  expect(await client.call('Vector/Search', { ...search, k: 128 })).toBeDefined();
  expect(await refusal(client.call('Vector/Search', { ...search, k: 129 }))).toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test('a shard alone: a snapshot and a transfer to its leader have nothing to do', async () => {
  const client = await plain({ shards: 4 });
  const shard = { id: 3, replicas: [{ node_id: 'norimaki', leader: true }] };
  expect(await client.call('Admin/SnapshotShard', { id: 3 })).toEqual(shard);
  expect(await client.call('Admin/TransferShard', shard)).toEqual(shard);
  const elsewhere = { id: 3, replicas: [{ node_id: 'other', leader: true }] };
  expect(await refusal(client.call('Admin/TransferShard', elsewhere))).toMatchObject({ code: status.UNIMPLEMENTED });
  for (const rpc of ['Admin/SnapshotShard', 'Admin/TransferShard'] as const) {
    expect(await refusal(client.call(rpc, { id: 4 }))).toMatchObject({ code: status.INVALID_ARGUMENT });
  }
});
