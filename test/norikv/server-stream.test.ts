import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock } from '../../src/testing/index.ts';
import { norimaki } from '../../src/wire/index.ts';
import { HeldStore } from './support/held-store.ts';
import { serving } from './support/serving.ts';
import { get, put, StreamClient } from './support/stream-client.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

test('many calls in one message get each their own result, in few messages', async () => {
  const stream = new StreamClient(await serving());
  stream.send(...numbers(500).map((i) => [i, put(`key ${i}`, `value ${i}`)] as const));
  await stream.answers(500);
  stream.send(...numbers(500).map((i) => [1000 + i, get(`key ${i}`)] as const));
  stream.send([2000, get('missing')]);
  await stream.answers(1001);
  for (const i of numbers(500)) {
    const result = stream.resultOf(1000 + i);
    if (result?.$case !== 'get') throw new Error('Another kind of answer.');
    expect(Buffer.from(result.value.record?.value ?? []).toString()).toBe(`value ${i}`);
  }
  expect(stream.resultOf(2000)).toEqual({ $case: 'get', value: { record: undefined } });
  // One for each message of calls, with room for a network that splits them.
  expect(stream.messages).toBeLessThan(10);
});

test('large answers are spread over several messages, none over the limit', async () => {
  const store = await memory().openStore(systemEnvironment);
  for (const i of numbers(10)) await store.put(Buffer.from(`key ${i}`), Buffer.alloc(600_000));
  const stream = new StreamClient(await serving({}, store));
  stream.send(...numbers(10).map((i) => [i, get(`key ${i}`)] as const));
  await stream.answers(10);
  expect(stream.messages).toBe(10);
});

test('one failure is the failure of one call', async () => {
  const stream = new StreamClient(await serving());
  stream.send([1, put('', 'value')], [2, put('key', 'value')], [3, undefined]);
  await stream.answers(3);
  expect(stream.failureOf(1)).toMatchObject({ status: status.INVALID_ARGUMENT, code: 'argument.invalid' });
  expect(stream.resultOf(2)?.$case).toBe('put');
  expect(stream.failureOf(3)).toMatchObject({ status: status.UNIMPLEMENTED });
});

test('a call that is cancelled is answered so, and its work ends', async () => {
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({}, store));
  stream.send([1, get('a')], [2, get('b')]);
  await store.holds(2);
  stream.cancel(1);
  stream.cancel(77);
  await stream.answers(1);
  expect(stream.failureOf(1)).toMatchObject({ status: status.CANCELLED, code: 'aborted', details: '{"applied":"no"}' });
  expect(store.aborted).toBe(1);
  store.letGo();
  await stream.answers(2);
  expect(stream.resultOf(2)?.$case).toBe('get');
});

test('a call ends with its own time, or with the time of the server; others go on', async () => {
  const clock = manualClock();
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({ clock, limits: { timeout: 5000 } }, store));
  stream.send([1, get('a'), 1000], [2, get('b')], [3, get('c'), 9000]);
  await store.holds(3);
  await clock.advance(999);
  expect(store.aborted).toBe(0);
  await clock.advance(1);
  await stream.answers(1);
  expect(stream.failureOf(1)).toMatchObject({
    status: status.DEADLINE_EXCEEDED,
    code: 'deadline.exceeded',
    details: '{"waited":1000,"applied":"no"}',
  });
  await clock.advance(3999);
  expect(store.aborted).toBe(1);
  await clock.advance(1);
  await stream.answers(2);
  expect(stream.failureOf(2)?.code).toBe('deadline.exceeded');
  store.letGo();
  await stream.answers(3);
  expect(stream.resultOf(3)?.$case).toBe('get');
});

test('an earlier deadline that comes later is heeded', async () => {
  const clock = manualClock();
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({ clock }, store));
  stream.send([1, get('a'), 5000]);
  await store.holds(1);
  stream.send([2, get('b'), 10]);
  await store.holds(2);
  await clock.advance(10);
  await stream.answers(1);
  expect(stream.failureOf(2)?.code).toBe('deadline.exceeded');
});

test('beyond the calls at work the rest waits, and then is done', async () => {
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({ limits: { callsPerStream: 4 } }, store));
  for (const i of numbers(20)) stream.send([i, get(`key ${i}`)]);
  await store.holds(4);
  await sleep(50);
  expect(store.begun).toBe(4);
  store.letGo();
  await stream.answers(20);
  expect(store.begun).toBe(20);
});

test('messages that wait are left to the network, not taken into memory', async () => {
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({ limits: { callsPerStream: 1 } }, store));
  const value = 'v'.repeat(1_000_000);
  let sent = 0;
  for (const i of numbers(20))
    stream.duplex.write({ calls: [{ id: i, timeoutMs: 0, request: put('k', value) }] }, () => sent++);
  await store.holds(1);
  await sleep(200);
  // One at work, one half read, and what the network buffers.
  expect(sent).toBeLessThan(10);
  store.letGo();
  await stream.answers(20);
});

