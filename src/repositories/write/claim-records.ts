import { NorimakiError } from '../../core/errors.ts';
import { compareKeys } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import { metered } from '../tenancy/metering.ts';
import { claimOwner, claimValue, type NeededClaim } from './claims.ts';
import { randomOperationId, sealed, tombstone } from './next-record.ts';
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

/** Moves an owner's record to a new version without changing it; an absent one becomes a tombstone. */
async function fence(context: RepositoryContext, owner: readonly IdPart[], snapshot: Snapshot): Promise<boolean> {
  const { keys, environment, client } = context;
  const { live, version } = snapshot;
  const operationId = randomOperationId(environment.random);
  const key = keys.record(owner);
  const { value, envelope } =
    live === undefined ? tombstone(context, key, undefined, operationId) : sealed(context, key, live, operationId);
  const { expiresAt } = envelope;
  const precondition = version === undefined ? { ifAbsent: true } : { ifMatch: version };
  const put = { type: 'put', key, value, expiresAt, ...precondition } as const;
  const idempotencyKey = randomOperationId(environment.random);
  const outcome = await metered(context, snapshot, { envelope, bytes: value.length }, () =>
    client.write([put], { idempotencyKey }),
  );
  return outcome.kind === 'applied';
}

/** One try; `false` means: start over and look again, because it failed or because nobody knows. */
async function tryWrite({ client, environment }: RepositoryContext, operation: CommitOperation): Promise<boolean> {
  const idempotencyKey = randomOperationId(environment.random);
  const outcome = await client.write([operation], { idempotencyKey });
  return outcome.kind === 'applied';
}

/** A claim to give back once the record has stopped holding its value. */
export type Release = CommitOperation & { readonly type: 'delete' };

/**
 * Looks up the claims that a write gives back, before it is sent: whoever takes one for this record again does so
 * after the write, and at a new version, which the release then leaves alone.
 */
export async function lookUpReleases(
  context: RepositoryContext,
  id: readonly IdPart[],
  operations: readonly PlannedOperation[],
): Promise<Release[]> {
  const { client, keys } = context;
  const releases: Release[] = [];
  for (const { type, key } of operations) {
    if (type !== 'delete') continue;
    const stored = await client.get(key);
    const isMine = stored && compareKeys(keys.record(claimOwner(stored.value)), keys.record(id)) === 0;
    if (isMine) releases.push({ type: 'delete', key, ifMatch: stored.version });
  }
  return releases;
}

/** Gives claims back. A failure leaves an orphan, which is harmless. */
export async function releaseClaims(context: RepositoryContext, releases: readonly Release[]): Promise<void> {
  for (const release of releases) {
    try {
      await tryWrite(context, release);
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
    }
  }
}
