import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import type { Capabilities, Key, PutOptions } from '../../src/core/store.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import type { Version } from '../../src/core/version.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { isLong } from '../support/campaign.ts';
import { serving } from './support/serving.ts';

// A server keeps answers for stores that keep none; who sends a new key with every write must not fill its memory.

const KEYS = isLong ? 1_000_000 : 15_000;
/** The default, and in a short run as much less. */
const REMEMBERED = isLong ? 100_000 : 1_500;
const AT_ONCE = 500;
/** A tenth of what all keys would take, and what a process breathes. */
const MOST_BYTES = KEYS * 25 + 1_500_000;

const KEY = Buffer.from('key');
const VALUE = Buffer.from('value');

/** Remembers no idempotency keys, as many stores. */
class Forgetful extends StoreWrapper {
  writes = 0;

  override get capabilities(): Capabilities {
    return { ...this.inner.capabilities, idempotency: false };
  }

  override put(key: Key, value: Uint8Array, { idempotencyKey: _, ...options }: PutOptions = {}): Promise<Version> {
    this.writes++;
    return this.inner.put(key, value, options);
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function memoryUsed(): number {
  collectGarbage();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

test(`the answers of ${KEYS} idempotency keys take the memory of the last ${REMEMBERED}`, async () => {
  const forgetful = new Forgetful(await memory().openStore(systemEnvironment));
  const server = await serving({ limits: { idempotencyKeys: REMEMBERED } }, forgetful);
  const store = await norikv({ nodes: [server.address] }).openStore(systemEnvironment);
  onTestFinished(() => store.close());
  const put = (n: number): Promise<Version> => store.put(KEY, VALUE, { idempotencyKey: `write ${n}` });
  const putAll = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - n) }, (_, i) => put(n + i)));
    }
  };

  await putAll(0, 2 * REMEMBERED);
  const [full, fullRss] = [memoryUsed(), process.memoryUsage.rss()];
  await putAll(2 * REMEMBERED, KEYS);
  const grown = memoryUsed() - full;
  if (isLong) console.log(`heap grew by ${grown} bytes, RSS by ${process.memoryUsage.rss() - fullRss}, to ${fullRss}`);
  expect(grown).toBeLessThan(MOST_BYTES);

  // Those that are remembered are answered, and the first has been forgotten.
  expect(forgetful.writes).toBe(KEYS);
  const last = await put(KEYS - 1);
  expect(await put(KEYS - 1)).toBe(last);
  expect(await put(KEYS - REMEMBERED)).not.toBe(last);
  expect(forgetful.writes).toBe(KEYS);
  await put(0);
  expect(forgetful.writes).toBe(KEYS + 1);
});