test('a client that does not read its answers is given no more work', async () => {
  const store = await memory().openStore(systemEnvironment);
  const key = Buffer.from('key');
  await store.put(key, Buffer.alloc(1_000_000));
  let reads = 0;
  const counted = new Proxy(store, {
    get(target, name) {
      if (name === 'get') reads++;
      const member = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const stream = new StreamClient(await serving({ limits: { callsPerStream: 4 } }, counted));
  stream.duplex.pause();
  for (const i of numbers(120)) stream.send([i, get('key')]);
  await sleep(300);
  expect(reads).toBeGreaterThan(0);
  expect(reads).toBeLessThan(60);
  stream.duplex.resume();
  await stream.answers(120);
});

test('a stream that dies ends the work of its calls', async () => {
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({}, store));
  stream.send([1, get('a')], [2, put('b', 'value')]);
  await store.holds(2);
  stream.duplex.cancel();
  while (store.aborted < 2) await sleep(1);
});

test('a client that has no more calls gets its answers, and then the end', async () => {
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({}, store));
  stream.send([1, get('a')]);
  stream.duplex.end();
  await store.holds(1);
  store.letGo();
  expect(await stream.ended).toMatchObject({ code: status.OK });
  expect(stream.resultOf(1)?.$case).toBe('get');
});

test('a number that waits for its answer cannot be used again; one that has it can', async () => {
  const store = await HeldStore.open();
  const server = await serving({}, store);
  const stream = new StreamClient(server);
  stream.send([1, get('a')]);
  stream.send([1, get('b')]);
  expect(await stream.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  store.letGo();
  const again = new StreamClient(server);
  again.send([1, get('a')]);
  await again.answers(1);
  again.send([1, get('b')]);
  await again.answers(2);
});

test('a message of 4,096 calls is taken, one of 4,097 is not', async () => {
  const server = await serving();
  const good = new StreamClient(server);
  good.send(...numbers(4096).map((i) => [i, get('key')] as const));
  await good.answers(4096);
  const bad = new StreamClient(server);
  bad.send(...numbers(4097).map((i) => [i, get('key')] as const));
  expect((await bad.ended).code).toBe(status.INTERNAL);
  good.send([1, get('key')]);
  await good.answers(4097);
});

test('beyond the calls of the whole server a call is refused, and nothing of it was done', async () => {
  const store = await HeldStore.open();
  const stream = new StreamClient(await serving({ limits: { calls: 2 } }, store));
  stream.send([1, get('a')], [2, get('b')], [3, put('c', 'value')]);
  await stream.answers(1);
  expect(stream.failureOf(3)).toMatchObject({
    status: status.UNAVAILABLE,
    code: 'store.unavailable',
    details: '{"applied":"no"}',
  });
  store.letGo();
  await stream.answers(3);
  stream.send([3, put('c', 'value')]);
  await stream.answers(4);
  expect(stream.replies[3]?.result?.$case).toBe('put');
});

test('every operation can be called', async () => {
  const stream = new StreamClient(await serving());
  const key = Buffer.from('key');
  const namespace = 'n';
  const at = { namespace, id: 'a' };
  const commit = norimaki.CommitRequest.decode(new Uint8Array());
  commit.operations.push({
    key,
    precondition: { condition: { $case: 'absent', value: true } },
    action: { $case: 'put', value: { value: key, expiresAt: undefined, vectors: { names: [at] } } },
  });
  commit.vectors.push({ ...at, insert: { numbers: [1, 2] } });
  const level = { consistency: '' };
  const once = { idempotencyKey: '' };
  const requests = [
    { $case: 'createIndex', value: { namespace, dimensions: 2, distance: 1, indexType: 1, ...once } },
    { $case: 'commit', value: commit },
    { $case: 'scan', value: { range: { start: key, end: Buffer.from('z') }, limit: 0, reverse: false, ...level } },
    { $case: 'searchVectors', value: { namespace, query: [1, 2], k: 1, includeVectors: false, ...level } },
    { $case: 'listVectors', value: { namespace, after: undefined, limit: 0, ...level } },
    { $case: 'insertVector', value: { ...at, vector: [1, 2], ...once } },
    { $case: 'getVector', value: { ...at, ...level } },
    { $case: 'deleteVector', value: { ...at, ...once } },
    { $case: 'dropIndex', value: { namespace, ...once } },
    { $case: 'delete', value: { key, ifMatch: undefined, ...once } },
  ] as const;
  for (const [i, request] of requests.entries()) {
    // The same values, but for the readonly that `as const` brings.
    stream.send([i, request as never]);
    await stream.answers(i + 1);
    expect(stream.resultOf(i)?.$case, JSON.stringify(stream.failureOf(i))).toBe(request.$case);
  }
  expect(stream.resultOf(2)).toMatchObject({ value: { records: [{ key }], rest: undefined } });
  expect(stream.resultOf(4)).toEqual({ $case: 'listVectors', value: { ids: ['a'] } });
});
