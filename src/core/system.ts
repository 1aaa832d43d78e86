import { randomFillSync } from 'node:crypto';
import { abortedError } from './abort.ts';
import type { Clock, Environment, Random, SleepOptions } from './clock.ts';

// The only file of src/ that touches real time and real chance; a lint rule holds that.

const MAX_TIMER_MS = 2 ** 31 - 1;

function sleep(ms: number, { signal, background = false }: SleepOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortedError(signal));
      return;
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
    if (background) timer.unref();
    function onAbort(): void {
      clearTimeout(timer);
      // Only reachable with a signal: it is the one that fired.
      reject(abortedError(signal as AbortSignal));
    }
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now(), mono: () => performance.now(), sleep };

const POOL_BYTES = 4096;
let pool = new Uint8Array(0);
let poolAt = 0;

/** From a pool, because each question to the operating system costs more than the answer. */
function randomBytes(length: number): Uint8Array {
  if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length));
  if (poolAt + length > pool.length) {
    pool = randomFillSync(new Uint8Array(POOL_BYTES));
    poolAt = 0;
  }
  poolAt += length;
  return pool.slice(poolAt - length, poolAt);
}

/** Unpredictable chance: jitter from the engine, bytes from the operating system. */
export const systemRandom: Random = { float: () => Math.random(), bytes: randomBytes };

export const systemEnvironment: Environment = { clock: systemClock, random: systemRandom };
