import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import type {
  Capabilities,
  DeleteOptions,
  Key,
  KeyRange,
  PutOptions,
  ScanOptions,
  ScanPage,
} from '../../src/core/store.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { makeVersion } from '../../src/core/version.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { decodeFailure, FAILURE_TRAILER, norimaki, toWireVersion } from '../../src/wire/index.ts';
import { serving } from './support/serving.ts';
import { extensionClient } from './support/stream-client.ts';

type Unary = 'describe' | 'get' | 'put' | 'delete' | 'scan' | 'commit' | 'listVectors';

/** An empty message, with these fields. */
const message = <T>(type: { decode(bytes: Uint8Array): T }, fields: Partial<T>): T => ({
  ...type.decode(new Uint8Array()),
  ...fields,
});

/** The same message as promise. */
// biome-ignore lint/suspicious/noExplicitAny: one helper for calls of every type.
function ask(client: norimaki.StoreClient, rpc: Unary, request: object): Promise<any> {
  return new Promise((resolve, reject) => {
    // The request of this method; the compiler cannot choose among overloads by a name that varies.
    (client[rpc] as (request: object, callback: (error: ServiceError | null, response: unknown) => void) => void).call(
      client,
      request,
      (error, response) => (error === null ? resolve(response) : reject(error)),
    );
  });
}

async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new Error('The call was not refused.');
    },
    (reason: ServiceError) => reason,
  );
  const [trailer] = error.metadata.get(FAILURE_TRAILER);
  const failure = decodeFailure(trailer as Buffer);
  expect(failure).toMatchObject({ status: error.code, message: error.details });
  return failure;
}

const key = Buffer.from('key');
const value = Buffer.from('value');
const putOf = (fields: Partial<norimaki.PutRequest>) => message(norimaki.PutRequest, { key, value, ...fields });
const absent: norimaki.Precondition = { condition: { $case: 'absent', value: true } };

test('describe tells what the store can, and the limits', async () => {
  const client = extensionClient(await serving({ shards: 16, limits: { k: 50 } }));
  expect(await ask(client, 'describe', {})).toEqual({
    software: 'norimaki',
    capabilities: {
      atomicCas: true,
      ifAbsent: true,
      deleteIfMatch: true,
      idempotency: true,
      scan: true,
      commit: true,
      vectors: true,
      watch: true,
    },
    limits: { key: 1024, value: 1_048_576, message: 4 * 1024 * 1024, k: 50, dimensions: 4096 },
    shards: 16,
  });
});

test('a put of what must not exist, and a failure with its details in the trailer', async () => {
  const client = extensionClient(await serving());
  const { version } = await ask(client, 'put', putOf({ precondition: absent, expiresAt: 4_000_000_000_000n }));
  expect(await ask(client, 'get', { key, consistency: '' })).toMatchObject({
    record: { value, version, expiresAt: 4_000_000_000_000n },
  });
  expect(await failureOf(ask(client, 'put', putOf({ precondition: absent })))).toMatchObject({
    status: status.ALREADY_EXISTS,
    code: 'already.exists',
  });
  const stale = toWireVersion(makeVersion(1n, 99n));
  expect(await failureOf(ask(client, 'delete', { key, ifMatch: stale, idempotencyKey: '' }))).toMatchObject({
    status: status.FAILED_PRECONDITION,
    code: 'version.mismatch',
    details: JSON.stringify({ expected: '1.99', actual: `${version.term}.${version.index}`, operation: 0 }),
  });
  expect(await ask(client, 'delete', { key, ifMatch: version, idempotencyKey: '' })).toEqual({ existed: true });
});

const rangeOf = (start: string, end: string) => ({ start: Buffer.from(start), end: Buffer.from(end) });

