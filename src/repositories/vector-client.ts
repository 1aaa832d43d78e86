import type { Environment } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import { type RetryBudget, untilAnswered } from '../core/retry/index.ts';
import { hasVectors, type ReadOptions, type Store, type WriteOptions } from '../core/store.ts';
import type { VectorIndexOptions, VectorListOptions, VectorMatch, Vectors } from '../core/vectors/index.ts';
import { type StoreCall, storeCalls } from './telemetry.ts';

/**
 * The vectors of one store as repositories use them. Every call is tried again while the store is out, writes too:
 * what repositories write under an id never changes, so repeating it is harmless.
 */
export class VectorClient implements Vectors {
  readonly #store: Store;
  readonly #environment: Environment;
  readonly #budget: RetryBudget;

  constructor(store: Store, environment: Environment, budget: RetryBudget) {
    this.#store = store;
    this.#environment = environment;
    this.#budget = budget;
  }

  createIndex(namespace: string, options: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    return this.#call('createIndex', (vectors) => vectors.createIndex(namespace, options, write), write);
  }

  dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    return this.#call('dropIndex', (vectors) => vectors.dropIndex(namespace, write), write);
  }

  insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    return this.#call('insertVector', (vectors) => vectors.insert(namespace, id, vector, write), write);
  }

  delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    return this.#call('deleteVector', (vectors) => vectors.delete(namespace, id, write), write);
  }

  get(namespace: string, id: string, options: ReadOptions = {}): Promise<Float32Array | undefined> {
    return this.#call('getVector', (vectors) => vectors.get(namespace, id, options), options);
  }

  getMany(namespace: string, ids: readonly string[], options: ReadOptions = {}): Promise<(Float32Array | undefined)[]> {
    return this.#call('getVectors', (vectors) => vectors.getMany(namespace, ids, options), options);
  }

  search(namespace: string, query: Float32Array, k: number, options: ReadOptions = {}): Promise<VectorMatch[]> {
    return this.#call('search', (vectors) => vectors.search(namespace, query, k, options), options);
  }

  list(namespace: string, options: VectorListOptions = {}): Promise<string[]> {
    return this.#call('listVectors', (vectors) => vectors.list(namespace, options), options);
  }

  #call<T>(
    verb: StoreCall['verb'],
    call: (vectors: Vectors) => Promise<T>,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    const store = this.#store;
    if (!hasVectors(store)) {
      throw new NorimakiError(
        'capability.missing',
        'Embeddings need a store with vectors; this one has none. The memory and the embedded store have.',
        { capability: 'vectors', neededBy: 'embeddings' },
      );
    }
    const tell = (): Promise<T> =>
      storeCalls.hasSubscribers ? storeCalls.tracePromise(() => call(store.vectors), { verb }) : call(store.vectors);
    return untilAnswered(tell, this.#environment, this.#budget, signal);
  }
}
