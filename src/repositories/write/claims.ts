import { NorimakiError } from '../../core/errors.ts';
import { compareKeys, decodeTuple, encodeTuple, keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Precondition } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { readSnapshot, type Snapshot } from '../snapshot.ts';
import { type Claim, derivedKeys } from './derived-keys.ts';
import type { RecordState } from './operation.ts';

/** A claim that a write must take, and what must still hold of it then. */
export interface NeededClaim extends Claim {
  readonly precondition: Precondition;
  /** Whose claim it was, if it is to be taken over: a record that does not hold the value any more. */
  readonly orphanOf?: { readonly id: readonly IdPart[]; readonly snapshot: Snapshot } | undefined;
}

/** The value of a claim: the id that holds it. */
export function claimValue(id: readonly IdPart[]): Uint8Array {
  return encodeTuple(id);
}

export function claimOwner(value: Uint8Array): IdPart[] {
  // Written by claimValue from an id.
  return decodeTuple(value) as IdPart[];
}

/**
 * Looks up every claim that a write adds. A claim alone proves nothing: only the record that it names does.
 * Errors: `already.exists` when another live record holds the value.
 */
export async function neededClaims(
  context: RepositoryContext,
  id: readonly IdPart[],
  before: RecordState,
  after: RecordState,
): Promise<Map<string, NeededClaim>> {
  const needed = new Map<string, NeededClaim>();
  if (after === undefined) return needed;
  const held = derivedKeys(context, before).claims;
  for (const [name, claim] of derivedKeys(context, after).claims) {
    if (!held.has(name)) needed.set(name, await lookUp(context, id, claim));
  }
  return needed;
}

async function lookUp(context: RepositoryContext, id: readonly IdPart[], claim: Claim): Promise<NeededClaim> {
  const { model, keys, client } = context;
  const stored = await client.get(claim.key);
  if (stored === undefined) return { ...claim, precondition: { ifAbsent: true } };
  const precondition = { ifMatch: stored.version };
  const owner = claimOwner(stored.value);
  const ownerKey = keys.record(owner);
  if (compareKeys(ownerKey, keys.record(id)) === 0) return { ...claim, precondition };
  const snapshot = await readSnapshot(context, owner, ownerKey);
  if (snapshot.live !== undefined && derivedKeys(context, snapshot.live).claims.has(keyName(claim.key))) {
    const fields = claim.group.fields;
    throw new NorimakiError(
      'already.exists',
      `Another ${model.name} has this ${fields.join(' + ')}; it must be unique.`,
      { entity: model.name, fields },
    );
  }
  return { ...claim, precondition, orphanOf: { id: owner, snapshot } };
}
