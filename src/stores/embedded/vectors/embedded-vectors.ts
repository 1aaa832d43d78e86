import { throwIfAborted } from '../../../core/abort.ts';
import { pageLimit } from '../../../core/checks.ts';
import type { Clock } from '../../../core/clock.ts';
import type { ReadOptions, WriteOptions } from '../../../core/store.ts';
import {
  checkIndexOptions,
  checkK,
  checkNamespace,
  checkVector,
  checkVectorId,
  missingIndex,
  type VectorIndexOptions,
  type VectorListOptions,
  type VectorMatch,
  type Vectors,
  type VectorWrite,
} from '../../../core/vectors/index.ts';
import { closedError } from '../failures.ts';
import type { EmbeddedNamespaceStats } from '../types.ts';
import type { WriteQueue } from '../write-queue.ts';
import type { SpaceInfo } from './layout.ts';
import { Leftovers } from './leftovers.ts';
import { nearest } from './nearest.ts';
import { SnapshotFiles } from './snapshot-files.ts';
import { SpaceCaches } from './space-caches.ts';
import type { PreparedVector } from './vector-batch.ts';
import type { VectorReader } from './vector-reader.ts';

/** Where the vectors of a store live. */
export interface VectorPlace {
  readonly reader: () => VectorReader;
  readonly queue: WriteQueue;
  readonly clock: Clock;
  readonly folder: string;
  readonly owner: string;
}

/** The vectors of the embedded store: LMDB holds them, memory finds them. */
export class EmbeddedVectors implements Vectors {
  readonly #reader: () => VectorReader;
  readonly #queue: WriteQueue;
  readonly #caches: SpaceCaches;
  readonly #leftovers: Leftovers;
  #isClosed = false;

  constructor({ reader, queue, clock, folder, owner }: VectorPlace) {
    this.#reader = reader;
    this.#queue = queue;
    const files = new SnapshotFiles(folder, owner);
    this.#caches = new SpaceCaches(() => this.#openReader(), queue, files, clock);
    this.#leftovers = new Leftovers(reader, queue, files);
    this.#leftovers.sweep();
  }

