import type { Store } from '../src/core/store.ts';
import { StoreWrapper } from '../src/testing/store-wrapper.ts';

/** Counts the calls that go through it. */
export class CountingStore extends StoreWrapper {
  calls = 0;

  override get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    this.calls++;
    return super.get(...call);
  }

  override getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    this.calls++;
    return super.getMany(...call);
  }

  override put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    this.calls++;
    return super.put(...call);
  }
}
