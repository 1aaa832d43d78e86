import type { Capabilities, Store, WriteOptions } from '../core/store.ts';
import type { VectorIndexOptions, VectorListOptions } from '../core/vectors/index.ts';
import { capabilityMissing, vectorsOf } from './store-wrapper.ts';
import { VectorsWrapper } from './vectors-wrapper.ts';

/** The options of a write to a store that does not remember writes. */
export function forgettable<O extends WriteOptions>(options: O, { idempotency }: Capabilities): O {
  return idempotency ? options : { ...options, idempotencyKey: undefined };
}

/** The vectors of a store that can no more than these capabilities say. */
export class LimitedVectors extends VectorsWrapper {
  readonly #capabilities: Capabilities;

  constructor(inner: Store, capabilities: Capabilities) {
    super((caller) => {
      if (!capabilities.vectors) throw capabilityMissing('vectors', caller);
      return vectorsOf(inner, caller);
    });
    this.#capabilities = capabilities;
  }

  override createIndex(namespace: string, options: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    return super.createIndex(namespace, options, forgettable(write, this.#capabilities));
  }

  override dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    return super.dropIndex(namespace, forgettable(write, this.#capabilities));
  }

  override insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    return super.insert(namespace, id, vector, forgettable(write, this.#capabilities));
  }

  override delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    return super.delete(namespace, id, forgettable(write, this.#capabilities));
  }

  override async list(namespace: string, options?: VectorListOptions): Promise<string[]> {
    if (!this.#capabilities.scan) throw capabilityMissing('scan', 'vectors.list()');
    return super.list(namespace, options);
  }
}
