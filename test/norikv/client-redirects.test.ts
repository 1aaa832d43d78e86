import { status } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { systemEnvironment } from '../../src/core/system.ts';
import { defineEntity, NorimakiError, open, type Store } from '../../src/index.ts';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type NorikvOptions, norikv } from '../../src/stores/norikv/index.ts';
import type { norikv as wire } from '../../src/wire/index.ts';
import { processClock } from '../patterns/support/process-clock.ts';
import { type Fake, failed, startFake } from './support/fake-server.ts';

const KEY = new TextEncoder().encode('key');
const VALUE = new TextEncoder().encode('value');
const VERSION = { term: 0n, index: 7n };
const NOT_LEADER = failed(status.UNAVAILABLE, 'NOT_LEADER');

async function openTo(nodes: NorikvOptions['nodes'], options: Partial<NorikvOptions> = {}): Promise<Store> {
  const store = await norikv({ nodes, timeout: 10_000, ...options }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  return store;
}

async function failureOf(call: Promise<unknown>): Promise<NorimakiError> {
  const error: unknown = await call.then(
    (answer) => new Error(`It succeeded with ${String(answer)}.`),
    (reason) => reason,
  );
  if (error instanceof NorimakiError) return error;
  throw error;
}

/** A plain server that answers its first `times` puts with NOT_LEADER, then by `then`. */
function reluctant(
  times: number,
  heard: wire.PutRequest[],
  then: wire.KvServer['put'] = (_, reply) => reply(null, { version: VERSION, meta: {} }),
): Fake {
  return {
    kv: {
      put: (call, reply) => {
        heard.push(call.request);
        if (heard.length <= times) reply(NOT_LEADER);
        else then(call, reply);
      },
      get: (_, reply) => reply(null, { value: new Uint8Array(), version: undefined, meta: {} }),
    },
  };
}

describe('a plain server that does not lead yet', () => {
  test('is asked again, with the same bytes, ifMatch and idempotency key', async () => {
    const heard: wire.PutRequest[] = [];
    const { address } = await startFake(reluctant(3, heard));
    const store = await openTo([address]);
    await store.put(KEY, VALUE, { idempotencyKey: 'of the caller' });
    expect(heard).toHaveLength(4);
    for (const request of heard) expect(request).toEqual(heard[0]);
    // The server's one set of keys is for all keys and operations: the caller's own could mean another write to it.
    expect(heard[0]?.idempotencyKey).toMatch(/^[\w-]{22}$/);
    await store.put(KEY, VALUE, { idempotencyKey: 'of the caller' });
    expect(heard.at(-1)?.idempotencyKey).not.toBe(heard[0]?.idempotencyKey);
  });

  test('may have applied what it then refuses as a mismatch', async () => {
    const mismatch = failed(
      status.FAILED_PRECONDITION,
      'Version mismatch: expected term=0 index=1, got term=0 index=2',
    );
    const { address } = await startFake(reluctant(1, [], (_, reply) => reply(mismatch)));
    expect(await failureOf((await openTo([address])).put(KEY, VALUE))).toMatchObject({
      code: 'store.unavailable',
      details: { applied: 'unknown' },
    });
  });

  test('is refused by a mismatch at once where nothing went before', async () => {
    const mismatch = failed(
      status.FAILED_PRECONDITION,
      'Version mismatch: expected term=0 index=1, got term=0 index=2',
    );
    const { address } = await startFake(reluctant(0, [], (_, reply) => reply(mismatch)));
    expect(await failureOf((await openTo([address])).put(KEY, VALUE))).toMatchObject({
      code: 'version.mismatch',
      details: { actual: '0.2' },
    });
  });

  test('is given up at the deadline of the call, in doubt for a write', async () => {
    const { address } = await startFake(reluctant(Number.POSITIVE_INFINITY, []));
    const store = await openTo([address], { timeout: 300 });
    expect(await failureOf(store.put(KEY, VALUE))).toMatchObject({
      code: 'deadline.exceeded',
      details: { applied: 'unknown' },
    });
  });

  test('is given up after a budget of at least 2 s, well before a long deadline', async () => {
    const { address } = await startFake(reluctant(Number.POSITIVE_INFINITY, []));
    const clock = processClock(systemEnvironment.clock, { rate: 10 });
    const store = await openTo([address], { timeout: 60_000, clock });
    const started = clock.mono();
    const error = await failureOf(store.put(KEY, VALUE));
    expect(error).toMatchObject({ code: 'store.unavailable', details: { applied: 'unknown' } });
    expect(clock.mono() - started).toBeGreaterThan(2_000);
  });

  test('survives the first touch of a shard of a faithful server, through a repository', async () => {
    await using server = await serve(memory(), { port: 0, mode: 'faithful', shards: 4 });
    await using db = await open(norikv({ nodes: [server.address] }));
    const Note = defineEntity('note', z.object({ id: z.string(), text: z.string() }), { id: 'id' });
    const notes = db.repo(Note);
    for (let n = 0; n < 8; n++) await notes.create({ id: `${n}`, text: 'one' });
    await notes.mutate('3', (note) => {
      note.text = 'two';
    });
    expect((await notes.getOrThrow('3')).text).toBe('two');
  });
});

/** Three plain nodes that share their records, of which one leads all shards. */
async function startThree(published: (n: number, port: number) => { id: string; addr: string }) {
  const records = new Map<string, Uint8Array>();
  const asked = [0, 0, 0];
  const watchers = new Set<(view: wire.ClusterView) => void>();
  const state = { leader: 0, epoch: 1n };
  const ports: number[] = [];
  const view = (): wire.ClusterView => ({
    epoch: state.epoch,
    nodes: ports.map((port, n) => ({ ...published(n, port), role: '' })),
    shards: Array.from({ length: 1024 }, (_, id) => ({
      id,
      replicas: ports.map((port, n) => ({ nodeId: published(n, port).id, leader: n === state.leader })),
    })),
  });
  const fake = (n: number): Fake => ({
    kv: {
      get: ({ request }, reply) => {
        asked[n] = (asked[n] ?? 0) + 1;
        if (n !== state.leader) return reply(NOT_LEADER);
        const value = records.get(Buffer.from(request.key).toString());
        reply(null, { value: value ?? new Uint8Array(), version: value && VERSION, meta: {} });
      },
      put: ({ request }, reply) => {
        if (n !== state.leader) return reply(NOT_LEADER);
        records.set(Buffer.from(request.key).toString(), request.value);
        reply(null, { version: VERSION, meta: {} });
      },
    },
    meta: {
      watchCluster: (stream) => {
        const tell = (now: wire.ClusterView): void => void stream.write(now);
        watchers.add(tell);
        stream.on('cancelled', () => watchers.delete(tell));
        tell(view());
      },
    },
  });
  for (const n of [0, 1, 2]) ports.push((await startFake(fake(n))).port);
  const move = (leader: number): void => {
    state.leader = leader;
    state.epoch += 1n;
    for (const tell of watchers) tell(view());
  };
  return { ports, asked, move, watchers };
}

const addressOf = (port: number): string => `127.0.0.1:${port}`;

describe('a cluster', () => {
  const publications = [
    ['addresses', (_: number, port: number) => ({ id: `x${port}`, addr: addressOf(port) }), 'list'],
    [
      '0.0.0.0, told apart by ports',
      (_: number, port: number) => ({ id: `x${port}`, addr: `0.0.0.0:${port}` }),
      'list',
    ],
    ['0.0.0.0, told apart by ids', (n: number) => ({ id: `n${n}`, addr: '0.0.0.0:7447' }), 'record'],
  ] as const;
  test.each(publications)('is followed by its view, which publishes %s', async (_, published, form) => {
    const three = await startThree(published);
    const addresses = three.ports.map(addressOf);
    const nodes = form === 'list' ? addresses : Object.fromEntries(addresses.map((address, n) => [`n${n}`, address]));
    const store = await openTo(nodes);
    await expect.poll(() => three.watchers.size).toBe(1);
    for (const leader of [1, 2, 0]) {
      three.move(leader);
      await store.put(KEY, VALUE);
      // The view is on its way; then nobody else is asked.
      await expect
        .poll(async () => {
          three.asked.fill(0);
          await store.get(Uint8Array.of(leader, 1));
          await store.get(Uint8Array.of(leader, 2));
          return three.asked.map((count) => count > 0);
        })
        .toEqual([0, 1, 2].map((n) => n === leader));
    }
    await store.close();
    await expect.poll(() => three.watchers.size).toBe(0);
  });

  test('is found by asking where its view is of no use; no address of the view is dialled', async () => {
    const stranger = await startFake({});
    const three = await startThree((n) => ({ id: `n${n}`, addr: stranger.address }));
    const store = await openTo(three.ports.map(addressOf));
    three.move(2);
    await store.put(KEY, VALUE);
    expect((await store.get(KEY))?.value).toEqual(VALUE);
    // What was learned stays.
    three.asked.fill(0);
    await store.get(KEY);
    expect(three.asked).toEqual([0, 0, 1]);
  });

  test('is not asked again for what is no question of leaders', async () => {
    let asked = 0;
    const down: Fake = {
      kv: {
        get: (_, reply) => {
          asked += 1;
          reply(failed(status.UNAVAILABLE, 'draining'));
        },
      },
    };
    const store = await openTo([(await startFake(down)).address, (await startFake(down)).address]);
    expect((await failureOf(store.get(KEY))).code).toBe('store.unavailable');
    expect(asked).toBe(1);
  });

  test('that cannot be reached at all is not searched for a leader', async () => {
    const [one, two] = [await startFake({ kv: {} }), await startFake({ kv: {} })];
    // Less than the budget for leaders: a search would end at the deadline.
    const store = await openTo([one.address, two.address], { timeout: 1_000 });
    one.stop();
    two.stop();
    // The first may still be sent to a connection that is being cut.
    const told = async (): Promise<unknown> => {
      const { code, details } = await failureOf(store.put(KEY, VALUE));
      return { code, details };
    };
    await expect.poll(told, { timeout: 3_000 }).toEqual({ code: 'store.unavailable', details: { applied: 'no' } });
  });

  test('goes on without a node that is gone', async () => {
    const three = await startThree((_, port) => ({ id: `x${port}`, addr: addressOf(port) }));
    const gone = await startFake({});
    const store = await openTo([gone.address, ...three.ports.map(addressOf)]);
    gone.stop();
    for (let n = 0; n < 8; n++) await store.put(Uint8Array.of(n), VALUE);
  });
});
