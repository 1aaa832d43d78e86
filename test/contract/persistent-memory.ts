import type { Environment } from '../../src/core/clock.ts';
import { NorimakiError } from '../../src/core/errors.ts';
import type { KeyRange, Store, Watch, WatchOptions } from '../../src/core/store.ts';
import type { ChangeQueue } from '../../src/core/watch/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { relayWatch } from '../../src/testing/relay-watch.ts';
import { StoreWrapper, vectorsOf } from '../../src/testing/store-wrapper.ts';
import { VectorsWrapper } from '../../src/testing/vectors-wrapper.ts';

/** A handle on a memory store that outlives it, as a file outlives a process. */
export class PersistentMemory extends StoreWrapper {
  override readonly vectors = new VectorsWrapper((caller) => {
    this.#checkOpen();
    return vectorsOf(this.inner, caller);
  });
  readonly #watches = new Set<ChangeQueue>();
  #closed = false;

  override async get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    this.#checkOpen();
    return super.get(...call);
  }

  override async getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    this.#checkOpen();
    return super.getMany(...call);
  }

  override async put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    this.#checkOpen();
    return super.put(...call);
  }

  override async delete(...call: Parameters<Store['delete']>): ReturnType<Store['delete']> {
    this.#checkOpen();
    return super.delete(...call);
  }

  override async scan(...call: Parameters<StoreWrapper['scan']>): ReturnType<StoreWrapper['scan']> {
    this.#checkOpen();
    return super.scan(...call);
  }

  override async commit(...call: Parameters<StoreWrapper['commit']>): ReturnType<StoreWrapper['commit']> {
    this.#checkOpen();
    return super.commit(...call);
  }

  override async watch(range: KeyRange, options?: WatchOptions): Promise<Watch> {
    this.#checkOpen();
    const watch: ChangeQueue = relayWatch(await super.watch(range, options), options, undefined, () =>
      this.#watches.delete(watch),
    );
    this.#watches.add(watch);
    return watch;
  }

  override async close(): Promise<void> {
    this.#closed = true;
    for (const watch of [...this.#watches]) watch.fail(closedError());
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError();
  }
}

function closedError(): NorimakiError<'store.closed'> {
  return new NorimakiError('store.closed', 'This handle is closed.', { store: 'memory' });
}

export async function openPersistent(environment: Environment): Promise<PersistentMemory> {
  return new PersistentMemory(await memory().openStore(environment));
}

export async function reopenPersistent(closed: Store): Promise<PersistentMemory> {
  if (closed instanceof StoreWrapper) return new PersistentMemory(closed.inner);
  throw new Error('Only a persistent memory store can be opened again.');
}