test.each([false, true])('a scan ends its pages by their bytes, and misses nothing (reverse: %s)', async (reverse) => {
  const store = await memory().openStore(systemEnvironment);
  const names = Array.from({ length: 30 }, (_, i) => `k${String(i).padStart(2, '0')}`);
  for (const name of names) await store.put(Buffer.from(name), Buffer.alloc(400_000));
  // One that fills a page alone.
  await store.put(Buffer.from('k99'), Buffer.alloc(1_048_576));
  const client = extensionClient(await serving({}, store));
  const seen: string[] = [];
  let pages = 0;
  let range: norimaki.KeyRange | undefined = rangeOf('k', 'l');
  while (range !== undefined) {
    const page: norimaki.ScanResponse = await ask(client, 'scan', { range, limit: 1000, reverse, consistency: '' });
    expect(norimaki.ScanResponse.encode(page).finish().length).toBeLessThan(1_200_000);
    seen.push(...page.records.map((record) => Buffer.from(record.key).toString()));
    range = page.rest;
    pages++;
  }
  const all = [...names, 'k99'];
  expect(seen).toEqual(reverse ? all.reverse() : all);
  expect(pages).toBeGreaterThan(10);
});

/** Counts what its scans take out of the store. */
class CountedScans extends StoreWrapper {
  readonly pages: number[] = [];

  override async scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage> {
    const page = await super.scan(range, options);
    this.pages.push(page.entries.reduce((bytes, { key, value }) => bytes + key.length + value.length, 0));
    return page;
  }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'server-scan-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test.each([
  ['memory', () => memory()],
  ['embedded', () => embedded({ path: temporaryFolder() })],
])('no more is read from the %s store than a page of a scan holds', async (_, opener) => {
  const store = await opener().openStore(systemEnvironment);
  onTestFinished(() => store.close());
  const names = Array.from({ length: 20 }, (_, i) => `k${10 + i}`);
  for (const name of names) await store.put(Buffer.from(name), Buffer.alloc(400_000));
  const counted = new CountedScans(store);
  const client = extensionClient(await serving({}, counted));
  for (const reverse of [false, true]) {
    const asked = { range: rangeOf('k', 'l'), limit: 1000, reverse, consistency: '' };
    const page: norimaki.ScanResponse = await ask(client, 'scan', asked);
    const inOrder = reverse ? names.toReversed() : names;
    expect(page.records.map((record) => Buffer.from(record.key).toString())).toEqual(inOrder.slice(0, 2));
    expect(Buffer.from((reverse ? page.rest?.end : page.rest?.start) ?? []).toString()).toContain(inOrder[1]);
  }
  expect(counted.pages).toEqual([800_006, 800_006]);
});

test('a page holds as many records as were asked for, 100 if nothing was', async () => {
  const store = await memory().openStore(systemEnvironment);
  for (let i = 0; i < 300; i++) await store.put(Buffer.from(`k${1000 + i}`), value);
  const client = extensionClient(await serving({}, store));
  const scan = (limit: number) =>
    ask(client, 'scan', { range: rangeOf('k', 'l'), limit, reverse: false, consistency: '' });
  expect((await scan(7)).records).toHaveLength(7);
  expect((await scan(0)).records).toHaveLength(100);
  expect((await scan(1000)).records).toHaveLength(256);
  expect(await failureOf(scan(1001))).toMatchObject({ status: status.INVALID_ARGUMENT });
});

