import { pageLimit } from '../../core/checks.ts';
import type { ReadOptions, WriteOptions } from '../../core/store.ts';
import {
  checkIndexOptions,
  checkK,
  checkNamespace,
  checkSameIndex,
  checkVector,
  checkVectorId,
  compareIds,
  distance,
  missingIndex,
  nearest,
  type VectorIndexOptions,
  type VectorListOptions,
  type VectorMatch,
  type VectorName,
  type Vectors,
  type VectorWrite,
} from '../../core/vectors/index.ts';
import { BTree } from './btree.ts';

/** What the store lends its vectors. */
export interface VectorsHost {
  /** Throws if the store is closed or the caller has left. */
  begin(signal: AbortSignal | undefined): void;
  /** Answers a repeated call as its first delivery was answered. */
  once<T extends boolean | undefined>(verb: string, name: string, options: WriteOptions, write: () => T): T;
}

interface Namespace {
  readonly options: VectorIndexOptions;
  readonly vectors: BTree<string, Float32Array>;
}

/** The vectors of the memory store. Every search looks at all of a namespace, whatever the type of its index. */
export class MemoryVectors implements Vectors {
  readonly #host: VectorsHost;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(host: VectorsHost) {
    this.#host = host;
  }

  async createIndex(namespace: string, options: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    this.#host.begin(write.signal);
    checkNamespace(namespace);
    checkIndexOptions(options);
    return this.#host.once('createIndex', namespace, write, () => {
      const there = this.#namespaces.get(namespace);
      if (there !== undefined) checkSameIndex(namespace, there.options, options);
      else this.#namespaces.set(namespace, { options: { ...options }, vectors: new BTree(undefined, compareIds) });
      return there === undefined;
    });
  }

  async dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    this.#host.begin(write.signal);
    checkNamespace(namespace);
    return this.#host.once('dropIndex', namespace, write, () => this.#namespaces.delete(namespace));
  }

  async insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    this.#host.begin(write.signal);
    checkNamespace(namespace);
    checkVectorId(id);
    this.#host.once('insertVector', JSON.stringify([namespace, id]), write, () => {
      const one: VectorWrite = { type: 'insert', namespace, id, vector };
      this.check([one]);
      this.apply([one]);
      return undefined;
    });
  }

  async delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    this.#host.begin(write.signal);
    checkNamespace(namespace);
    checkVectorId(id);
    return this.#host.once('deleteVector', JSON.stringify([namespace, id]), write, () =>
      this.#namespace(namespace).vectors.delete(id),
    );
  }

  async get(namespace: string, id: string, options: ReadOptions = {}): Promise<Float32Array | undefined> {
    this.#host.begin(options.signal);
    checkNamespace(namespace);
    checkVectorId(id);
    return copyOf(this.#namespace(namespace).vectors.get(id));
  }

  async getMany(
    namespace: string,
    ids: readonly string[],
    options: ReadOptions = {},
  ): Promise<(Float32Array | undefined)[]> {
    this.#host.begin(options.signal);
    checkNamespace(namespace);
    for (const id of ids) checkVectorId(id);
    const { vectors } = this.#namespace(namespace);
    return ids.map((id) => copyOf(vectors.get(id)));
  }

  async search(namespace: string, query: Float32Array, k: number, options: ReadOptions = {}): Promise<VectorMatch[]> {
    this.#host.begin(options.signal);
    checkNamespace(namespace);
    checkK(k);
    const {
      vectors,
      options: { dimensions, metric },
    } = this.#namespace(namespace);
    checkVector(query, dimensions);
    return nearest(distancesTo(query, metric, vectors), k);
  }

  async list(namespace: string, options: VectorListOptions = {}): Promise<string[]> {
    this.#host.begin(options.signal);
    checkNamespace(namespace);
    const { after } = options;
    if (after !== undefined) checkVectorId(after);
    const limit = pageLimit(options);
    const ids: string[] = [];
    for (const id of this.#namespace(namespace).vectors.keys(after)) {
      if (ids.length === limit) break;
      if (id !== after) ids.push(id);
    }
    return ids;
  }

  /** Throws unless all of the writes, whose names were checked, can be applied. */
  check(writes: readonly VectorWrite[]): void {
    for (const write of writes) {
      const { options } = this.#namespace(write.namespace);
      if (write.type === 'insert') checkVector(write.vector, options.dimensions);
    }
  }

  /** Applies what was checked. */
  apply(writes: readonly VectorWrite[]): void {
    for (const write of writes) {
      const { vectors } = this.#namespace(write.namespace);
      if (write.type === 'insert') vectors.set(write.id, Float32Array.from(write.vector));
      else vectors.delete(write.id);
    }
  }

  /** Deletes what is there of these. */
  remove(names: readonly VectorName[]): void {
    for (const { namespace, id } of names) this.#namespaces.get(namespace)?.vectors.delete(id);
  }

  clear(): void {
    this.#namespaces.clear();
  }

  #namespace(name: string): Namespace {
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) throw missingIndex(name);
    return namespace;
  }
}

function* distancesTo(
  query: Float32Array,
  metric: VectorIndexOptions['metric'],
  vectors: BTree<string, Float32Array>,
): Generator<VectorMatch> {
  for (const [id, vector] of vectors.entries()) yield { id, distance: distance(metric, query, vector) };
}

function copyOf(vector: Float32Array | undefined): Float32Array | undefined {
  return vector && Float32Array.from(vector);
}
