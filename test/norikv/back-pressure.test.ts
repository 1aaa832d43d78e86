import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { StoreService } from '../../src/wire/index.ts';
import { HeldStore } from './support/held-store.ts';
import { serving } from './support/serving.ts';

const CALLS = 80;
const VALUE = Buffer.alloc(1_000_000);
const keyOf = (n: number): Buffer => Buffer.from(`key ${n}`);

afterEach(() => void vi.restoreAllMocks());

/** Resolves once a number has not risen for a while. */
async function still(count: () => number): Promise<number> {
  for (;;) {
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (count() === before) return before;
  }
}

test('what a server does not read stays with the client, unsent, and can still be given up', async () => {
  const held = await HeldStore.open();
  const server = await serving({ limits: { callsPerStream: 1 } }, held);
  const store = await norikv({ nodes: [server.address] }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  // A message is made of a call only when it goes to the network.
  const messages = vi.spyOn(StoreService.stream, 'requestSerialize');

  const controller = new AbortController();
  const last = CALLS / 2;
  const calls = Array.from({ length: CALLS }, (_, n) =>
    store.put(keyOf(n), VALUE, n < last ? {} : { signal: controller.signal }),
  );
  const outcomes = Promise.allSettled(calls);
  const sent = await still(() => messages.mock.calls.length);
  // One at work, one that the server has half read, and what the network buffers.
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThan(20);
  expect(held.begun).toBe(1);

  controller.abort();
  held.letGo();
  const settled = await outcomes;
  expect(settled.slice(0, last).every(({ status }) => status === 'fulfilled')).toBe(true);
  const given = settled.slice(last).map((one) => (one.status === 'rejected' ? one.reason : undefined));
  for (const error of given) expect(error).toMatchObject({ code: 'aborted', details: { applied: 'no' } });
  // Not one of them went over the wire.
  expect(held.begun).toBe(last);
});

test('a stream that breaks while it is full ends in failures, and not in calls that hang', async () => {
  const held = await HeldStore.open();
  const server = await serving({ limits: { callsPerStream: 1 } }, held);
  const store = await norikv({ nodes: [server.address], timeout: 5_000 }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  const messages = vi.spyOn(StoreService.stream, 'requestSerialize');
  const outcomes = Promise.allSettled(Array.from({ length: CALLS }, (_, n) => store.put(keyOf(n), VALUE)));
  await still(() => messages.mock.calls.length);
  await server.close({ grace: 0 });
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'store.unavailable' } });
  }
});
