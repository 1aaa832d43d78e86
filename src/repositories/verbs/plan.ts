import { decodeTuple, type KeyPart } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { readSnapshot } from '../snapshot.ts';
import { planVectors } from '../vectors/plan-vectors.ts';
import { neededClaims } from '../write/claims.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { Operation } from '../write/operation.ts';
import { type PlannedOperation, type Purpose, writeSet } from '../write/write-set.ts';

/** One operation that a write would send. */
export interface PlanStep {
  readonly purpose: Purpose;
  readonly type: 'put' | 'delete';
  /** The key as its parts: root, tenant (or null), generation, entity, kind, and what follows. */
  readonly key: readonly KeyPart[];
  /** What must hold of the key, or the operation is refused. */
  readonly precondition: 'absent' | { readonly version: Version } | undefined;
  readonly expiresAt: Date | undefined;
  /** Size of the value in bytes. */
  readonly bytes: number;
}

/** One vector that a write would change. */
export interface PlannedVector {
  readonly embedding: string;
  readonly type: 'insert' | 'delete';
  /** Whether a text would go to the embedder: now, or later where the embedding is deferred. */
  readonly embeds: 'no' | 'now' | 'later';
}

/** What a write would send, had it been called now. */
export interface WritePlan {
  /** All steps or none; otherwise they are sent one after the other, in this order. */
  readonly atomic: boolean;
  /** Empty when there is nothing to write. */
  readonly steps: readonly PlanStep[];
  /** Nothing is embedded to find out. */
  readonly vectors: readonly PlannedVector[];
}

function stepOf(operation: PlannedOperation): PlanStep {
  const { purpose, key } = operation;
  const version = 'ifMatch' in operation ? operation.ifMatch : undefined;
  const isAbsent = operation.type === 'put' && operation.ifAbsent === true;
  return {
    purpose,
    type: operation.type === 'put' ? 'put' : 'delete',
    key: decodeTuple(key),
    precondition: isAbsent ? 'absent' : version && { version },
    expiresAt:
      operation.type === 'put' && operation.expiresAt !== undefined ? new Date(operation.expiresAt) : undefined,
    bytes: operation.type === 'put' ? operation.value.length : 0,
  };
}

/** Does all that a write does, except send it. Errors: those of the write. */
export async function planOperation(
  context: RepositoryContext,
  id: readonly IdPart[],
  operation: Operation,
): Promise<WritePlan> {
  const key = context.keys.record(id);
  const { capabilities } = context.client.store;
  const base = await readSnapshot(context, id, key);
  const after = await operation.apply(base.live);
  const { change, vectors } = await planVectors(context, id, base, after);
  if (change.after === base.live) return { atomic: true, steps: [], vectors };
  const needed = await neededClaims(context, id, base.live, after);
  const set = writeSet(context, id, key, base, change, needed, randomOperationId(context.environment.random));
  const claims = set.claims.operations;
  const taken = claims.filter(({ type }) => type === 'put');
  const released = claims.filter(({ type }) => type === 'delete');
  const operations = [...taken, set.record, ...released, ...set.entries];
  const atomic = capabilities.commit || operations.length + vectors.length === 1;
  return { atomic, steps: operations.map(stepOf), vectors };
}
