import { once } from 'node:events';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock, systemEnvironment } from '../../src/core/system.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { Node } from '../../src/stores/norikv/node.ts';
import { Patience } from '../../src/stores/norikv/patience.ts';
import { securityOf } from '../../src/stores/norikv/security.ts';
import { settingsOf } from '../../src/stores/norikv/settings.ts';
import { norimaki } from '../../src/wire/index.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { HeldStore } from './support/held-store.ts';
import { serving } from './support/serving.ts';
import { WatchedStore } from './support/watched-store.ts';

const { get } = norimaki.StoreService;
const question = { key: Buffer.from('key'), consistency: '' };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const realTimeout = setTimeout;
/** Time for what is on its way through the network of this machine. */
const travel = (): Promise<void> => new Promise((resolve) => void realTimeout(resolve, 40));

afterEach(() => void vi.useRealTimers());

/** Counts pings, and answers calls when it is told to. */
class PingServer {
  pings = 0;
  readonly sessions: ServerHttp2Session[] = [];
  readonly #server = createServer();
  readonly #calls: ServerHttp2Stream[] = [];

  static async start(): Promise<PingServer> {
    const one = new PingServer();
    one.#server.on('session', (session) => {
      one.sessions.push(session);
      session.on('ping', () => one.pings++);
      session.on('error', () => {});
    });
    one.#server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.resume();
      one.#calls.push(stream);
    });
    one.#server.listen(0, '127.0.0.1');
    await once(one.#server, 'listening');
    onTestFinished(() => {
      for (const session of one.sessions) session.destroy();
      one.#server.close();
    });
    return one;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves once so many calls wait. */
  async holds(count: number): Promise<void> {
    while (this.#calls.length < count) await travel();
  }

  /** All that wait, with an empty message. */
  answer(): void {
    for (const stream of this.#calls.splice(0)) {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.alloc(5));
    }
  }
}

function nodeTo(address: string, options: Record<string, number> = {}): Node {
  const security = securityOf(settingsOf({ nodes: [address] }));
  const node = new Node(address, { ...security, options: { ...security.options, ...options } }, systemClock, HOUR);
  onTestFinished(() => node.close());
  return node;
}

const patience = (): Patience => new Patience(systemClock, HOUR);

test('a call that waits for its answer is accompanied by a ping each minute; without calls there is none', async () => {
  const server = await PingServer.start();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const node = nodeTo(`127.0.0.1:${server.port}`);
  await node.connect(patience());
  vi.advanceTimersByTime(10 * MINUTE);
  await travel();
  expect(server.pings).toBe(0);

  const call = node.unary(get, question, patience(), false);
  await server.holds(1);
  // The timer of before the call has run out.
  await travel();
  const before = server.pings;
  vi.advanceTimersByTime(MINUTE - 1);
  await travel();
  expect(server.pings).toBe(before);
  for (let minute = 1; minute <= 3; minute++) {
    vi.advanceTimersByTime(minute === 1 ? 1 : MINUTE);
    await travel();
    expect(server.pings).toBe(before + minute);
  }

  server.answer();
  await call;
  const after = server.pings;
  vi.advanceTimersByTime(10 * MINUTE);
  await travel();
  expect(server.pings - after).toBeLessThanOrEqual(1);
  expect(server.sessions).toHaveLength(1);
});

test('a connection that does not answer a ping for 20 seconds is lost, and its calls are told', async () => {
  const server = await PingServer.start();
  await using proxy = await FaultProxy.start(server.port);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const node = nodeTo(proxy.address);
  const call = node.unary(get, question, patience(), true);
  let ended: unknown;
  call.catch((error: unknown) => {
    ended = error;
  });
  await server.holds(1);
  await proxy.set('black-hole');
  vi.advanceTimersByTime(MINUTE);
  await travel();
  vi.advanceTimersByTime(19_999);
  await travel();
  expect(ended).toBeUndefined();
  vi.advanceTimersByTime(1);
  await expect(call).rejects.toMatchObject({ status: { code: 14 } });
});

test('the server takes pings as they come, and answers on the same connection', async () => {
  const store = await HeldStore.open();
  const server = await serving({}, store);
  await using proxy = await FaultProxy.start(server.port);
  const node = nodeTo(proxy.address, { 'grpc.keepalive_time_ms': 5 });
  const call = node.unary(get, question, patience(), false);
  await store.holds(1);
  for (let i = 0; i < 8; i++) await travel();
  store.letGo();
  await expect(call).resolves.toEqual({ record: undefined });
  await expect(node.unary(get, question, patience(), false)).resolves.toEqual({ record: undefined });
  expect(proxy.accepted).toBe(1);
});

test('a stream that falls silent in the network is found out, and the next call has a new one', async () => {
  const server = await serving();
  await using proxy = await FaultProxy.start(server.port);
  const key = Buffer.from('key');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const store = await norikv({ nodes: [proxy.address], timeout: HOUR }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  await store.put(key, key);
  await proxy.set('black-hole');
  const lost = store.put(key, key).then(
    () => undefined,
    (error: unknown) => error,
  );
  await travel();
  for (let second = 0; second < 80; second++) {
    vi.advanceTimersByTime(1_000);
    if (second % 20 === 0) await travel();
  }
  await expect(lost).resolves.toMatchObject({ code: 'store.unavailable', details: { applied: 'unknown' } });
  vi.useRealTimers();
  await proxy.set(undefined);
  await expect(store.get(key)).resolves.toBeDefined();
});

test('a watch whose network falls silent is told within a ping and its patience, and the next one works', async () => {
  const watched = await WatchedStore.open();
  const server = await serving({}, watched);
  await using proxy = await FaultProxy.start(server.port);
  const [key, range] = [Uint8Array.of(10), { start: Uint8Array.of(1), end: Uint8Array.of(255) }];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const store = await norikv({ nodes: [proxy.address], extension: 'required', timeout: HOUR }).openStore(
    systemEnvironment,
  );
  onTestFinished(() => store.close());
  const step = (await store.watch(range)).next();
  let ended: unknown;
  step.catch((error: unknown) => {
    ended = error;
  });
  await proxy.set('black-hole');
  // At worst it falls silent just after the answer to a ping.
  for (let second = 0; second < 80; second++) {
    expect(second < 20 ? ended : undefined).toBeUndefined();
    vi.advanceTimersByTime(1_000);
    if (second % 20 === 19) await travel();
  }
  await expect(step).rejects.toMatchObject({ code: 'watch.lost', details: { reason: 'disconnected' } });
  vi.useRealTimers();
  await proxy.set(undefined);
  const again = await store.watch(range);
  await store.put(key, key);
  expect((await again.next()).value?.map((change) => change.key[0])).toEqual([10]);
});
