import { keyName } from '../../core/keys/index.ts';
import type { CommitOperation, CommitOptions, DeleteOptions, Key, PutOptions, WriteOptions } from '../../core/store.ts';
import type { VectorIndexOptions } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import type { Answers } from './answers.ts';
import { type ServedStore, StoreLayer, VectorsLayer } from './store-layer.ts';

/**
 * A store that honours idempotency keys by itself is left alone: its memory is as durable as its records. Any other gets
 * the server's, which a restart empties; so its capabilities stay as they are.
 */
export function remembering(store: ServedStore, answers: Answers): ServedStore {
  return store.capabilities.idempotency ? store : new RememberingStore(store, answers);
}

class RememberingStore extends StoreLayer {
  readonly #answers: Answers;

  constructor(store: ServedStore, answers: Answers) {
    super(store, { vectors: new RememberingVectors(store.vectors, answers) });
    this.#answers = answers;
  }

  override async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    return this.#answers.once('put', [keyName(key)], options, (signal) =>
      this.inner.put(key, value, { ...options, signal }),
    );
  }

  override async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    return this.#answers.once('delete', [keyName(key)], options, (signal) =>
      this.inner.delete(key, { ...options, signal }),
    );
  }

  override async commit(operations: readonly CommitOperation[], options: CommitOptions = {}): Promise<Version> {
    const target = operations.map(({ key }) => keyName(key));
    return this.#answers.once('commit', target, options, (signal) =>
      this.inner.commit(operations, { ...options, signal }),
    );
  }
}

class RememberingVectors extends VectorsLayer {
  readonly #answers: Answers;

  constructor(inner: ServedStore['vectors'], answers: Answers) {
    super(inner);
    this.#answers = answers;
  }

  override async createIndex(namespace: string, index: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    return this.#answers.once('createIndex', [namespace], write, (signal) =>
      this.inner.createIndex(namespace, index, { ...write, signal }),
    );
  }

  override async dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    return this.#answers.once('dropIndex', [namespace], write, (signal) =>
      this.inner.dropIndex(namespace, { ...write, signal }),
    );
  }

  override async insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    return this.#answers.once('insertVector', [namespace, id], write, (signal) =>
      this.inner.insert(namespace, id, vector, { ...write, signal }),
    );
  }

  override async delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    return this.#answers.once('deleteVector', [namespace, id], write, (signal) =>
      this.inner.delete(namespace, id, { ...write, signal }),
    );
  }
}
