import { status } from '@grpc/grpc-js';
import { checkKey, checkValue } from '../../core/checks.ts';
import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Version } from '../../core/version.ts';
import { fromWireVersion, type norikv, type norimaki, toFailure, toWireVersion } from '../../wire/index.ts';
import { consistencyOf, idempotencyKeyOf } from '../calls/requests.ts';
import type { UnaryCalls } from '../calls/unary.ts';
import { type Cluster, requireLeader } from '../cluster.ts';
import type { ServedStore } from '../layers/store-layer.ts';

const NO_VALUE = Buffer.alloc(0);

/** `norikv.v1.Kv`: the protocol's own verbs, with its own words for what goes wrong. */
export function kvService(store: ServedStore, cluster: Cluster, clock: Clock, calls: UnaryCalls): norikv.KvServer {
  const { limits } = store.capabilities;

  async function put({ key, value, ttlMs, idempotencyKey, ifMatch }: norikv.PutRequest, signal: AbortSignal) {
    checkKey(key, limits);
    checkValue(value, limits);
    const options = {
      idempotencyKey: idempotencyKeyOf(idempotencyKey),
      ifMatch: ifMatch && fromWireVersion(ifMatch),
      expiresAt: deadlineOf(ttlMs, clock),
      signal,
    };
    requireLeader(cluster, key);
    return { version: toWireVersion(await store.put(key, value, options)), meta: {} };
  }

  async function get({ key, consistency: level }: norikv.GetRequest, signal: AbortSignal) {
    checkKey(key, limits);
    const consistency = consistencyOf(level);
    requireLeader(cluster, key);
    const stored = await store.get(key, { consistency, signal });
    return { value: stored?.value ?? NO_VALUE, version: stored && toWireVersion(stored.version), meta: {} };
  }

  async function remove({ key, idempotencyKey, ifMatch }: norikv.DeleteRequest, signal: AbortSignal) {
    checkKey(key, limits);
    const options = {
      idempotencyKey: idempotencyKeyOf(idempotencyKey),
      ifMatch: ifMatch && fromWireVersion(ifMatch),
      signal,
    };
    requireLeader(cluster, key);
    // A delete has no version of its own on any store.
    return { tombstoned: await store.delete(key, options), version: undefined };
  }

  return {
    put: calls.handle(
      (request, { signal }) => put(request, signal),
      (error) => explain('Put', error),
    ),
    get: calls.handle(
      (request, { signal }) => get(request, signal),
      (error) => explain(undefined, error),
    ),
    delete: calls.handle(
      (request, { signal }) => remove(request, signal),
      (error) => explain('Delete', error),
    ),
  };
}

/** By the server's clock. 0 is none: protobuf has no other way to say so. */
function deadlineOf(ttlMs: bigint, clock: Clock): number | undefined {
  if (ttlMs === 0n) return undefined;
  // The longest may be beyond what can be told from its neighbour, never beyond a number.
  return Math.min(clock.now() + Number(ttlMs), Number.MAX_SAFE_INTEGER);
}

/** `write`: the verb of one. */
function explain(write: 'Put' | 'Delete' | undefined, error: unknown): norimaki.Failure {
  const failure = toFailure(error);
  if (NorimakiError.is(error, 'size.exceeded')) {
    const { what, bytes, limit } = error.details;
    if (what === 'key') return { ...failure, message: `Key size ${bytes} exceeds limit ${limit}` };
    if (what === 'value') return { ...failure, message: `Value size ${bytes} exceeds limit ${limit}` };
  }
  if (NorimakiError.is(error, 'version.mismatch')) {
    const { expected, actual } = error.details;
    const message =
      actual === undefined || expected === undefined
        ? 'CAS failed: key does not exist'
        : `Version mismatch: expected ${print(expected)}, got ${print(actual)}`;
    return { ...failure, message };
  }
  if (write !== undefined && isInDoubt(error)) {
    // UNAVAILABLE would tell a client of NoriKV that nothing was applied.
    const message = `${write} failed: CommitTimeout: the store did not confirm the write, which may have been applied`;
    return { ...failure, status: status.INTERNAL, message };
  }
  return failure;
}

function print(version: Version): string {
  const { term, index } = toWireVersion(version);
  return `term=${term} index=${index}`;
}

function isInDoubt(error: unknown): boolean {
  if (!(error instanceof NorimakiError)) return true;
  if (NorimakiError.is(error, 'store.unavailable')) return error.details.applied === 'unknown';
  return NorimakiError.is(error, 'outcome.unknown') || NorimakiError.is(error, 'deadline.exceeded');
}
