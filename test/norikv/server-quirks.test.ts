import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { QUIRKS, type Quirk, type ServeOptions } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { HeldStore } from './support/held-store.ts';
import { movingCluster } from './support/moving-cluster.ts';
import { type PlainClient, refusal } from './support/plain-client.ts';
import { clientOf, plain, serving } from './support/serving.ts';
import { extensionClient } from './support/stream-client.ts';

const key = Buffer.from('key');
const value = Buffer.from('value');
const only = (...quirks: Quirk[]): ServeOptions => ({ quirks });
const valueIn = async (client: PlainClient) => (await client.call('Kv/Get', { key })).value?.toString();

/** Each shows a quirk: `true` where the server has it. */
const shows: Record<Quirk, (options: ServeOptions) => Promise<boolean>> = {
  async 'racing-cas'(options) {
    const client = await plain(options);
    await client.call('Kv/Put', { key, value });
    const { version } = await client.call('Kv/Get', { key });
    const put = () => client.call('Kv/Put', { key, value, if_match: version });
    const won = await Promise.allSettled(Array.from({ length: 20 }, put));
    return won.filter((one) => one.status === 'fulfilled').length > 1;
  },

  async 'lost-proposal'(options) {
    const client = await plain({ ...options, shards: 1 });
    const keys = Array.from({ length: 20 }, (_, i) => Buffer.from(`key ${i}`));
    await Promise.all(keys.map((one) => client.call('Kv/Put', { key: one, value })));
    const found = await Promise.all(keys.map((one) => client.call('Kv/Get', { key: one })));
    return found.some(({ version }) => version === undefined);
  },

  async 'delete-ignores-if-match'(options) {
    const client = await plain(options);
    await client.call('Kv/Put', { key, value });
    const call = client.call('Kv/Delete', { key, if_match: { term: 9n, index: 9n } });
    const deleted = await call.then(
      ({ tombstoned }) => tombstoned === true,
      () => false,
    );
    const missing = await client.call('Kv/Delete', { key: Buffer.from('missing') });
    expect(missing.tombstoned).toBe(deleted ? true : undefined);
    return deleted && (await valueIn(client)) === undefined;
  },

  async 'put-version'(options) {
    const client = await plain(options);
    await client.call('Kv/Put', { key, value });
    const { version: put } = await client.call('Kv/Put', { key, value });
    const { version: got } = await client.call('Kv/Get', { key });
    return put.index !== got.index || put.term !== got.term;
  },

  async 'ttl-in-memory'(options) {
    const clock = manualClock();
    const store = await memory().openStore({ ...systemEnvironment, clock });
    const first = await plain({ ...options, environment: { clock } }, store);
    const restarted = await plain({ ...options, environment: { clock } }, store);
    await first.call('Kv/Put', { key, value: Buffer.from('older') });
    await first.call('Kv/Put', { key, value, ttl_ms: 1000n });
    expect(await valueIn(first)).toBe('value');
    clock.advance(1000);
    const [uncovered, immortal] = [await valueIn(first), await valueIn(restarted)];
    expect(uncovered).toBe(immortal === undefined ? undefined : 'older');
    return immortal === 'value';
  },

  async 'shared-idempotency'(options) {
    const client = await plain(options);
    await client.call('Kv/Put', { key, value, idempotency_key: 'one' });
    await client.call('Kv/Put', { key: Buffer.from('other'), value, idempotency_key: 'one' });
    await client.call('Kv/Delete', { key, idempotency_key: 'one' });
    const other = await client.call('Kv/Get', { key: Buffer.from('other') });
    return other.version === undefined && (await valueIn(client)) === 'value';
  },

  async 'no-vectors'(options) {
    const client = await plain(options);
    const codes = await Promise.all(
      (['CreateIndex', 'DropIndex', 'Insert', 'Delete', 'Search', 'Get'] as const).map(
        async (rpc) => (await refusal(client.call(`Vector/${rpc}`, {}))).code,
      ),
    );
    return codes.every((code) => code === status.UNIMPLEMENTED);
  },

  async 'unconfirmed-insert'(options) {
    const client = await plain(options);
    const insert = client.call('Vector/Insert', { namespace: 'missing', id: 'a', vector: [1] });
    const acknowledged = await insert.then(
      ({ inserted }) => inserted,
      () => false,
    );
    await client.call('Vector/CreateIndex', { namespace: 'n', dimensions: 2, distance: 1 });
    const wrong = client.call('Vector/Insert', { namespace: 'n', id: 'a', vector: [1] });
    expect(
      await wrong.then(
        ({ inserted }) => inserted,
        () => false,
      ),
    ).toBe(acknowledged);
    expect(await client.call('Vector/Get', { namespace: 'n', id: 'a' })).toEqual({});
    return acknowledged;
  },

  async 'vectors-in-memory'(options) {
    const store = await memory().openStore(systemEnvironment);
    const at = { namespace: 'n', id: 'a' };
    const first = await plain(options, store);
    await first.call('Vector/CreateIndex', { namespace: 'n', dimensions: 1, distance: 1 });
    await first.call('Vector/Insert', { ...at, vector: [1] });
    expect(await first.call('Vector/Get', at)).toMatchObject({ found: true });
    const restarted = await plain(options, store);
    return restarted.call('Vector/Get', at).then(
      () => false,
      () => true,
    );
  },

  async 'search-100'(options) {
    const client = await plain(options);
    await client.call('Vector/CreateIndex', { namespace: 'n', dimensions: 1, distance: 1 });
    const ids = Array.from({ length: 101 }, (_, i) => `${i}`);
    await Promise.all(ids.map((id) => client.call('Vector/Insert', { namespace: 'n', id, vector: [1] })));
    const { matches } = await client.call('Vector/Search', { namespace: 'n', query: [1], k: 101 });
    return matches.length === 100;
  },

  async 'not-leader-first'(options) {
    const clock = manualClock();
    const client = await plain({ ...options, clock, environment: { random: seededRandom(1) } });
    const isLed = () =>
      client.call('Kv/Get', { key }).then(
        () => true,
        (error) => {
          expect(error).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/^NOT_LEADER/) });
          return false;
        },
      );
    const before = await isLed();
    clock.advance(149);
    expect(await isLed()).toBe(before);
    clock.advance(151);
    expect(await isLed()).toBe(true);
    return !before;
  },

  async 'not-leader-applied'(options) {
    const store = await HeldStore.open();
    const cluster = movingCluster(['a', 'b']);
    const server = await serving({ ...options, cluster: cluster.node('a') }, store);
    const client = clientOf(server);
    cluster.lead('a');
    const put = client.call('Kv/Put', { key, value });
    await store.holds(1);
    cluster.lead('b');
    store.letGo();
    const answer = await put.then(
      () => 'put',
      (error) => error.details,
    );
    expect(await store.inner.get(key)).toBeDefined();
    return answer.startsWith('NOT_LEADER');
  },

  async 'view-each-second'(options) {
    const clock = manualClock();
    const client = await plain({ ...options, clock, shards: 1 });
    const watch = client.watch();
    let views = 0;
    let seen = () => {};
    watch.on('error', () => {});
    watch.on('data', () => {
      views++;
      seen();
    });
    const next = () => new Promise<void>((resolve) => (seen = resolve));
    await next();
    if (clock.sleeping === 0) return false;
    for (let i = 0; i < 3; i++) {
      const one = next();
      await clock.advance(1000);
      await one;
    }
    watch.cancel();
    return views === 4;
  },

  async 'bind-address'(options) {
    const client = await plain(options);
    const watch = client.watch();
    watch.on('error', () => {});
    const view = await new Promise<{ nodes: { addr: string }[] }>((resolve) => watch.once('data', resolve));
    watch.cancel();
    return /^0\.0\.0\.0:\d+$/.test(view.nodes[0]?.addr ?? '');
  },

  async 'no-extension'(options) {
    const client = extensionClient(await serving(options));
    return new Promise((resolve) => client.describe({}, (error) => resolve(error?.code === status.UNIMPLEMENTED)));
  },
};

