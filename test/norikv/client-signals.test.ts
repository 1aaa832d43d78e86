import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { systemEnvironment } from '../../src/core/system.ts';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { HeldStore } from './support/held-store.ts';
import { serving } from './support/serving.ts';

const KEY = Buffer.from('key');
const CALLS = 100;
const TRANSPORTS = [
  ['one stream', true],
  ['unary calls', false],
] as const;

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

async function openHeld(batching: boolean) {
  const held = await HeldStore.open();
  const server = await serving({ limits: { streams: CALLS } }, held);
  const store = await norikv({ nodes: [server.address], batching }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  return { held, store };
}

/** What Node has warned of since. */
function warnings(): string[] {
  const heard: string[] = [];
  const onWarning = ({ message }: Error): void => void heard.push(message);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  return heard;
}

test.each(TRANSPORTS)('hundreds of calls at once share one signal without a warning, over %s', async (_, batching) => {
  const heard = warnings();
  const { held, store } = await openHeld(batching);
  const { signal } = new AbortController();
  const calls = Array.from({ length: CALLS }, () => store.get(KEY, { signal }));
  await held.holds(CALLS);
  expect(listenersOf(signal)).toBe(1);
  held.letGo();
  await Promise.all(calls);
  await setImmediate();
  expect(heard).toEqual([]);
  expect(listenersOf(signal)).toBe(0);
});

test.each(TRANSPORTS)('a signal ends all its calls that are left, and no other, over %s', async (_, batching) => {
  const { held, store } = await openHeld(batching);
  const controller = new AbortController();
  const { signal } = controller;
  await expect(store.delete(KEY, { signal })).resolves.toBe(false);
  const put = store.put(KEY, KEY, { signal });
  // Ends before the signal fires, and must take no other with it.
  await expect(store.delete(KEY, { signal })).resolves.toBe(false);
  const read = store.get(KEY, { signal });
  const other = store.get(Buffer.from('other'));
  await held.holds(3);
  controller.abort();
  await expect(put).rejects.toMatchObject({ code: 'aborted', details: { applied: 'unknown' } });
  await expect(read).rejects.toMatchObject({ code: 'aborted', details: { applied: 'no' } });
  held.letGo();
  await expect(other).resolves.toBeUndefined();
  await expect(store.get(KEY, { signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(listenersOf(signal)).toBe(0);
});

test('a server that is closed leaves nothing on the signal that could have closed it', async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    const server = await serve(memory(), { port: 0, signal });
    expect(listenersOf(signal)).toBe(1);
    await server.close();
  }
  expect(listenersOf(signal)).toBe(0);
});
