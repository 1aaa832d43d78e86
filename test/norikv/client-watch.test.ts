import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { canWatch, type Store, type Watch } from '../../src/core/store.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { type Database, defineEntity, NorimakiError, open } from '../../src/index.ts';
import { type NorikvServer, serve } from '../../src/server/index.ts';
import { type NorikvFullStore, type NorikvOptions, norikv } from '../../src/stores/norikv/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { movingCluster } from './support/moving-cluster.ts';
import { serving } from './support/serving.ts';
import { WatchedStore } from './support/watched-store.ts';

const Note = defineEntity('note', z.object({ id: z.number(), text: z.string() }), { id: 'id' });
const RANGE = { start: Uint8Array.of(1), end: Uint8Array.of(255) };
const [A, B] = [Uint8Array.of(10), Uint8Array.of(20)];

async function openTo(nodes: NorikvOptions['nodes']): Promise<NorikvFullStore> {
  const store = await norikv({ nodes, extension: 'required' }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  return store;
}

const keysOf = async (watch: Watch): Promise<number[]> =>
  ((await watch.next()).value ?? []).map(({ key }) => key[0] as number);

test('a connection that breaks is told, and the next watch works', async () => {
  const store = await WatchedStore.open();
  const server = await serving({}, store);
  await using proxy = await FaultProxy.start(server.port);
  const client = await openTo([proxy.address]);
  const watch = await client.watch(RANGE);
  const other = await client.watch(RANGE);
  await client.put(A, A);
  expect(await keysOf(watch)).toEqual([10]);
  const step = watch.next();
  proxy.cut();
  await expect(step).rejects.toMatchObject({
    code: 'watch.lost',
    details: { reason: 'disconnected' },
    retryable: true,
  });
  await expect(other.next()).rejects.toMatchObject({ code: 'watch.lost' });
  expect(await watch.next()).toEqual({ done: true, value: undefined });
  await store.has(0);
  const again = await client.watch(RANGE);
  await client.put(B, B);
  expect(await keysOf(again)).toEqual([20]);
});

test('a server that closes ends the watch as lost', async () => {
  const server = await serve(await WatchedStore.open(), { port: 0 });
  const client = await openTo([server.address]);
  const step = (await client.watch(RANGE)).next();
  const lost = expect(step).rejects.toMatchObject({ code: 'watch.lost', details: { reason: 'disconnected' } });
  await server.close();
  await lost;
});

test('what ends at the client ends at the server: a return, a signal, the store', async () => {
  const store = await WatchedStore.open();
  const server = await serving({}, store);
  const client = await openTo([server.address]);
  const returned = await client.watch(RANGE);
  const control = new AbortController();
  const aborted = await client.watch(RANGE, { signal: control.signal });
  const closed = await client.watch(RANGE);
  expect(store.watches).toBe(3);
  await returned.return();
  await store.has(2);
  control.abort();
  await store.has(1);
  await expect(aborted.next()).rejects.toMatchObject({ code: 'aborted' });
  await client.close();
  await store.has(0);
  await expect(closed.next()).rejects.toMatchObject({ code: 'store.closed' });
});

test('a watch whose server does not answer ends with its signal or its deadline, and leaves nothing', async () => {
  const store = await WatchedStore.open();
  const server = await serving({}, store);
  await using proxy = await FaultProxy.start(server.port);
  const client = await norikv({ nodes: [proxy.address], timeout: 1_000 }).openStore(systemEnvironment);
  onTestFinished(() => client.close());
  if (!canWatch(client)) throw new Error('It can.');
  await proxy.set('black-hole');
  await expect(client.watch(RANGE)).rejects.toMatchObject({ code: 'deadline.exceeded', details: { applied: 'no' } });
  const control = new AbortController();
  const given = expect(client.watch(RANGE, { signal: control.signal })).rejects.toMatchObject({ code: 'aborted' });
  control.abort();
  await given;
  await proxy.set(undefined);
  await store.has(0);
});

/** What is read while there is no connection is read again. */
async function untilRead<T>(read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!NorimakiError.match(error, 'store.') && !NorimakiError.is(error, 'deadline.exceeded')) throw error;
      await sleep(5);
    }
  }
}

