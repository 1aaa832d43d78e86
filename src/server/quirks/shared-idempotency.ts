import type { DeleteOptions, Key, PutOptions, WriteOptions } from '../../core/store.ts';
import type { VectorIndexOptions } from '../../core/vectors/index.ts';
import { makeVersion, type Version } from '../../core/version.ts';
import { type ServedStore, StoreLayer, VectorsLayer } from '../layers/store-layer.ts';

const NO_VERSION = makeVersion(0n, 0n);

/**
 * One memory for puts and deletes, by the idempotency key alone, another for all writes of vectors; neither forgets. A key
 * that was used for something else silently does nothing.
 */
export class SharedIdempotency extends StoreLayer {
  readonly #answers = new Map<string, Version>();

  constructor(inner: ServedStore) {
    super(inner, {
      capabilities: { ...inner.capabilities, idempotency: false },
      vectors: new SharedVectorIdempotency(inner.vectors),
    });
  }

  override async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    const { idempotencyKey, ...rest } = options;
    const known = idempotencyKey === undefined ? undefined : this.#answers.get(idempotencyKey);
    if (known !== undefined) return known;
    const version = await this.inner.put(key, value, rest);
    if (idempotencyKey !== undefined) this.#answers.set(idempotencyKey, version);
    return version;
  }

  override async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    const { idempotencyKey, ...rest } = options;
    if (idempotencyKey !== undefined && this.#answers.has(idempotencyKey)) return true;
    const existed = await this.inner.delete(key, rest);
    if (idempotencyKey !== undefined) this.#answers.set(idempotencyKey, NO_VERSION);
    return existed;
  }
}

class SharedVectorIdempotency extends VectorsLayer {
  readonly #used = new Set<string>();

  override createIndex(namespace: string, options: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    return this.#once(write, true, (rest) => this.inner.createIndex(namespace, options, rest));
  }

  override dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    return this.#once(write, true, (rest) => this.inner.dropIndex(namespace, rest));
  }

  override insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    return this.#once(write, undefined, (rest) => this.inner.insert(namespace, id, vector, rest));
  }

  override delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    return this.#once(write, true, (rest) => this.inner.delete(namespace, id, rest));
  }

  async #once<T>(options: WriteOptions, again: T, work: (rest: WriteOptions) => Promise<T>): Promise<T> {
    const { idempotencyKey, ...rest } = options;
    if (idempotencyKey !== undefined && this.#used.has(idempotencyKey)) return again;
    const answer = await work(rest);
    if (idempotencyKey !== undefined) this.#used.add(idempotencyKey);
    return answer;
  }
}
