import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter, OUTAGE_POLICY } from '../../core/retry/index.ts';
import type { CommitOperation, Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { forEachAtOnce } from '../each.ts';
import { describeRecord, type Snapshot } from '../snapshot.ts';
import { metered } from '../tenancy/metering.ts';
import { closed, randomOperationId, tombstone } from '../write/next-record.ts';
import { formatEntries, parseEntries, type VectorEntry } from './entry.ts';
import type { VectorChange, VectorDelete, VectorInsert } from './prepare.ts';

/** Vectors of one text that are inserted, or deleted, at once. */
const AT_ONCE = 16;

/**
 * The vectors of a write on a store that cannot commit: the record names the new generations as reserved, then they are
 * inserted; the write itself, next, makes them the wanted ones. A crash after any step leaves the record findable under
 * the vector of what it holds, and at worst a vector that no record names. Source: vectors.md 3.2, mode `atomic`.
 *
 * Resolves to what the write itself is now based on, or to `undefined` when another writer was first.
 */
export async function insertReserved(
  context: RepositoryContext,
  id: readonly IdPart[],
  key: Key,
  base: Snapshot,
  change: VectorChange,
  signal: AbortSignal | undefined,
): Promise<Snapshot | undefined> {
  if (change.inserts.length === 0) return base;
  const reserved = await reserve(context, key, base, change);
  if (reserved === undefined) return undefined;
  // In any order: no search believes in one of them before the write itself, when all are there.
  await forEachAtOnce(change.inserts, AT_ONCE, (insert) => insertConfirmed(context, id, insert, signal));
  return reserved;
}

async function reserve(
  context: RepositoryContext,
  key: Key,
  base: Snapshot,
  change: VectorChange,
): Promise<Snapshot | undefined> {
  const { client, environment } = context;
  const known = parseEntries(base.live?.envelope.vectors);
  const generations = new Set(known.map(({ generation }) => generation));
  const added = parseEntries(change.after?.envelope.vectors).filter(({ generation }) => !generations.has(generation));
  const named: VectorEntry[] = [...known, ...added.map((entry) => ({ ...entry, state: 'reserved' }) as const)];
  const vectors = formatEntries(named);
  const operationId = randomOperationId(environment.random);
  const { live, version } = base;
  // No entry in the ring of operations: the fields are as they were.
  const { value, envelope } =
    live === undefined
      ? tombstone(context, key, base.envelope, operationId, { vectors })
      : closed(context, key, live.body, { ...live.envelope, vectors });
  const precondition = version === undefined ? { ifAbsent: true } : { ifMatch: version };
  const put: CommitOperation = { type: 'put', key, value, expiresAt: envelope.expiresAt, ...precondition };
  const outcome = await metered(context, base, { envelope, bytes: value.length }, () =>
    client.write([put], { idempotencyKey: operationId }),
  );
  if (outcome.kind === 'notApplied') throw outcome.error;
  // Where nobody knows, the next round reads what is there and starts over.
  return outcome.kind === 'applied' ? { version: outcome.version, envelope, bytes: value.length, live } : undefined;
}

/** An acknowledged insert need not have been applied: NoriKV answers before it looks. */
async function insertConfirmed(
  { client, environment, model }: RepositoryContext,
  id: readonly IdPart[],
  { namespace, id: vectorId, vector }: VectorInsert,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let attempt = 1; attempt <= OUTAGE_POLICY.maxAttempts; attempt++) {
    await client.vectors.insert(namespace, vectorId, vector, { signal });
    if ((await client.vectors.get(namespace, vectorId, { signal })) !== undefined) return;
    await environment.clock.sleep(fullJitter(attempt, OUTAGE_POLICY, environment.random), { signal });
  }
  throw new NorimakiError(
    'store.unavailable',
    `The store acknowledged the vector of ${describeRecord(model, id)} and does not have it; nothing was saved.`,
    { applied: 'no' },
  );
}

/** Deletes vectors that no record names any more. A failure leaves garbage, which searches and `doctor` clear away. */
export async function deleteVectors({ client }: RepositoryContext, deletes: readonly VectorDelete[]): Promise<void> {
  await forEachAtOnce(deletes, AT_ONCE, async ({ namespace, id }) => {
    try {
      await client.vectors.delete(namespace, id);
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
    }
  });
}

/** Deletes the vectors of a write that lost to another, once it is certain that it never will be applied. */
export async function deleteUnnamed(
  context: RepositoryContext,
  inserts: readonly VectorInsert[],
  written: string | undefined,
  now: Snapshot,
): Promise<void> {
  if (inserts.length === 0) return;
  const named = new Set(parseEntries(now.envelope?.vectors).map(({ generation }) => generation));
  const entries = parseEntries(written);
  const lost = inserts.filter(({ id }) => {
    const entry = entries.find(({ generation }) => id.startsWith(generation));
    return entry !== undefined && !named.has(entry.generation);
  });
  await deleteVectors(
    context,
    lost.map(({ namespace, id }) => ({ type: 'delete', namespace, id })),
  );
}
