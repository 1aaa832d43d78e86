import { MAX_PAGE } from '../../core/checks.ts';
import type { Clock } from '../../core/clock.ts';
import { checkNamespace, checkVectorId, type Vectors } from '../../core/vectors/index.ts';
import { fromWireIndexType, fromWireMetric, norikv } from '../../wire/index.ts';
import type { ServerLimits } from '../options.ts';
import type { Operations } from './operations.ts';
import { consistencyOf, idempotencyKeyOf, invalid } from './requests.ts';

type VectorOperations = Pick<
  Operations,
  'createIndex' | 'dropIndex' | 'insertVector' | 'deleteVector' | 'searchVectors' | 'getVector' | 'listVectors'
>;

/** Every node answers them, whatever it leads: all nodes of a cluster search one store. */
export function vectorOperations(vectors: Vectors, limits: ServerLimits, clock: Clock): VectorOperations {
  return {
    async createIndex({ namespace, dimensions, distance, indexType, idempotencyKey }, { signal }) {
      checkNamespace(namespace);
      checkLength(dimensions, limits);
      const write = { idempotencyKey: idempotencyKeyOf(idempotencyKey), signal };
      const metric = fromWireMetric(distance);
      if (metric === undefined) throw invalid('distance', 'distance is euclidean, cosine or inner product.');
      const type = indexType === norikv.VectorIndexType.UNSPECIFIED ? 'hnsw' : fromWireIndexType(indexType);
      if (type === undefined) throw invalid('index_type', 'index_type is brute force or HNSW.');
      return { created: await vectors.createIndex(namespace, { dimensions, metric, type }, write), meta: {} };
    },

    async dropIndex({ namespace, idempotencyKey }, { signal }) {
      checkNamespace(namespace);
      const write = { idempotencyKey: idempotencyKeyOf(idempotencyKey), signal };
      return { dropped: await vectors.dropIndex(namespace, write) };
    },

    async insertVector({ namespace, id, vector, idempotencyKey }, { signal }) {
      checkNamespace(namespace);
      checkVectorId(id);
      checkLength(vector.length, limits);
      const write = { idempotencyKey: idempotencyKeyOf(idempotencyKey), signal };
      await vectors.insert(namespace, id, Float32Array.from(vector), write);
      return { inserted: true, version: undefined };
    },

    async deleteVector({ namespace, id, idempotencyKey }, { signal }) {
      checkNamespace(namespace);
      checkVectorId(id);
      const write = { idempotencyKey: idempotencyKeyOf(idempotencyKey), signal };
      return { deleted: await vectors.delete(namespace, id, write) };
    },

    async searchVectors({ namespace, query, k, includeVectors, consistency: level }, { signal }) {
      const begun = clock.mono();
      checkNamespace(namespace);
      checkLength(query.length, limits);
      if (k < 1 || k > limits.k) throw invalid('k', `k is a whole number from 1 to ${limits.k}, not ${k}.`);
      // A search that cannot be answered in one message is refused before the work.
      const bytes = k * query.length * Float32Array.BYTES_PER_ELEMENT;
      if (includeVectors && bytes > limits.message / 2) {
        throw invalid('k', `${k} vectors do not fit into a message: ask for fewer, or without them.`);
      }
      const read = { consistency: consistencyOf(level), signal };
      const found = await vectors.search(namespace, Float32Array.from(query), k, read);
      const ids = found.map(({ id }) => id);
      const numbers = includeVectors ? await vectors.getMany(namespace, ids, read) : [];
      return {
        // One that was deleted between the two has no numbers left to tell.
        matches: found.map(({ id, distance }, i) => ({ id, distance, vector: [...(numbers[i] ?? [])] })),
        searchTimeUs: BigInt(Math.round((clock.mono() - begun) * 1000)),
      };
    },

    async getVector({ namespace, id, consistency: level }, { signal }) {
      checkNamespace(namespace);
      checkVectorId(id);
      const found = await vectors.get(namespace, id, { consistency: consistencyOf(level), signal });
      return { vector: [...(found ?? [])], found: found !== undefined };
    },

    async listVectors({ namespace, after, limit, consistency: level }, { signal }) {
      checkNamespace(namespace);
      if (limit > MAX_PAGE) throw invalid('limit', `limit is at most ${MAX_PAGE}.`);
      const consistency = consistencyOf(level);
      const page = { after, limit: limit === 0 ? undefined : limit, consistency, signal };
      return { ids: await vectors.list(namespace, page) };
    },
  };
}

function checkLength(dimensions: number, limits: ServerLimits): void {
  if (dimensions >= 1 && dimensions <= limits.dimensions) return;
  throw invalid('dimensions', `A vector has 1 to ${limits.dimensions} dimensions, not ${dimensions}.`);
}
