import { NorimakiError } from '../core/errors.ts';
import {
  type Capabilities,
  type CommitOperation,
  type CommitOptions,
  type CommitStore,
  canCommit,
  canScan,
  canWatch,
  type DeleteOptions,
  hasVectors,
  type Key,
  type KeyRange,
  type PutOptions,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type ScanStore,
  type Store,
  type Stored,
  type VectorStore,
  type Watch,
  type WatchOptions,
  type WatchStore,
} from '../core/store.ts';
import type { Vectors } from '../core/vectors/index.ts';
import type { Version } from '../core/version.ts';
import { VectorsWrapper } from './vectors-wrapper.ts';

/** A store with the optional abilities of `S`, and nothing else of it. */
export type SameAbilities<S extends Store> = Store & { readonly capabilities: S['capabilities'] } & (S extends ScanStore
    ? ScanStore
    : unknown) &
  (S extends CommitStore ? CommitStore : unknown) &
  (S extends VectorStore ? VectorStore : unknown) &
  (S extends WatchStore ? WatchStore : unknown);

/** The error of a call to an ability that a store was opened without. */
export function capabilityMissing(capability: string, neededBy: string): NorimakiError<'capability.missing'> {
  return new NorimakiError('capability.missing', `The store has no \`${capability}\`, which ${neededBy} needs.`, {
    capability,
    neededBy,
  });
}

/** The vectors of a store, for a call that needs them. */
export function vectorsOf(store: Store, caller: string): Vectors {
  if (!hasVectors(store)) throw capabilityMissing('vectors', caller);
  return store.vectors;
}

/** Hands every call on to another store; what changes a store's behaviour overrides what it changes. */
export class StoreWrapper implements Store {
  readonly inner: Store;
  /** There is one always, so that calls fail as calls do; the capabilities say whether it counts. */
  readonly vectors: Vectors = new VectorsWrapper((caller) => vectorsOf(this.inner, caller));

  constructor(inner: Store) {
    this.inner = inner;
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }

  get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    return this.inner.get(key, options);
  }

  getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    return this.inner.getMany(keys, options);
  }

  put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    return this.inner.put(key, value, options);
  }

  delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    return this.inner.delete(key, options);
  }

  async scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage> {
    if (!canScan(this.inner)) throw capabilityMissing('scan', 'scan()');
    return this.inner.scan(range, options);
  }

  async commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version> {
    if (!canCommit(this.inner)) throw capabilityMissing('commit', 'commit()');
    return this.inner.commit(operations, options);
  }

  async watch(range: KeyRange, options?: WatchOptions): Promise<Watch> {
    if (!canWatch(this.inner)) throw capabilityMissing('watch', 'watch()');
    return this.inner.watch(range, options);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