  async createIndex(namespace: string, options: VectorIndexOptions, write?: WriteOptions): Promise<boolean> {
    this.#begin(write?.signal);
    checkNamespace(namespace);
    checkIndexOptions(options);
    const { dimensions, metric, type } = options;
    return this.#queue.submit(
      (batch) => batch.changeVectors((vectors) => vectors.create(namespace, { dimensions, metric, type })),
      0,
      write?.signal,
    );
  }

  async dropIndex(namespace: string, write?: WriteOptions): Promise<boolean> {
    this.#begin(write?.signal);
    checkNamespace(namespace);
    const existed = await this.#queue.submit(
      (batch) => batch.changeVectors((vectors) => vectors.drop(namespace)),
      0,
      write?.signal,
    );
    this.#caches.forget(namespace);
    if (existed) this.#leftovers.sweep();
    return existed;
  }

  async insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void> {
    this.#begin(write?.signal);
    checkNamespace(namespace);
    checkVectorId(id);
    const prepared = [prepareVector({ type: 'insert', namespace, id, vector })];
    await this.#queue.submit((batch) => batch.apply([], false, prepared), bytesOf(prepared), write?.signal);
    this.follow(prepared);
  }

  async delete(namespace: string, id: string, write?: WriteOptions): Promise<boolean> {
    this.#begin(write?.signal);
    checkNamespace(namespace);
    checkVectorId(id);
    const prepared = prepareVector({ type: 'delete', namespace, id });
    return this.#queue.submit((batch) => batch.deleteVector(prepared), 0, write?.signal);
  }

  async get(namespace: string, id: string, options?: ReadOptions): Promise<Float32Array | undefined> {
    const [vector] = await this.getMany(namespace, [id], options);
    return vector;
  }

  async getMany(
    namespace: string,
    ids: readonly string[],
    options?: ReadOptions,
  ): Promise<(Float32Array | undefined)[]> {
    this.#begin(options?.signal);
    checkNamespace(namespace);
    for (const id of ids) checkVectorId(id);
    const vectors = this.#reader().getMany(namespace, ids);
    if (vectors === undefined) throw missingIndex(namespace);
    return vectors;
  }

  async list(namespace: string, options: VectorListOptions = {}): Promise<string[]> {
    this.#begin(options.signal);
    checkNamespace(namespace);
    if (options.after !== undefined) checkVectorId(options.after);
    const ids = this.#reader().list(namespace, options.after, pageLimit({ limit: options.limit }));
    if (ids === undefined) throw missingIndex(namespace);
    return ids;
  }

  async search(namespace: string, query: Float32Array, k: number, options: ReadOptions = {}): Promise<VectorMatch[]> {
    const { signal, consistency = 'strong' } = options;
    this.#begin(signal);
    checkNamespace(namespace);
    checkK(k);
    const info = this.#space(namespace);
    checkVector(query, info.options.dimensions);
    if (info.size === 0) return [];
    const target = consistency === 'eventual' ? undefined : info.next;
    const search = { namespace, info, query: query.slice(), k, target, signal };
    const cache = this.#caches.of(namespace, info);
    const matches = await nearest(search, cache, () => this.#openReader());
    if (target === undefined) cache.follow(info.next);
    return matches;
  }

  /** After writes: memory that is in use follows while nobody waits for it. */
  follow(writes: readonly PreparedVector[]): void {
    for (const namespace of new Set(writes.map((write) => write.namespace))) {
      const cache = this.#isClosed ? undefined : this.#caches.known(namespace);
      if (cache?.position === undefined) continue;
      const info = this.#reader().space(namespace);
      if (info?.id === cache.id && info.next - cache.position >= FOLLOWED) cache.follow(info.next);
    }
  }

  stats(): Promise<EmbeddedNamespaceStats[]> {
    const spaces = this.#reader().spaces();
    return Promise.all(
      spaces.map(async ({ namespace, id, size, next, options }) => {
        const known = this.#caches.known(namespace);
        const cache = known?.id === id ? known : undefined;
        const behind = cache?.position === undefined ? undefined : Math.max(0, next - cache.position);
        return { namespace, ...options, vectors: size, memory: await cache?.kind(), behind };
      }),
    );
  }

  get sweepFailures(): number {
    return this.#leftovers.failures;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#leftovers.stop();
    await this.#caches.close();
  }

  #space(namespace: string): SpaceInfo {
    const info = this.#reader().space(namespace);
    if (info !== undefined) return info;
    // Another process may have dropped it.
    this.#caches.forget(namespace);
    throw missingIndex(namespace);
  }

  #begin(signal: AbortSignal | undefined): void {
    if (this.#isClosed) throw closedError();
    throwIfAborted(signal);
  }

  /** For what goes on over several turns: the store may be closed meanwhile. */
  #openReader(): VectorReader {
    if (this.#isClosed) throw closedError();
    return this.#reader();
  }
}

/** Changes that memory may be behind before it follows by itself: a search catches up with so few in no time. */
const FOLLOWED = 64;

/** A write with numbers of its own; all that can be checked without the namespace is. */
export function prepareVector(write: VectorWrite): PreparedVector {
  const { namespace } = write;
  const id = Buffer.from(write.id);
  if (write.type === 'delete') return { type: 'delete', namespace, id };
  const { vector } = write;
  // A program without types may pass anything. The length is for the namespace to check.
  checkVector(vector, (vector as Float32Array | undefined)?.length ?? 0);
  return { type: 'insert', namespace, id, vector: vector.slice() };
}

export function bytesOf(writes: readonly PreparedVector[]): number {
  return writes.reduce((sum, write) => sum + (write.type === 'insert' ? write.vector.byteLength : 0), 0);
}