/** Follows the notes of a database through whatever happens to the watch. */
async function follow(db: Database<NorikvFullStore>, texts: Map<number, string>, told: string[], signal: AbortSignal) {
  const notes = db.repo(Note);
  for await (const change of notes.watch({ signal })) {
    told.push(change.type);
    if (change.type === 'lost') continue;
    if (change.type === 'start') {
      texts.clear();
      await untilRead(async () => {
        for await (const note of notes.scan()) texts.set(note.id, note.text);
      });
    } else {
      const note = await untilRead(() => notes.get(change.id));
      if (note === undefined) texts.delete(change.id);
      else texts.set(change.id, note.text);
    }
  }
}

/** Writes notes on the store itself while `disturb` does its worst, until a copy over the network has become the same. */
async function becomesTheSame(
  nodes: NorikvOptions['nodes'],
  store: Store,
  disturb: (round: number) => Promise<void>,
): Promise<string[]> {
  await using direct = await open(store);
  const db = await open(norikv({ nodes, extension: 'required', timeout: 2_000 }));
  const control = new AbortController();
  const [texts, told] = [new Map<number, string>(), [] as string[]];
  let end: unknown;
  const following = follow(db, texts, told, control.signal).catch((error: unknown) => {
    end = error;
  });
  const random = seededRandom(11);
  const notes = direct.repo(Note);
  const expected = new Map<number, string>();
  for (let round = 0; round < (isLong ? 40 : 6); round++) {
    for (let i = 0; i < 30; i++) {
      const id = pickInt(random, 40);
      if (pickInt(random, 4) === 0) {
        await notes.delete(id);
        expected.delete(id);
      } else {
        await notes.put({ id, text: `${round} ${i}` });
        expected.set(id, `${round} ${i}`);
      }
      if (i % 10 === 0) await sleep(1);
    }
    await disturb(round);
  }
  await expect.poll(() => end ?? texts, { timeout: 20_000, interval: 20 }).toEqual(expected);
  control.abort();
  await following;
  expect(end).toMatchObject({ code: 'aborted' });
  await db.close();
  return told;
}

test('a repository goes on watching through connections that break, and misses nothing', async () => {
  const store = await WatchedStore.open();
  const server = await serving({}, store);
  await using proxy = await FaultProxy.start(server.port);
  const told = await becomesTheSame([proxy.address], store, async (round) => {
    if (round % 3 === 2) await proxy.set('refuse');
    else proxy.cut();
    await sleep(30);
    await proxy.set(undefined);
    await sleep(100);
  });
  expect(told.filter((type) => type === 'lost').length).toBeGreaterThan(2);
  await store.has(0);
});

test('a repository finds who leads, whenever that changes', async () => {
  const ids = ['a', 'b', 'c'] as const;
  const cluster = movingCluster(ids, 2);
  const store = await WatchedStore.open();
  const nodes: Record<string, string> = {};
  for (const id of ids) {
    const server: NorikvServer = await serving({ cluster: cluster.node(id) }, store);
    nodes[id] = server.address;
  }
  const told = await becomesTheSame(nodes, store, async (round) => {
    cluster.lead('nobody');
    await sleep(20);
    cluster.lead(ids[round % 3] as string);
    await sleep(60);
  });
  expect(told.filter((type) => type === 'lost').length).toBeGreaterThan(2);
});

test('a plain server tells nothing, and says so', async () => {
  const server = await serving({ quirks: ['no-extension'] });
  const client = await norikv({ nodes: [server.address] }).openStore(systemEnvironment);
  onTestFinished(() => client.close());
  expect(client.capabilities.watch).toBe(false);
  await using db = await open(client);
  // @ts-expect-error the type of such a store has no watch.
  expect(() => db.repo(Note).watch()).toThrow('can watch');
});