test('a commit is all or nothing, vectors with it, and tells which operation was refused', async () => {
  const client = extensionClient(await serving());
  const operation = (name: string, precondition?: norimaki.Precondition): norimaki.Operation => ({
    key: Buffer.from(name),
    precondition,
    action: { $case: 'put', value: { value, expiresAt: undefined, vectors: undefined } },
  });
  const commit = (...operations: norimaki.Operation[]) =>
    ask(client, 'commit', message(norimaki.CommitRequest, { operations }));
  const { version } = await commit(operation('a'), operation('b', absent));
  expect(await ask(client, 'get', { key: Buffer.from('b'), consistency: '' })).toMatchObject({ record: { version } });
  expect(await failureOf(commit(operation('c'), operation('b', absent)))).toMatchObject({
    code: 'already.exists',
    details: '{"operation":1}',
  });
  expect(await ask(client, 'get', { key: Buffer.from('c'), consistency: '' })).toEqual({ record: undefined });
  const unreadable = { key, precondition: undefined, action: undefined };
  expect(await failureOf(commit(unreadable))).toMatchObject({ status: status.INVALID_ARGUMENT });
  const deleteOfNothing = { key, precondition: absent, action: { $case: 'delete', value: {} } } as const;
  expect(await failureOf(commit(deleteOfNothing))).toMatchObject({ status: status.INVALID_ARGUMENT });
});

/** A store that can do what the least of the port can. */
class Poor extends StoreWrapper {
  override get capabilities(): Capabilities {
    const lacks = { ifAbsent: false, deleteIfMatch: false, idempotency: false, scan: false, commit: false };
    return { ...this.inner.capabilities, ...lacks, vectors: false, watch: false, cas: 'best-effort' };
  }

  override put(key: Key, value: Uint8Array, options: PutOptions = {}) {
    return this.inner.put(key, value, { ...options, idempotencyKey: undefined });
  }

  override delete(key: Key, options: DeleteOptions = {}) {
    return this.inner.delete(key, { ...options, idempotencyKey: undefined });
  }
}

test('what the store cannot do is UNIMPLEMENTED, and never done by halves', async () => {
  const store = new Poor(await memory().openStore(systemEnvironment));
  const client = extensionClient(await serving({}, store));
  const { capabilities } = await ask(client, 'describe', {});
  expect(Object.values(capabilities)).not.toContain(true);
  await ask(client, 'put', putOf({}));
  const calls = [
    ask(client, 'put', putOf({ precondition: absent })),
    ask(client, 'delete', { key, ifMatch: { term: 1n, index: 1n }, idempotencyKey: '' }),
    ask(client, 'scan', { range: rangeOf('a', 'b'), limit: 0, reverse: false, consistency: '' }),
    ask(client, 'commit', message(norimaki.CommitRequest, {})),
    ask(client, 'listVectors', { namespace: 'n', limit: 0, consistency: '' }),
  ];
  for (const call of calls) {
    expect(await failureOf(call)).toMatchObject({ status: status.UNIMPLEMENTED, code: 'capability.missing' });
  }
  expect(await ask(client, 'get', { key, consistency: '' })).toMatchObject({ record: { value } });
});

test('where the store remembers no idempotency key the server does, and does not promise to', async () => {
  const store = new Poor(await memory().openStore(systemEnvironment));
  const client = extensionClient(await serving({}, store));
  const put = putOf({ idempotencyKey: 'one' });
  const first = await ask(client, 'put', put);
  expect(await ask(client, 'put', put)).toEqual(first);
  // Another operation, and another key, are other writes.
  expect(await ask(client, 'delete', { key, idempotencyKey: 'one' })).toEqual({ existed: true });
  await ask(client, 'put', putOf({ key: Buffer.from('other'), idempotencyKey: 'one' }));
  expect(await store.get(Buffer.from('other'))).toBeDefined();
  expect(await store.get(key)).toBeUndefined();
  expect(await failureOf(ask(client, 'put', putOf({ idempotencyKey: 'k'.repeat(1025) })))).toMatchObject({
    code: 'size.exceeded',
  });
});

test('what the store throws unforeseen is told by no word of its own', async () => {
  class Broken extends StoreWrapper {
    override get = async () => {
      throw new Error('the secret');
    };
  }
  const client = extensionClient(await serving({}, new Broken(await memory().openStore(systemEnvironment))));
  const failure = await failureOf(ask(client, 'get', { key, consistency: '' }));
  expect(failure).toMatchObject({ status: status.INTERNAL, code: '' });
  expect(JSON.stringify(failure)).not.toContain('secret');
});
