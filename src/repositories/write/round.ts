import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Key } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { ABSENT, readSnapshot, type Snapshot } from '../snapshot.ts';
import { type NeededClaim, neededClaims } from './claims.ts';
import type { Fold, Member } from './member.ts';
import { randomOperationId } from './next-record.ts';
import type { RecordState } from './operation.ts';
import { appliedAs, type Delivery, send } from './send.ts';
import { writeSet } from './write-set.ts';

interface Round {
  readonly id: readonly IdPart[];
  readonly key: Key;
  readonly members: readonly Member[];
  readonly signal: AbortSignal | undefined;
  /** The round before, in which another writer seemed to be first. */
  readonly lost?: LostRound | undefined;
}

/** A round that ended in a conflict, for the next one to judge by what it reads. */
export interface LostRound {
  readonly folded: Folded;
  readonly delivery: Delivery;
}

interface Folded {
  readonly folds: ReadonlyMap<Member, Fold>;
  readonly after: RecordState;
  readonly needed: ReadonlyMap<string, NeededClaim>;
}

/**
 * One try for all members: read, fold, compare-and-swap, settle. Resolves to the round itself if another writer was first.
 * Members learn even of their own failure only after the commit, because it may rest on a state that never came to be.
 */
export async function runRound(context: RepositoryContext, round: Round): Promise<LostRound | undefined> {
  const { id, key, signal, lost } = round;
  let { members } = round;
  let folded: Folded | undefined;
  try {
    const base = await firstState(context, round);
    const late = lost && appliedAs(lost.delivery, base);
    if (lost !== undefined && late !== undefined) settleAll(lost.folded, late.version);
    // Only now, because the round before may have succeeded after all.
    members = members.filter((member) => member.isPatient(context.model.name));
    if (members.length === 0) return undefined;
    folded = await fold(context, id, members, base);
    const { after, needed } = folded;
    if (after === base.live) {
      settleAll(folded, base.version);
      return undefined;
    }
    const writeId = randomOperationId(context.environment.random);
    const set = writeSet(context, id, key, base, after, needed, writeId);
    const delivery: Delivery = { id, key, base, set, writeId, signal };
    for (const member of members) member.inFlight = true;
    const sent = await send(context, delivery);
    for (const member of members) member.inFlight = false;
    if (sent.kind === 'applied') {
      settleAll(folded, sent.version);
      return undefined;
    }
    for (const member of members) member.attempts++;
    return { folded, delivery };
  } catch (error) {
    rejectAll(members, folded, error);
    return undefined;
  }
}

function firstState(context: RepositoryContext, { id, key, members, signal, lost }: Round): Promise<Snapshot> {
  const isFirst = lost === undefined;
  if (isFirst && members.every(({ operation }) => operation.expectsAbsent)) return Promise.resolve(ABSENT);
  const [only] = members;
  const consistency = isFirst && members.length === 1 ? only?.consistency : undefined;
  return readSnapshot(context, id, key, { consistency, signal });
}

async function fold(
  context: RepositoryContext,
  id: readonly IdPart[],
  members: readonly Member[],
  base: Snapshot,
): Promise<Folded> {
  const folds = new Map<Member, Fold>();
  const needed = new Map<string, NeededClaim>();
  let state: RecordState = base.live;
  for (const member of members) {
    const fold = await foldOne(context, id, member, state, needed);
    folds.set(member, fold);
    if (!('error' in fold)) state = fold.after;
  }
  return { folds, after: state, needed };
}

async function foldOne(
  context: RepositoryContext,
  id: readonly IdPart[],
  member: Member,
  before: RecordState,
  needed: Map<string, NeededClaim>,
): Promise<Fold> {
  try {
    const fold = await member.fold(before);
    if ('error' in fold || fold.after === before) return fold;
    for (const [name, claim] of await neededClaims(context, id, before, fold.after)) needed.set(name, claim);
    return fold;
  } catch (error) {
    if (NorimakiError.is(error, 'store.unavailable')) throw error;
    return { before, error };
  }
}

/** The committed version is that of the last state only: it must not vouch for a state that others in the batch moved on from. */
function settleAll({ folds, after: last }: Folded, version: Version | undefined): void {
  for (const [member, fold] of folds) {
    const known = 'after' in fold && fold.after === last ? version : undefined;
    member.settle(fold, known);
  }
}

function rejectAll(members: readonly Member[], folded: Folded | undefined, error: unknown): void {
  let isTouched = false;
  for (const member of members) {
    const fold = folded?.folds.get(member);
    const failedAlone = fold !== undefined && 'error' in fold && !isTouched;
    member.reject(failedAlone ? fold.error : error);
    if (fold !== undefined && 'after' in fold && fold.after !== fold.before) isTouched = true;
  }
}