describe.each(QUIRKS)('%s', (quirk) => {
  test('is there when it is asked for', async () => {
    expect(await shows[quirk](only(quirk))).toBe(true);
  });

  test('is not there in a strict server', async () => {
    expect(await shows[quirk]({})).toBe(false);
  });
});

test('a faithful server has them together', async () => {
  const server = await serving({ mode: 'faithful' });
  const client = clientOf(server);
  expect((await refusal(client.call('Vector/Get', {}))).code).toBe(status.UNIMPLEMENTED);
  expect((await refusal(client.call('Kv/Get', { key }))).details).toMatch(/^NOT_LEADER/);
});

test('what a quirk takes away is not promised', async () => {
  const capabilitiesWith = async (options: ServeOptions) => {
    const client = extensionClient(await serving(options));
    return new Promise((resolve) => client.describe({}, (_, response) => resolve(response?.capabilities)));
  };
  const all = { atomicCas: true, ifAbsent: true, deleteIfMatch: true, idempotency: true, scan: true, commit: true };
  expect(await capabilitiesWith({})).toEqual({ ...all, vectors: true, watch: true });
  expect(
    await capabilitiesWith(only('racing-cas', 'delete-ignores-if-match', 'shared-idempotency', 'no-vectors')),
  ).toMatchObject({ atomicCas: false, ifAbsent: false, deleteIfMatch: false, idempotency: false, vectors: false });
});

test('a quirk that is none is refused', async () => {
  // A program without types may pass anything.
  await expect(serving(only('racing' as Quirk))).rejects.toMatchObject({ code: 'argument.invalid' });
});
