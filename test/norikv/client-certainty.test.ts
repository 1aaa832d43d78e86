import { createServer, type Socket } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { NorimakiError } from '../../src/index.ts';
import { type NorikvOptions, norikv } from '../../src/stores/norikv/index.ts';
import { encodeFailure, FAILURE_TRAILER, type norimaki, toFailure } from '../../src/wire/index.ts';
import { describeOurs, type Fake, failed, startFake } from './support/fake-server.ts';

// What a failed call says of what was written.

const KEY = new TextEncoder().encode('key');
const VALUE = new TextEncoder().encode('value');
const VERSION = { term: 1n, index: 7n };

async function openTo(address: string, options: Partial<NorikvOptions> = {}) {
  const store = await norikv({ nodes: [address], timeout: 2_000, ...options }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  return store;
}

async function openFake(fake: Fake, options: Partial<NorikvOptions> = {}) {
  const server = await startFake(fake);
  return { server, store: await openTo(server.address, options) };
}

async function failureOf(call: Promise<unknown>): Promise<NorimakiError> {
  const error: unknown = await call.then(
    (answer) => new Error(`It succeeded with ${String(answer)}.`),
    (reason) => reason,
  );
  if (error instanceof NorimakiError) return error;
  throw error;
}

async function detailsOf(call: Promise<unknown>): Promise<Record<string, unknown>> {
  const { code, details } = await failureOf(call);
  return { code, ...details };
}

/** Accepts connections and says nothing. */
async function startSilent(): Promise<{ address: string }> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const at = listener.address();
  return { address: `127.0.0.1:${typeof at === 'object' ? at?.port : ''}` };
}

describe('opening', () => {
  test('fails in one error that names each address where nothing listens', async () => {
    const [one, two] = [await startFake({}), await startFake({})];
    one.stop();
    two.stop();
    const error = await failureOf(openTo(one.address, { nodes: [one.address, two.address] }));
    expect(error).toMatchObject({ code: 'store.unavailable', details: { applied: 'no' } });
    expect(error.message).toContain(one.address);
    expect(error.message).toContain(two.address);
    expect(error.message).toContain('ECONNREFUSED');
  });

  test('ends at its timeout where a server accepts and says nothing', async () => {
    const { address } = await startSilent();
    const error = await failureOf(openTo(address, { timeout: 200 }));
    expect(['store.unavailable', 'deadline.exceeded']).toContain(error.code);
  });

  test('ends when its signal fires', async () => {
    const { address } = await startSilent();
    const control = new AbortController();
    const opening = failureOf(openTo(address, { signal: control.signal }));
    control.abort(new Error('enough'));
    expect(await opening).toMatchObject({ code: 'aborted', details: { applied: 'no' } });
  });

  test('takes one node that answers for all', async () => {
    const gone = await startFake({});
    gone.stop();
    const { address } = await startFake({ store: { describe: describeOurs } });
    const store = await openTo(address, { nodes: [gone.address, address] });
    expect(store.capabilities).toMatchObject({ cas: 'atomic', commit: true });
  });

  test("with extension: 'required' refuses a plain server, and says what it lacks", async () => {
    const { address } = await startFake({ kv: {} });
    const error = await failureOf(openTo(address, { extension: 'required' }));
    expect(error.code).toBe('capability.missing');
    expect(error.message).toMatch(/atomic compare-and-swap, scan, commit, vectors/);
  });
});

/** What a plain server may answer, and what becomes of a read and of a write. */
const PLAIN: readonly (readonly [status, string, object, object])[] = [
  [status.INTERNAL, 'Put failed: CommitTimeout after 5s', unavailable('no'), unavailable('unknown')],
  [status.UNAVAILABLE, 'draining', unavailable('no'), unavailable('unknown')],
  [status.CANCELLED, 'by a proxy', unavailable('no'), unavailable('unknown')],
  [status.UNKNOWN, 'what?', unavailable('no'), unavailable('unknown')],
  [status.RESOURCE_EXHAUSTED, 'too much', unavailable('no'), unavailable('unknown')],
  [status.UNAUTHENTICATED, 'who?', { code: 'store.refused' }, { code: 'store.refused' }],
  [status.PERMISSION_DENIED, 'you?', { code: 'store.refused' }, { code: 'store.refused' }],
  [status.INVALID_ARGUMENT, 'odd', { code: 'argument.invalid' }, { code: 'argument.invalid' }],
];

function unavailable(applied: string): object {
  return { code: 'store.unavailable', applied };
}

