import { compareKeys, keyName } from '../../core/keys/index.ts';
import type { FieldGroup, IdPart } from '../../core/model/model.ts';
import type { Key, Stored } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { type LiveRecord, readSnapshot, type Snapshot } from '../snapshot.ts';
import { MutateOperation } from '../verbs/mutate.ts';
import { claimOwner, claimValue } from '../write/claims.ts';
import { derivedKeys } from '../write/derived-keys.ts';
import { type Examination, type Look, type Suspect, send } from './examination.ts';

/** A key that should be there, and what tells at a glance that it is right. */
export interface DerivedSuspect extends Suspect {
  readonly key: Key;
  readonly isRight: (stored: Stored | undefined) => boolean;
}

/** The claims and entries of a record. */
export function suspectsOfGroups(
  examination: Examination,
  id: readonly IdPart[],
  record: LiveRecord,
): DerivedSuspect[] {
  const { context } = examination;
  const { model, keys } = context;
  const { values } = record.decode();
  const { derived } = record.envelope;
  const claims = model.uniques.flatMap((group): DerivedSuspect[] => {
    const key = keys.unique(group, values);
    const isMine = (stored: Stored | undefined): boolean => stored !== undefined && isOf(stored, id);
    const isRight = (stored: Stored | undefined): boolean => keys.holds(group, derived) && isMine(stored);
    return key === undefined
      ? []
      : [{ id, fields: group.fields, key, isRight, look: claimLook(examination, id, group) }];
  });
  const entries = model.indexes.flatMap((group): DerivedSuspect[] => {
    const key = keys.indexEntry(group, values);
    const isRight = (stored: Stored | undefined): boolean => keys.holds(group, derived) && stored !== undefined;
    return key === undefined
      ? []
      : [{ id, fields: group.fields, key, isRight, look: entryLook(examination, id, group) }];
  });
  return [...claims, ...entries];
}

/** Whether a claim names this record. One that names nobody is nobody's. */
function isOf({ value }: Pick<Stored, 'value'>, id: readonly IdPart[]): boolean {
  return compareKeys(value, claimValue(id)) === 0;
}

function claimLook(examination: Examination, id: readonly IdPart[], group: FieldGroup): Look {
  const { context, signal } = examination;
  const { client, keys } = context;
  return async () => {
    const seen = await readSnapshot(context, id, keys.record(id), { signal });
    const key = seen.live && keys.unique(group, seen.live.decode().values);
    if (seen.live === undefined || key === undefined) return 'healthy';
    if (!keys.holds(group, seen.live.envelope.derived)) return outdated(examination, id, 'unique.missing');
    const claim = await client.get(key, { signal });
    if (claim !== undefined && isOf(claim, id)) return 'healthy';
    const isTaken = claim !== undefined && (await isHeld(examination, key, claim));
    if (!(await isUnmoved(examination, id, seen))) return 'moving';
    if (isTaken) return { kind: 'unique.conflict' };
    const precondition = claim === undefined ? { ifAbsent: true } : { ifMatch: claim.version };
    const { expiresAt } = seen.live.envelope;
    const put = { type: 'put', key, value: claimValue(id), expiresAt, ...precondition } as const;
    return { kind: 'unique.missing', mend: () => send(examination, id, seen, [put]) };
  };
}

/** Whose claim it is; an id that no record has where the claim names nobody. */
export function ownerOfClaim(value: Uint8Array): IdPart[] {
  try {
    return claimOwner(value);
  } catch {
    return [];
  }
}

/** Whether the record that a claim names holds the value; one that cannot be read may. */
async function isHeld({ context, signal }: Examination, key: Key, { value }: Pick<Stored, 'value'>): Promise<boolean> {
  const owner = ownerOfClaim(value);
  const { live } = await readSnapshot(context, owner, context.keys.record(owner), { signal });
  return holdsKey(context, live, 'claims', key);
}

/** Whether a record derives this key. One that cannot be read may. */
export function holdsKey(
  context: RepositoryContext,
  live: LiveRecord | undefined,
  kind: 'claims' | 'entries',
  key: Key,
): boolean {
  if (live === undefined) return false;
  try {
    return derivedKeys(context, live)[kind].has(keyName(key));
  } catch {
    return true;
  }
}

function entryLook(examination: Examination, id: readonly IdPart[], group: FieldGroup): Look {
  const { context, signal } = examination;
  const { client, keys } = context;
  return async () => {
    const seen = await readSnapshot(context, id, keys.record(id), { signal });
    const key = seen.live && keys.indexEntry(group, seen.live.decode().values);
    if (seen.live === undefined || key === undefined) return 'healthy';
    if (!keys.holds(group, seen.live.envelope.derived)) return outdated(examination, id, 'index.missing');
    if ((await client.get(key, { signal })) !== undefined) return 'healthy';
    if (!(await isUnmoved(examination, id, seen))) return 'moving';
    const { expiresAt } = seen.live.envelope;
    const put = { type: 'put', key, value: new Uint8Array(0), expiresAt } as const;
    return { kind: 'index.missing', mend: () => send(examination, id, seen, [put]) };
  };
}

/** A record from before the constraint or index was declared: the next write brings it in. */
function outdated({ context, signal }: Examination, id: readonly IdPart[], kind: 'unique.missing' | 'index.missing') {
  const operation = new MutateOperation(context, id, () => undefined, { ttl: 'keep' });
  const key = context.keys.record(id);
  return { kind, mend: () => context.queues.run(context, id, key, operation, { signal }) };
}

async function isUnmoved({ context, signal }: Examination, id: readonly IdPart[], seen: Snapshot): Promise<boolean> {
  const now = await readSnapshot(context, id, context.keys.record(id), { signal });
  return now.version === seen.version;
}
