import { pageLimit } from '../../core/checks.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Key, ReadOptions, WriteOptions } from '../../core/store.ts';
import {
  checkDimensions,
  checkIndexOptions,
  checkK,
  checkNamespace,
  checkVector,
  checkVectorId,
  type VectorIndexOptions,
  type VectorListOptions,
  type VectorMatch,
  type Vectors,
} from '../../core/vectors/index.ts';
import { toWireIndexType, toWireMetric } from '../../wire/index.ts';
import type { Patience } from './patience.ts';
import { PLAIN_MAX_K } from './plain-transport.ts';
import type { Calls } from './store.ts';
import type { Answer, RequestOf, Verb } from './transport.ts';

/** Who asks for no vectors still asks whether the namespace is there. */
const ANY_ID = 'any';

/** What can be refused without knowing the namespace. Errors: `argument.invalid`. */
export function checkNumbers(vector: Float32Array): void {
  // A program without types may pass anything; what is no vector has no length that counts.
  const length = vector instanceof Float32Array ? vector.length : 0;
  checkVector(vector, length);
  checkDimensions(length);
}

/** The vectors of a server, behind the calls of its store. */
export class NorikvVectors implements Vectors {
  readonly #calls: Calls;
  readonly #isPlain: boolean;

  constructor(calls: Calls, isPlain: boolean) {
    this.#calls = calls;
    this.#isPlain = isPlain;
  }

  async createIndex(namespace: string, options: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    const { created } = await this.#call<'createIndex'>(namespace, write, () => {
      checkIndexOptions(options);
      const { dimensions } = options;
      const [distance, indexType] = [toWireMetric(options.metric), toWireIndexType(options.type)];
      const value = { namespace, dimensions, distance, indexType, idempotencyKey: this.#calls.idempotencyKeyOf(write) };
      return { $case: 'createIndex', value };
    });
    return created;
  }

  async dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    const { dropped } = await this.#call<'dropIndex'>(namespace, write, () => ({
      $case: 'dropIndex',
      value: { namespace, idempotencyKey: this.#calls.idempotencyKeyOf(write) },
    }));
    return dropped;
  }

  async insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    await this.#call<'insertVector'>(namespace, write, () => {
      checkVectorId(id);
      checkNumbers(vector);
      const idempotencyKey = this.#calls.idempotencyKeyOf(write);
      return { $case: 'insertVector', value: { namespace, id, vector: Array.from(vector), idempotencyKey } };
    });
  }

  async delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    const { deleted } = await this.#call<'deleteVector'>(namespace, write, () => {
      checkVectorId(id);
      return { $case: 'deleteVector', value: { namespace, id, idempotencyKey: this.#calls.idempotencyKeyOf(write) } };
    });
    return deleted;
  }

  async get(namespace: string, id: string, options: ReadOptions = {}): Promise<Float32Array | undefined> {
    const [found] = await this.getMany(namespace, [id], options);
    return found;
  }

  async getMany(
    namespace: string,
    ids: readonly string[],
    options: ReadOptions = {},
  ): Promise<(Float32Array | undefined)[]> {
    const { consistency = 'strong', signal } = options;
    return this.#begin(namespace, signal, async (key, patience) => {
      for (const id of ids) checkVectorId(id);
      const found = await Promise.all(
        (ids.length > 0 ? ids : [ANY_ID]).map(async (id) => {
          const request = { $case: 'getVector', value: { namespace, id, consistency } } as const;
          const { found, vector } = await this.#calls.caller.call<'getVector'>(request, key, patience);
          return found ? Float32Array.from(vector) : undefined;
        }),
      );
      return found.slice(0, ids.length);
    });
  }

  async search(namespace: string, query: Float32Array, k: number, options: ReadOptions = {}): Promise<VectorMatch[]> {
    const { consistency = 'strong' } = options;
    const { matches } = await this.#call<'searchVectors'>(namespace, options, () => {
      checkK(k);
      this.#checkPlainK(k);
      checkNumbers(query);
      const value = { namespace, query: Array.from(query), k, includeVectors: false, consistency };
      return { $case: 'searchVectors', value };
    });
    return matches.map(({ id, distance }) => ({ id, distance }));
  }

  async list(namespace: string, options: VectorListOptions = {}): Promise<string[]> {
    const { after, consistency = 'strong' } = options;
    const { ids } = await this.#call<'listVectors'>(namespace, options, () => {
      this.#calls.require('scan', 'vectors.list()');
      const limit = pageLimit(options);
      if (after !== undefined) checkVectorId(after);
      return { $case: 'listVectors', value: { namespace, after, limit, consistency } };
    });
    return ids;
  }

  /** Fewer than `k` mean that there are no more, which a plain server's answer could not say. */
  #checkPlainK(k: number): void {
    if (!this.#isPlain || k <= PLAIN_MAX_K) return;
    throw new NorimakiError('argument.invalid', `A plain NoriKV server finds at most ${PLAIN_MAX_K}: ask for fewer.`, {
      argument: 'k',
    });
  }

  #call<V extends Verb>(
    namespace: string,
    { signal }: { readonly signal?: AbortSignal | undefined },
    request: () => RequestOf<V>,
  ): Promise<Answer<V>> {
    return this.#begin(namespace, signal, async (key, patience) =>
      this.#calls.caller.call<V>(request(), key, patience),
    );
  }

  /** `key` is what the calls are routed by: all of a namespace go to one node. */
  #begin<T>(
    namespace: string,
    signal: AbortSignal | undefined,
    call: (key: Key, patience: Patience) => Promise<T>,
  ): Promise<T> {
    return this.#calls.begin(signal, async (patience) => {
      this.#calls.require('vectors', 'vectors');
      checkNamespace(namespace);
      return call(Buffer.from(namespace), patience);
    });
  }
}