test.each(PLAIN)('status %i of a plain server (%s)', async (code, details, ofRead, ofWrite) => {
  const { store } = await openFake({
    kv: { get: (_, reply) => reply(failed(code, details)), put: (_, reply) => reply(failed(code, details)) },
  });
  expect(await detailsOf(store.get(KEY))).toMatchObject(ofRead);
  expect(await detailsOf(store.put(KEY, VALUE))).toMatchObject(ofWrite);
});

test('a plain server is not believed that a write was not applied', async () => {
  const metadata = new Metadata();
  const lie = toFailure(new NorimakiError('store.unavailable', 'Nothing happened.', { applied: 'no' }));
  metadata.set(FAILURE_TRAILER, encodeFailure(lie));
  const { store } = await openFake({ kv: { put: (_, reply) => reply({ ...failed(lie.status, 'x'), metadata }) } });
  expect(await detailsOf(store.put(KEY, VALUE))).toMatchObject(unavailable('unknown'));
});

/** A server of norimaki's that answers each call of its stream by `answer`, or not at all. */
function streaming(answer: (call: norimaki.Call) => norimaki.Reply['result'], heard: norimaki.Calls[] = []): Fake {
  return {
    store: {
      describe: describeOurs,
      stream: (stream) => {
        stream.on('error', () => {});
        stream.on('end', () => stream.end());
        stream.on('data', (message: norimaki.Calls) => {
          heard.push(message);
          const replies = message.calls.flatMap((call) => {
            const result = answer(call);
            return result === undefined ? [] : [{ id: call.id, result }];
          });
          if (replies.length > 0) stream.write({ replies });
        });
      },
    },
  };
}

const failing = (error: NorimakiError) => (): norimaki.Reply['result'] => ({
  $case: 'failure',
  value: toFailure(error),
});

describe('what our server says of a write arrives as it was meant', () => {
  const mismatch = new NorimakiError('version.mismatch', 'Other.', {});
  const full = new NorimakiError('store.full', 'Full.', { store: 'embedded' });
  const notApplied = new NorimakiError('store.unavailable', 'Busy.', { applied: 'no' });
  const doubtful = new NorimakiError('store.unavailable', 'Busy.', { applied: 'unknown' });
  const closed = new NorimakiError('store.closed', 'Closed.', { store: 'embedded' });
  const gone = new NorimakiError('aborted', 'Gone.', { applied: 'unknown' });
  test.each([
    [mismatch, { code: 'version.mismatch' }],
    [full, { code: 'store.full' }],
    [notApplied, unavailable('no')],
    [doubtful, unavailable('unknown')],
    // The store of the server, not the caller's; and it was the server that gave up.
    [closed, unavailable('no')],
    [gone, unavailable('unknown')],
  ])('%s', async (error, expected) => {
    const { store } = await openFake(streaming(failing(error)));
    expect(await detailsOf(store.put(KEY, VALUE))).toMatchObject(expected);
  });

  test('an error without a name is in doubt', async () => {
    const { store } = await openFake(streaming(failing(new NorimakiError('not.found', 'x', { entity: 'x' }))));
    expect(await detailsOf(store.put(KEY, VALUE))).toMatchObject(unavailable('unknown'));
  });

  test('an answer to another call is in doubt', async () => {
    const { store } = await openFake(streaming(() => ({ $case: 'delete', value: { existed: true } })));
    expect(await detailsOf(store.put(KEY, VALUE))).toMatchObject(unavailable('unknown'));
  });
});

