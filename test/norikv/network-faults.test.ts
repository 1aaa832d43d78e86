import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/adapter.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import type { Random } from '../../src/index.ts';
import { defineEntity, NorimakiError, open, type Version } from '../../src/index.ts';
import { type NorikvServer, serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { checkLinearizable, recordHistory, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { FaultProxy, NETWORK_FAULTS, type NetworkFault } from './support/fault-proxy.ts';

// What a network does to calls: every answer must have an order, and every call an end.

const CLIENTS = 5;
const OPERATIONS = 100;
const TIMEOUT_MS = 400;
const GRACE_MS = 100;
const KEYS = Array.from({ length: 10 }, (_, i) => new TextEncoder().encode(`key ${i}`));
const EXPECTED = new Set(['version.mismatch', 'already.exists', 'store.unavailable', 'deadline.exceeded']);
const TRANSPORTS = [
  ['one stream', true],
  ['unary calls', false],
] as const;

/** Rejects if the call outlives its deadline. The timer is of the same loop as the call's: a busy machine delays both. */
async function inTime<T>(call: Promise<T>): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      call,
      sleep(TIMEOUT_MS + GRACE_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error('The call outlived its deadline.');
      }),
    ]);
  } finally {
    late.abort();
  }
}

async function step(
  store: Store,
  key: Uint8Array,
  value: Uint8Array,
  version: Version | undefined,
  dice: number,
): Promise<Version | undefined> {
  if (dice < 45) return (await store.get(key))?.version;
  if (dice < 65 && version !== undefined) return store.put(key, value, { ifMatch: version });
  if (dice < 80) return store.put(key, value, { ifAbsent: true });
  if (dice < 90) return store.put(key, value);
  await store.delete(key, dice < 95 ? { ifMatch: version } : {});
  return undefined;
}

async function runClient(store: Store, name: string, random: Random): Promise<string[]> {
  const codes: string[] = [];
  const seen = new Map<number, Version | undefined>();
  for (let i = 0; i < OPERATIONS; i++) {
    const at = pickInt(random, KEYS.length);
    const key = KEYS[at] as Uint8Array;
    try {
      seen.set(at, await inTime(step(store, key, Buffer.from(`${name}.${i}`), seen.get(at), pickInt(random, 100))));
    } catch (error) {
      if (!(error instanceof NorimakiError) || !EXPECTED.has(error.code)) throw error;
      codes.push(error.code);
    }
  }
  return codes;
}

interface Serving {
  readonly server: NorikvServer;
  readonly store: Store;
}

async function startServer(): Promise<Serving> {
  const store = await memory().openStore(systemEnvironment);
  const server = await serve(store, { port: 0 });
  onTestFinished(() => server.close());
  return { server, store };
}

/** Before any fault. On a busy machine the first call, which finds out who serves, may miss its deadline as any other. */
async function openOver(proxy: FaultProxy, batching: boolean): Promise<Store> {
  const { openStore } = norikv({ nodes: [proxy.address], timeout: TIMEOUT_MS, batching });
  for (let attempt = 1; ; attempt++) {
    try {
      return await openStore(systemEnvironment);
    } catch (error) {
      if (!(error instanceof NorimakiError) || !EXPECTED.has(error.code) || attempt === 20) throw error;
    }
  }
}

/** The fault comes and goes, so that there are calls before, in and after it. */
async function afflict(proxy: FaultProxy, fault: NetworkFault, random: Random, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await proxy.set(fault);
    await sleep(100 + 200 * random.float());
    await proxy.set(undefined);
    await sleep(50 + 100 * random.float());
  }
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe('over one stream, and over unary calls', () => {
  // Side by side: both mostly wait.
  test.each(NETWORK_FAULTS)('%s', async (fault) => {
    const servers = await Promise.all(TRANSPORTS.map(() => startServer()));
    const files = openFiles();
    await Promise.all(TRANSPORTS.map(([, batching], i) => suffer(fault, batching, servers[i] as Serving)));
    await expect.poll(openFiles, { timeout: 5_000 }).toBeLessThanOrEqual(files);
  });

  async function suffer(fault: NetworkFault, batching: boolean, { server, store }: Serving): Promise<void> {
    const random = seededRandom(NETWORK_FAULTS.indexOf(fault) + 1);
    const proxy = await FaultProxy.start(server.port, 1);
    const client = await openOver(proxy, batching);
    const history = recordHistory();
    const over = new AbortController();
    const afflicted = afflict(proxy, fault, random, over.signal);
    const codes = await Promise.all(
      Array.from({ length: CLIENTS }, (_, n) =>
        runClient(history.wrap(client, `client ${n}`), `client ${n}`, seededRandom(1000 + n)),
      ),
    );
    over.abort();
    await afflicted;
    const direct = history.wrap(store, 'at the server');
    for (const key of KEYS) await direct.get(key);
    expect(checkLinearizable(history.operations())).toEqual({ ok: true });
    // What merely slows down may harm nobody; what cuts must have hit some call, or the test tests nothing.
    const outages = codes.flat().filter((code) => code === 'store.unavailable' || code === 'deadline.exceeded');
    if (fault !== 'delay' && fault !== 'slow') expect(outages.length).toBeGreaterThan(0);

    await client.close();
    await proxy[Symbol.asyncDispose]();
  }
});

const Tally = defineEntity('tally', z.object({ id: z.string(), count: z.number() }), { id: 'id' });

test.each(TRANSPORTS)('no update is lost or doubled when answers are, over %s', async (_, batching) => {
  const { server, store } = await startServer();
  await using proxy = await FaultProxy.start(server.port, 2);
  const client = await openOver(proxy, batching);
  onTestFinished(() => client.close());
  await using db = await open(client);
  const tallies = db.repo(Tally);
  await tallies.create({ id: 'one', count: 0 });
  const over = new AbortController();
  const afflicted = afflict(proxy, 'drop-reply', seededRandom(3), over.signal);
  const add = (): Promise<'added' | 'unknown' | 'refused'> =>
    tallies
      .mutate('one', (tally) => {
        tally.count += 1;
      })
      .then(
        () => 'added',
        (error) => (NorimakiError.is(error, 'outcome.unknown') ? 'unknown' : 'refused'),
      );
  const ends: string[] = [];
  for (let i = 0; i < 60; i++) ends.push(...(await Promise.all([add(), add(), add()])));
  over.abort();
  await afflicted;
  const count = (end: string): number => ends.filter((one) => one === end).length;
  await using direct = await open(store);
  const found = (await direct.repo(Tally).getOrThrow('one')).count;
  expect(found).toBeGreaterThanOrEqual(count('added'));
  expect(found).toBeLessThanOrEqual(count('added') + count('unknown'));
  expect(count('added')).toBeGreaterThan(150);
});
