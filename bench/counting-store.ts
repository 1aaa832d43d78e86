import type { Store } from '../src/core/store.ts';
import type { Vectors } from '../src/core/vectors/index.ts';
import { StoreWrapper, vectorsOf } from '../src/testing/store-wrapper.ts';
import { VectorsWrapper } from '../src/testing/vectors-wrapper.ts';

/** Counts the calls that go through it; those of records are `calls`. */
export class CountingStore extends StoreWrapper {
  reads = 0;
  writes = 0;
  /** Of vectors. */
  searches = 0;
  override readonly vectors: Vectors = new SearchCounter(
    (caller) => vectorsOf(this.inner, caller),
    () => this.searches++,
  );

  get calls(): number {
    return this.reads + this.writes;
  }

  reset(): void {
    this.reads = 0;
    this.writes = 0;
    this.searches = 0;
  }

  override get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    this.reads++;
    return super.get(...call);
  }

  override getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    this.reads++;
    return super.getMany(...call);
  }

  override scan(...call: Parameters<StoreWrapper['scan']>): ReturnType<StoreWrapper['scan']> {
    this.reads++;
    return super.scan(...call);
  }

  override put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    this.writes++;
    return super.put(...call);
  }

  override delete(...call: Parameters<Store['delete']>): ReturnType<Store['delete']> {
    this.writes++;
    return super.delete(...call);
  }

  override commit(...call: Parameters<StoreWrapper['commit']>): ReturnType<StoreWrapper['commit']> {
    this.writes++;
    return super.commit(...call);
  }
}

class SearchCounter extends VectorsWrapper {
  readonly #count: () => void;

  constructor(find: VectorsWrapper['find'], count: () => void) {
    super(find);
    this.#count = count;
  }

  override search(...call: Parameters<Vectors['search']>): ReturnType<Vectors['search']> {
    this.#count();
    return super.search(...call);
  }
}