describe.each([
  ['one stream', true],
  ['unary calls', false],
] as const)('over %s', (_, batching) => {
  let heard = 0;
  const hear = (): void => {
    heard += 1;
  };
  /** Hears everything and answers nothing. */
  const silent: Fake = {
    store: {
      describe: describeOurs,
      get: hear,
      put: hear,
      stream: (stream) => {
        stream.on('error', () => {});
        stream.on('data', ({ calls }: norimaki.Calls) => calls.forEach(hear));
      },
    },
  };
  beforeEach(() => {
    heard = 0;
  });
  const hasHeard = (calls: number): Promise<void> => expect.poll(() => heard).toBe(calls);

  test('a server that never answers is waited for until the deadline', async () => {
    const { store } = await openFake(silent, { timeout: 300, batching });
    const [read, written] = [failureOf(store.get(KEY)), failureOf(store.put(KEY, VALUE))];
    expect(await read).toMatchObject({ code: 'deadline.exceeded', details: { applied: 'no' } });
    expect(await written).toMatchObject({ code: 'deadline.exceeded', details: { applied: 'unknown' } });
  });

  test('a call that is given up ends at once', async () => {
    const { store } = await openFake(silent, { timeout: 60_000, batching });
    const control = new AbortController();
    const [read, written] = [
      failureOf(store.get(KEY, { signal: control.signal })),
      failureOf(store.put(KEY, VALUE, { signal: control.signal })),
    ];
    await hasHeard(2);
    control.abort();
    expect(await read).toMatchObject({ code: 'aborted', details: { applied: 'no' } });
    expect(await written).toMatchObject({ code: 'aborted', details: { applied: 'unknown' } });
  });

  test('a call that is given up before it was sent wrote nothing', async () => {
    const { store } = await openFake(silent, { timeout: 60_000, batching });
    const control = new AbortController();
    const written = failureOf(store.put(KEY, VALUE, { signal: control.signal }));
    control.abort();
    expect(await written).toMatchObject({ code: 'aborted', details: { applied: 'no' } });
  });

  test('a write cut off is in doubt; without a connection nothing is sent; then it comes back', async () => {
    const { server, store } = await openFake(silent, { batching });
    const cut = failureOf(store.put(KEY, VALUE));
    await hasHeard(1);
    server.stop();
    expect(await cut).toMatchObject({ code: 'store.unavailable', details: { applied: 'unknown' } });
    expect(await detailsOf(store.put(KEY, VALUE))).toMatchObject(unavailable('no'));
    const put: norimaki.StoreServer['put'] = (_, reply) => reply(null, { version: VERSION });
    const again = streaming(() => ({ $case: 'put', value: { version: VERSION } }));
    await startFake({ store: { ...again.store, put } }, server.port);
    await expect.poll(() => store.put(KEY, VALUE).catch(() => 'not yet'), { timeout: 5_000 }).toBe('1.7');
  });

  test('close ends calls in flight, and those after it', async () => {
    const { store } = await openFake(silent, { timeout: 60_000, batching });
    const [read, written] = [failureOf(store.get(KEY)), failureOf(store.put(KEY, VALUE))];
    await hasHeard(2);
    const closing = store.close();
    expect((await failureOf(store.get(KEY))).code).toBe('store.closed');
    await closing;
    expect((await read).code).toBe('store.closed');
    // `store.closed` would say that nothing was written.
    expect(await written).toMatchObject({ code: 'store.unavailable', details: { applied: 'unknown' } });
  });
});

describe('one stream', () => {
  const put = (): norimaki.Reply['result'] => ({ $case: 'put', value: { version: VERSION } });

  test('carries the calls of one tick in one message', async () => {
    const heard: norimaki.Calls[] = [];
    const { store } = await openFake(streaming(put, heard));
    await store.put(KEY, VALUE);
    await Promise.all(
      Array.from({ length: 64 }, async (_, n) => {
        // As those of a repository, which has work of its own first.
        for (let i = 0; i < n; i++) await undefined;
        await store.put(Uint8Array.of(n), VALUE);
      }),
    );
    expect(heard.map(({ calls }) => calls.length)).toEqual([1, 64]);
    expect(new Set(heard[1]?.calls.map(({ id }) => id)).size).toBe(64);
    for (const { timeoutMs } of heard[1]?.calls ?? []) expect(timeoutMs).toBeGreaterThan(0);
  });

  test('carries about 1 MiB in a message', async () => {
    const heard: norimaki.Calls[] = [];
    const { store } = await openFake(streaming(put, heard));
    const large = new Uint8Array(400_000);
    await Promise.all(Array.from({ length: 6 }, (_, n) => store.put(Uint8Array.of(n), large)));
    expect(heard.map(({ calls }) => calls.length)).toEqual([2, 2, 2]);
    await store.put(KEY, new Uint8Array(1_048_576));
    expect(heard.at(-1)?.calls).toHaveLength(1);
  });

  test('tells the server which call was given up, and takes no late answer for another', async () => {
    const heard: norimaki.Calls[] = [];
    const answers = (call: norimaki.Call): norimaki.Reply['result'] =>
      call.request?.$case === 'get' ? { $case: 'get', value: { record: undefined } } : undefined;
    const { store } = await openFake(streaming(answers, heard));
    const control = new AbortController();
    const given = failureOf(store.put(KEY, VALUE, { signal: control.signal }));
    await store.get(KEY);
    control.abort();
    await given;
    await store.get(KEY);
    const calls = heard.flatMap((message) => message.calls);
    const sent = calls.find(({ request }) => request?.$case === 'put');
    const cancel = calls.find(({ request }) => request?.$case === 'cancel');
    expect(cancel?.id).toBe(sent?.id);
  });
});
