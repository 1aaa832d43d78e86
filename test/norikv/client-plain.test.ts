import { status } from '@grpc/grpc-js';
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import { hasVectors, type StoreOpener } from '../../src/core/store.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { NorimakiError, type Store } from '../../src/index.ts';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type NorikvFullStore, type NorikvOptions, type NorikvStore, norikv } from '../../src/stores/norikv/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import type { norikv as wire } from '../../src/wire/index.ts';
import { type Fake, failed, startFake } from './support/fake-server.ts';

// A NoriKV server without norimaki's extension.

const KEY = new TextEncoder().encode('key');
const VALUE = new TextEncoder().encode('value');
const LARGE = 96 * 1024;
const clock = manualClock();

async function openTo(address: string, options: Partial<NorikvOptions> = {}): Promise<Store> {
  const environment = { clock, random: seededRandom(1) };
  const store = await norikv({ nodes: [address], timeout: 5_000, ...options }).openStore(environment);
  onTestFinished(() => store.close());
  return store;
}

async function openFake(fake: Fake, options: Partial<NorikvOptions> = {}): Promise<Store> {
  return openTo((await startFake(fake)).address, options);
}

async function failureOf(call: Promise<unknown>): Promise<NorimakiError> {
  const error: unknown = await call.then(
    (answer) => new Error(`It succeeded with ${String(answer)}.`),
    (reason) => reason,
  );
  if (error instanceof NorimakiError) return error;
  throw error;
}

/** Takes every put, and keeps what it was asked. */
function accepting(heard: wire.PutRequest[]): Fake {
  return {
    kv: {
      put: ({ request }, reply) => {
        heard.push(request);
        reply(null, { version: { term: 0n, index: BigInt(heard.length) }, meta: {} });
      },
    },
  };
}

test('the version that a put returns matches nothing, and overwrites nobody', async () => {
  await using server = await serve(memory(), { port: 0, quirks: ['no-extension'] });
  const store = await openTo(server.address);
  // This server gives one version for put and get; the client must not know.
  const put = await store.put(KEY, VALUE);
  const read = (await store.get(KEY))?.version;
  expect(await failureOf(store.put(KEY, VALUE, { ifMatch: put }))).toMatchObject({
    code: 'version.mismatch',
    details: { expected: put, actual: read },
  });
  await store.put(KEY, VALUE, { ifMatch: read });
});

test('what has no version is missing, and an empty value is not', async () => {
  const version = { term: 0n, index: 3n };
  const store = await openFake({
    kv: {
      get: ({ request }, reply) =>
        reply(null, { value: new Uint8Array(), version: request.key[0] === 1 ? version : undefined, meta: {} }),
    },
  });
  expect(await store.get(Uint8Array.of(1))).toEqual({ value: new Uint8Array(), version: '0.3' });
  expect(await store.get(Uint8Array.of(2))).toBeUndefined();
});

test('deadlines become milliseconds from now, by the clock of the store, and never none', async () => {
  const heard: wire.PutRequest[] = [];
  const store = await openFake(accepting(heard));
  const now = clock.now();
  for (const expiresAt of [undefined, now + 1000, now + 0.5, now, now - 5, 0, Number.MAX_VALUE]) {
    await store.put(KEY, VALUE, { expiresAt });
  }
  const never = BigInt(Number.MAX_SAFE_INTEGER) - BigInt(now);
  expect(heard.map(({ ttlMs }) => ttlMs)).toEqual([0n, 1000n, 1n, 1n, 1n, 1n, never]);
});

describe('values over 96 KiB', () => {
  test('are warned of, once', async () => {
    const warnings: string[] = [];
    const store = await openFake(accepting([]), { onWarning: (message) => warnings.push(message) });
    await store.put(KEY, new Uint8Array(LARGE));
    expect(warnings).toEqual([]);
    await store.put(KEY, new Uint8Array(LARGE + 1));
    await store.put(KEY, new Uint8Array(LARGE + 2));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${LARGE + 1} bytes`);
  });

  test('are refused where that was asked for, before anything is sent', async () => {
    const heard: wire.PutRequest[] = [];
    const store = await openFake(accepting(heard), { largeValues: 'refuse' });
    expect(await failureOf(store.put(KEY, new Uint8Array(LARGE + 1)))).toMatchObject({
      code: 'size.exceeded',
      details: { what: 'value', bytes: LARGE + 1, limit: LARGE },
    });
    await store.put(KEY, new Uint8Array(LARGE));
    expect(heard).toHaveLength(1);
  });

  test("are no matter for norimaki's own server", async () => {
    await using server = await serve(memory(), { port: 0 });
    const store = await openTo(server.address, { largeValues: 'refuse' });
    await store.put(KEY, new Uint8Array(LARGE + 1));
  });
});

test('what the protocol lacks is refused as missing', async () => {
  const store = await openFake({ kv: {} });
  expect(store.capabilities).toMatchObject({ cas: 'best-effort', scan: false, commit: false, vectors: false });
  const version = (await openFake(accepting([])).then((other) => other.put(KEY, VALUE))) as string & never;
  for (const call of [store.put(KEY, VALUE, { ifAbsent: true }), store.delete(KEY, { ifMatch: version })]) {
    expect((await failureOf(call)).code).toBe('capability.missing');
  }
});

describe('vectors', () => {
  test('are there where the service is; an insert that was acknowledged and not stored is an error', async () => {
    await using server = await serve(memory(), { port: 0, quirks: ['no-extension', 'unconfirmed-insert'] });
    const store = await openTo(server.address);
    if (!hasVectors(store)) throw new Error('There are none.');
    const { vectors } = store;
    const one = Float32Array.of(1, 2);
    expect((await failureOf(vectors.insert('space', 'a', one))).code).toBe('index.missing');
    await vectors.createIndex('space', { dimensions: 2, metric: 'euclidean', type: 'exact' });
    await vectors.insert('space', 'a', one);
    expect(await vectors.get('space', 'a')).toEqual(one);
    expect(await vectors.search('space', one, 100)).toEqual([{ id: 'a', distance: 0 }]);
    // Whether there are more than 100, such a server does not tell.
    expect((await failureOf(vectors.search('space', one, 101))).code).toBe('argument.invalid');
  });

  test('are absent where it is not', async () => {
    const store = await openFake({ kv: {}, vector: { get: (_, reply) => reply(failed(status.UNIMPLEMENTED, 'no')) } });
    expect(store.capabilities.vectors).toBe(false);
  });
});

test('the extension is used where it is, and its capabilities are those of the store behind it', async () => {
  await using server = await serve(memory(), { port: 0 });
  const { capabilities } = await memory().openStore(systemEnvironment);
  expect((await openTo(server.address)).capabilities).toEqual({ ...capabilities });
});

test('what a program was promised is in its types', () => {
  const nodes = ['127.0.0.1:7447'];
  expectTypeOf(norikv({ nodes })).toEqualTypeOf<StoreOpener<NorikvStore>>();
  expectTypeOf(norikv({ nodes, extension: 'required' })).toEqualTypeOf<StoreOpener<NorikvFullStore>>();
});
