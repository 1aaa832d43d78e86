import { checkCommit, checkKey, checkValue, MAX_PAGE } from '../../core/checks.ts';
import type { ScanPage } from '../../core/store.ts';
import { fromWireInstant, fromWireVersion, type norimaki, toWireRecord, toWireVersion } from '../../wire/index.ts';
import { type Cluster, requireLeader } from '../cluster.ts';
import type { ServedStore } from '../layers/store-layer.ts';
import type { Operations } from './operations.ts';
import { consistencyOf, idempotencyKeyOf, invalid, operationOf, preconditionOf, vectorWriteOf } from './requests.ts';

/** A store may take the bytes of a page as a hint, so a page of the largest values bounds what is read. */
const MAX_RECORDS = 256;
const DEFAULT_RECORDS = 100;
const PAGE_BYTES = 1024 * 1024;
/** What the fields of a record take around its key and its value, at most. */
const RECORD_OVERHEAD = 64;

/** Calls of several keys are for the leader of the first: all nodes of a cluster write to one store. */
export function recordOperations(
  store: ServedStore,
  cluster: Cluster,
): Pick<Operations, 'get' | 'put' | 'delete' | 'scan' | 'commit'> {
  const { limits } = store.capabilities;
  return {
    async get(request, { signal }) {
      checkKey(request.key, limits);
      const consistency = consistencyOf(request.consistency);
      requireLeader(cluster, request.key);
      const stored = await store.get(request.key, { consistency, signal });
      return { record: stored && toWireRecord(stored) };
    },

    async put({ key, value, expiresAt, precondition, idempotencyKey }, { signal }) {
      checkKey(key, limits);
      checkValue(value, limits);
      const version = await leading(key).put(key, value, {
        ...preconditionOf(precondition),
        expiresAt: fromWireInstant(expiresAt),
        idempotencyKey: idempotencyKeyOf(idempotencyKey),
        signal,
      });
      return { version: toWireVersion(version) };
    },

    async delete({ key, ifMatch, idempotencyKey }, { signal }) {
      checkKey(key, limits);
      const existed = await leading(key).delete(key, {
        ifMatch: ifMatch && fromWireVersion(ifMatch),
        idempotencyKey: idempotencyKeyOf(idempotencyKey),
        signal,
      });
      return { existed };
    },

    async scan({ range, limit, reverse, consistency: level }, { signal }) {
      if (range === undefined) throw invalid('range', 'A scan takes a range of keys.');
      if (limit > MAX_PAGE) throw invalid('limit', `limit is at most ${MAX_PAGE}.`);
      const consistency = consistencyOf(level);
      const count = Math.min(limit === 0 ? DEFAULT_RECORDS : limit, MAX_RECORDS);
      const bytes = PAGE_BYTES - count * RECORD_OVERHEAD;
      const page = await leading(range.start).scan(range, { limit: count, bytes, reverse, consistency, signal });
      return cut(page, range, reverse);
    },

    async commit(request, { signal }) {
      const operations = request.operations.map(operationOf);
      checkCommit(operations, limits);
      const vectors = request.vectors.map(vectorWriteOf);
      const first = operations[0];
      const version = await (first === undefined ? store : leading(first.key)).commit(operations, {
        idempotencyKey: idempotencyKeyOf(request.idempotencyKey),
        vectors,
        signal,
      });
      return { version: toWireVersion(version) };
    },
  };

  function leading(key: Uint8Array): ServedStore {
    requireLeader(cluster, key);
    return store;
  }
}

/** Ends a page before its bytes exceed what a message may hold, where the store did not. */
function cut({ entries, rest }: ScanPage, range: norimaki.KeyRange, reverse: boolean): norimaki.ScanResponse {
  let bytes = 0;
  const fits = entries.findIndex(({ key, value }) => {
    bytes += key.length + value.length + RECORD_OVERHEAD;
    return bytes > PAGE_BYTES;
  });
  // One always fits.
  const count = fits === -1 ? entries.length : Math.max(1, fits);
  const records = entries.slice(0, count).map((entry) => toWireRecord(entry, entry.key));
  const last = entries[count - 1];
  if (count === entries.length || last === undefined) {
    // Readonly to others; nobody writes to it.
    return { records, rest: rest as norimaki.KeyRange | undefined };
  }
  const behind = reverse
    ? { start: range.start, end: last.key }
    : { start: Uint8Array.of(...last.key, 0), end: range.end };
  return { records, rest: behind };
}
