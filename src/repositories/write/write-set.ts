import type { Envelope } from '../../core/codec/index.ts';
import { keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { CommitOperation, Key, Precondition } from '../../core/store.ts';
import type { VectorName } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Written } from '../tenancy/metering.ts';
import type { VectorChange } from '../vectors/prepare.ts';
import { claimValue, type NeededClaim } from './claims.ts';
import { type DerivedKeys, derivedKeys, derivesKeys } from './derived-keys.ts';
import { type Sealed, sealed, tombstone } from './next-record.ts';

/** What one operation of a write set is for. */
export type Purpose = 'record' | 'unique' | 'index';

export type PlannedOperation = CommitOperation & { readonly purpose: Purpose };

interface Claims {
  readonly take: readonly NeededClaim[];
  readonly operations: readonly PlannedOperation[];
}

/**
 * Everything that one change of a record sends, its own key first.
 *
 * A class, as are the other objects that live until a write is acknowledged: see `listOf`.
 */
export class WriteSet {
  readonly record: PlannedOperation;
  readonly vectors: VectorChange;
  /** That of the record once this is applied; `undefined` if nothing is left of it. */
  readonly envelope: Envelope | undefined;
  readonly claims: Claims;
  readonly entries: readonly PlannedOperation[];

  constructor(
    { record, envelope }: RecordChange,
    vectors: VectorChange,
    claims: Claims = NO_CLAIMS,
    entries: readonly PlannedOperation[] = NO_ENTRIES,
  ) {
    this.record = record;
    this.vectors = vectors;
    this.envelope = envelope;
    this.claims = claims;
    this.entries = entries;
  }
}

/** What is to become of the record's own key. */
interface RecordChange {
  readonly record: PlannedOperation;
  readonly envelope: Envelope | undefined;
}

class RecordPut {
  readonly purpose = 'record';
  readonly type = 'put';
  readonly key: Key;
  readonly value: Uint8Array;
  readonly expiresAt: number | undefined;
  readonly ifMatch: Version | undefined;
  readonly ifAbsent: boolean | undefined;
  readonly vectors: readonly VectorName[] | undefined;

  constructor(
    key: Key,
    { value, envelope }: Sealed,
    { ifMatch, ifAbsent }: Precondition,
    vectors: readonly VectorName[] | undefined,
  ) {
    this.key = key;
    this.value = value;
    this.expiresAt = envelope.expiresAt;
    this.ifMatch = ifMatch;
    this.ifAbsent = ifAbsent;
    this.vectors = vectors;
  }
}

/** What the record's own key must be for the change to be applied. */
function recordPrecondition({ client }: RepositoryContext, { version }: Snapshot): Precondition {
  if (version !== undefined) return { ifMatch: version };
  // Without atomic create-if-absent a first write cannot be guarded; such stores say so in `capabilities`.
  return client.store.capabilities.ifAbsent ? { ifAbsent: true } : {};
}

const NO_CLAIMS: Claims = { take: [], operations: [] };
const NO_ENTRIES: readonly PlannedOperation[] = [];

/** The operations that turn what `snapshot` found into what `vectors` leaves, under operation id `writeId`. */
export function writeSet(
  context: RepositoryContext,
  id: readonly IdPart[],
  key: Key,
  snapshot: Snapshot,
  vectors: VectorChange,
  needed: ReadonlyMap<string, NeededClaim>,
  writeId: string,
): WriteSet {
  const change = recordChange(context, key, snapshot, vectors, writeId);
  if (!derivesKeys(context)) return new WriteSet(change, vectors);
  const { after } = vectors;
  const was = tolerantDerivedKeys(context, snapshot);
  const will = derivedKeys(context, after);
  const expiresAt = after?.envelope.expiresAt;
  const { commit: isAtomic } = context.client.store.capabilities;
  const moved = isAtomic && snapshot.live?.envelope.expiresAt !== expiresAt;
  const isNew = (held: ReadonlyMap<string, unknown>, name: string): boolean => moved || !held.has(name);

  const take = [...will.claims.keys()].flatMap((name) => needed.get(name) ?? []);
  const claims: PlannedOperation[] = [];
  for (const [name, claim] of will.claims) {
    if (!isNew(was.claims, name)) continue;
    const precondition = was.claims.has(name) ? {} : needed.get(name)?.precondition;
    // Outside a commit a claim's expiry could not follow the record's, so it has none.
    const expiry = isAtomic ? { expiresAt } : {};
    claims.push({ purpose: 'unique', type: 'put', key: claim.key, value: claimValue(id), ...expiry, ...precondition });
  }
  if (isAtomic) claims.push(...endedHolders(context, take, writeId));
  for (const [name, claim] of was.claims) {
    if (!will.claims.has(name)) claims.push({ purpose: 'unique', type: 'delete', key: claim.key });
  }

  const entries: PlannedOperation[] = [];
  for (const [name, entry] of will.entries) {
    if (!isNew(was.entries, name)) continue;
    entries.push({ purpose: 'index', type: 'put', key: entry, value: new Uint8Array(0), expiresAt });
  }
  for (const [name, entry] of was.entries) {
    if (!will.entries.has(name)) entries.push({ purpose: 'index', type: 'delete', key: entry });
  }

  return new WriteSet(change, vectors, { take, operations: claims }, entries);
}

/** The operation on the record's own key. */
function recordChange(
  context: RepositoryContext,
  key: Key,
  snapshot: Snapshot,
  { after, expiring }: VectorChange,
  writeId: string,
): RecordChange {
  const precondition = recordPrecondition(context, snapshot);
  const { commit: isAtomic } = context.client.store.capabilities;
  if (after === undefined && isAtomic) {
    const { ifMatch } = precondition;
    return { record: { purpose: 'record', type: 'delete', key, ifMatch }, envelope: undefined };
  }
  const stored =
    after === undefined
      ? tombstone(context, key, snapshot.live?.envelope, writeId)
      : sealed(context, key, after, writeId);
  const named = isAtomic && expiring.length > 0 ? expiring : undefined;
  return { record: new RecordPut(key, stored, precondition, named), envelope: stored.envelope };
}

/**
 * The records that lose a claim because they have expired by this clock. By one that is behind they live on, and their
 * next write would take the claim back: so each becomes a tombstone, until its own deadline, when all that it named ends.
 */
function endedHolders(
  context: RepositoryContext,
  claims: readonly NeededClaim[],
  writeId: string,
): readonly PlannedOperation[] {
  const ended = new Map<string, PlannedOperation>();
  for (const { orphanOf } of claims) {
    if (orphanOf === undefined || orphanOf.snapshot.live !== undefined) continue;
    const { version: ifMatch, envelope } = orphanOf.snapshot;
    if (ifMatch === undefined || envelope === undefined) continue;
    const key = context.keys.record(orphanOf.id);
    const { expiresAt } = envelope;
    const { value } = tombstone(context, key, envelope, writeId, { expiresAt });
    ended.set(keyName(key), { purpose: 'unique', type: 'put', key, value, expiresAt, ifMatch });
  }
  return [...ended.values()];
}

/** What a write set leaves under the record's own key. */
export function writtenBy({ record, envelope }: WriteSet): Written {
  return { envelope, bytes: record.type === 'put' ? record.value.length : 0 };
}

/** A record that cannot be read can still be deleted; what its fields derived is then found stale by whoever reads it. */
function tolerantDerivedKeys(context: RepositoryContext, { live }: Snapshot): DerivedKeys {
  try {
    return derivedKeys(context, live);
  } catch {
    return derivedKeys(context, undefined);
  }
}
