import { setImmediate } from 'node:timers/promises';
import { abortedError, orAborted } from '../../../src/core/abort.ts';
import type { Key, PutOptions, ReadOptions, Stored } from '../../../src/core/store.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import type { Version } from '../../../src/core/version.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';

/** A store whose reads and puts wait until they are let go, and heed their signals meanwhile. */
export class HeldStore extends StoreWrapper {
  /** How many calls came. */
  begun = 0;
  /** How many of them were given up. */
  aborted = 0;
  isClosed = false;
  #open: () => void = () => {};
  #gate = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  static async open(): Promise<HeldStore> {
    return new HeldStore(await memory().openStore(systemEnvironment));
  }

  letGo(): void {
    this.#open();
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    await this.#wait(options?.signal);
    return this.inner.get(key);
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    await this.#wait(options?.signal);
    return this.inner.put(key, value, options);
  }

  override close(): Promise<void> {
    this.isClosed = true;
    return this.inner.close();
  }

  /** Resolves once so many calls have come. */
  async holds(count: number): Promise<void> {
    while (this.begun < count) await setImmediate();
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    this.begun++;
    try {
      await orAborted(this.#gate, signal);
    } catch (error) {
      this.aborted++;
      throw signal?.aborted ? abortedError(signal) : error;
    }
  }
}
