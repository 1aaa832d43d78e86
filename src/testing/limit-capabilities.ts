import type {
  Capabilities,
  CommitOperation,
  CommitOptions,
  CommitStore,
  DeleteOptions,
  Key,
  PutOptions,
  ScanStore,
  Store,
  VectorStore,
  WatchStore,
} from '../core/store.ts';
import type { Vectors } from '../core/vectors/index.ts';
import type { Version } from '../core/version.ts';
import { forgettable, LimitedVectors } from './limited-vectors.ts';
import { capabilityMissing, StoreWrapper } from './store-wrapper.ts';

/** What a store can be left without; `'cas'` leaves it with best-effort conditional writes. */
export type Ability = 'scan' | 'commit' | 'ifAbsent' | 'deleteIfMatch' | 'idempotency' | 'cas' | 'vectors' | 'watch';

/** `S` without the abilities `A`. */
export type LimitedStore<S extends Store, A extends Ability> = Store & {
  readonly capabilities: Omit<S['capabilities'], A> & {
    readonly [K in A]: K extends 'cas' ? 'best-effort' : false;
  };
} & ('scan' extends A ? unknown : S extends ScanStore ? ScanStore : unknown) &
  ('commit' extends A ? unknown : S extends CommitStore ? CommitStore : unknown) &
  ('vectors' extends A ? unknown : S extends VectorStore ? VectorStore : unknown) &
  ('watch' extends A ? unknown : S extends WatchStore ? WatchStore : unknown);

class Limited extends StoreWrapper {
  override readonly vectors: Vectors;
  readonly #capabilities: Capabilities;

  constructor(inner: Store, without: readonly Ability[]) {
    super(inner);
    const lost = without.map((ability) => [ability, ability === 'cas' ? 'best-effort' : false]);
    this.#capabilities = { ...inner.capabilities, ...Object.fromEntries(lost) };
    this.vectors = new LimitedVectors(inner, this.#capabilities);
  }

  override get capabilities(): Capabilities {
    return this.#capabilities;
  }

  override async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    this.#check({ ifAbsent: options.ifAbsent }, 'put()');
    return this.inner.put(key, value, forgettable(options, this.#capabilities));
  }

  override async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    this.#checkDelete(options, 'delete()');
    return this.inner.delete(key, forgettable(options, this.#capabilities));
  }

  override async scan(...call: Parameters<StoreWrapper['scan']>): ReturnType<StoreWrapper['scan']> {
    if (!this.#capabilities.scan) throw capabilityMissing('scan', 'scan()');
    return super.scan(...call);
  }

  override async commit(operations: readonly CommitOperation[], options: CommitOptions = {}): Promise<Version> {
    if (!this.#capabilities.commit) throw capabilityMissing('commit', 'commit()');
    if (options.vectors?.length && !this.#capabilities.vectors) throw capabilityMissing('vectors', 'commit()');
    for (const operation of operations) {
      if (operation.type === 'delete') this.#checkDelete(operation, 'commit()');
      else this.#check(operation, 'commit()');
    }
    return super.commit(operations, forgettable(options, this.#capabilities));
  }

  override async watch(...call: Parameters<StoreWrapper['watch']>): ReturnType<StoreWrapper['watch']> {
    if (!this.#capabilities.watch) throw capabilityMissing('watch', 'watch()');
    return super.watch(...call);
  }

  #check({ ifAbsent }: { ifAbsent?: boolean | undefined }, caller: string): void {
    if (ifAbsent && !this.#capabilities.ifAbsent) throw capabilityMissing('ifAbsent', caller);
  }

  #checkDelete({ ifMatch }: { ifMatch?: Version | undefined }, caller: string): void {
    if (ifMatch !== undefined && !this.#capabilities.deleteIfMatch) throw capabilityMissing('deleteIfMatch', caller);
  }
}

/**
 * The same store as one with fewer abilities declares itself and behaves: to test that what needs them refuses, and
 * that what does not need them works. The types lose them too.
 *
 * @example
 * ```ts
 * const plain = limitCapabilities(await memory().openStore(environment), ['scan', 'commit']);
 * await assert.rejects(async () => openEventStore(plain), { code: 'capability.missing' });
 * ```
 */
export function limitCapabilities<S extends Store, const A extends Ability>(
  store: S,
  without: readonly A[],
): LimitedStore<S, A> {
  // The wrapper has every method; its capabilities say which of them count, and the others refuse.
  return new Limited(store, without) as unknown as LimitedStore<S, A>;
}
