import { sealRecord } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import { compareKeys } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import { claimOwner, claimValue, type NeededClaim } from './claims.ts';
import { randomOperationId, remember } from './next-record.ts';
import type { PlannedOperation } from './write-set.ts';

/**
 * Uniqueness on a store that cannot commit: a claim is taken before its record is written, and released after the
 * record stopped holding the value. A crash in between leaves a claim whose owner does not hold the value; whoever
 * wants it takes it over, after moving the owner's record on, so that a writer which was only slow fails its
 * precondition. A writer that starts over takes its claims anew, which in turn fails a take-over under way.
 * Claims carry no expiry, as it could not follow the record's.
 */
export async function takeClaims(
  context: RepositoryContext,
  id: readonly IdPart[],
  claims: readonly NeededClaim[],
): Promise<boolean> {
  for (const { key, precondition, orphanOf } of claims) {
    if (orphanOf !== undefined && !(await fence(context, orphanOf.id, orphanOf.snapshot))) return false;
    const taken = await tryWrite(context, { type: 'put', key, value: claimValue(id), ...precondition });
    if (!taken) return false;
  }
  return true;
}

/** Longer than any writer may take between reading the absence of its record and writing it. */
const TOMBSTONE_LIFE_MS = 3_600_000;

/** Moves an owner's record to a new version without changing it; an absent one becomes a tombstone. */
function fence(context: RepositoryContext, owner: readonly IdPart[], snapshot: Snapshot): Promise<boolean> {
  const { keys, environment, model, tenant } = context;
  const { live, version } = snapshot;
  const operationId = randomOperationId(environment.random);
  const precondition = version === undefined ? { ifAbsent: true } : { ifMatch: version };
  const expiresAt = live === undefined ? environment.clock.now() + TOMBSTONE_LIFE_MS : live.envelope.expiresAt;
  const envelope =
    live === undefined
      ? {
          schema: model.schema,
          born: operationId,
          seq: 1,
          ops: operationId,
          expiresAt,
          tenant,
          tombstone: true as const,
        }
      : remember(live.envelope, [operationId], model.ring);
  const value = sealRecord(live?.body ?? '{"json":null', envelope);
  return tryWrite(context, { type: 'put', key: keys.record(owner), value, expiresAt, ...precondition });
}

/** One try; `false` means: start over and look again, because it failed or because nobody knows. */
async function tryWrite({ client, environment }: RepositoryContext, operation: CommitOperation): Promise<boolean> {
  const idempotencyKey = randomOperationId(environment.random);
  const outcome = await client.write([operation], { idempotencyKey });
  return outcome.kind === 'applied';
}

/** Gives back the claims on values that the record no longer holds. A failure leaves an orphan, which is harmless. */
export async function releaseClaims(
  context: RepositoryContext,
  id: readonly IdPart[],
  operations: readonly PlannedOperation[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, keys } = context;
  for (const operation of operations) {
    if (operation.type !== 'delete') continue;
    try {
      const stored = await client.get(operation.key, { signal });
      if (stored === undefined) continue;
      const isMine = compareKeys(keys.record(claimOwner(stored.value)), keys.record(id)) === 0;
      if (isMine) await tryWrite(context, { type: 'delete', key: operation.key, ifMatch: stored.version });
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
    }
  }
}
