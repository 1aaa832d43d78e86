import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyRange, Watch, WatchOptions } from '../../../src/core/store.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import { relayWatch } from '../../../src/testing/relay-watch.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';

/** A store in memory that counts the watches which are open on it. */
export class WatchedStore extends StoreWrapper {
  watches = 0;

  static async open(): Promise<WatchedStore> {
    return new WatchedStore(await memory().openStore(systemEnvironment));
  }

  override async watch(range: KeyRange, options?: WatchOptions): Promise<Watch> {
    const watch = relayWatch(await super.watch(range, options), options, undefined, () => {
      this.watches -= 1;
    });
    this.watches += 1;
    return watch;
  }

  /** Resolves once so many are open. */
  async has(count: number): Promise<void> {
    while (this.watches !== count) await sleep(1);
  }
}
