import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Key } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { ABSENT, readSnapshot, type Snapshot } from '../snapshot.ts';
import { prepareVectors, type VectorChange, withoutVectors } from '../vectors/prepare.ts';
import { deleteUnnamed, insertReserved } from '../vectors/reserve.ts';
import { type NeededClaim, neededClaims } from './claims.ts';
import { derivesKeys } from './derived-keys.ts';
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
  /** What it sent; `undefined` when it came no further than the reservation of its vectors. */
  readonly delivery: Delivery | undefined;
}

interface Folded {
  readonly folds: ReadonlyMap<Member, Fold>;
  readonly after: RecordState;
  readonly needed: ReadonlyMap<string, NeededClaim>;
}

/**
 * One try for all members: read, fold, embed, compare-and-swap, settle. Resolves to the round itself if another writer was first.
 * Members learn even of their own failure only after the commit, because it may rest on a state that never came to be.
 */
export async function runRound(context: RepositoryContext, round: Round): Promise<LostRound | undefined> {
  const { id, signal, lost } = round;
  let { members } = round;
  let folded: Folded | undefined;
  try {
    const base = await firstState(context, round);
    if (lost !== undefined) await judgeLost(context, lost, base);
    // Only now, because the round before may have succeeded after all.
    members = members.filter((member) => member.isPatient(context.model.name));
    if (members.length === 0) return undefined;
    folded = await fold(context, id, members, base);
    const change =
      context.vectors === undefined
        ? withoutVectors(folded.after)
        : await prepareVectors(context, id, base, folded.after, signal).catch((error: unknown) => {
            throw members.length > 1 ? new CannotEmbed(error) : error;
          });
    if (change.after === base.live) {
      settleAll(folded, base.version);
      return undefined;
    }
    for (const member of members) member.inFlight = true;
    const lostDelivery = await deliverRound(context, round, { folded, base, change });
    for (const member of members) member.inFlight = false;
    if (lostDelivery === undefined) return undefined;
    // What is in use may have changed, too.
    context.vectors?.catalog.invalidate();
    for (const member of members) member.attempts++;
    return { folded, delivery: lostDelivery.delivery };
  } catch (error) {
    if (error instanceof CannotEmbed) throw error;
    rejectAll(members, folded, error);
    return undefined;
  }
}

/** The text that several operations made together cannot be embedded: each is to be tried by itself. */
export class CannotEmbed extends Error {
  constructor(cause: unknown) {
    super('The members of the round must be tried one by one.', { cause });
  }
}

/** The round before may have been applied after all. If not, its vectors are garbage. */
async function judgeLost(context: RepositoryContext, { folded, delivery }: LostRound, now: Snapshot): Promise<void> {
  if (delivery === undefined) return;
  const late = appliedAs(delivery, now);
  if (late !== undefined) {
    settleAll(folded, late.version);
    kickOutbox(context, delivery);
  } else if (!context.client.store.capabilities.commit && now.version !== delivery.base.version) {
    const { inserts, after } = delivery.set.vectors;
    await deleteUnnamed(context, inserts, after?.envelope.vectors, now);
  }
}

interface Prepared {
  readonly folded: Folded;
  readonly base: Snapshot;
  readonly change: VectorChange;
}

/** Sends what a round made and settles its members, or resolves to what was refused. */
async function deliverRound(
  context: RepositoryContext,
  { id, key, signal }: Round,
  { folded, base: found, change }: Prepared,
): Promise<Pick<LostRound, 'delivery'> | undefined> {
  const { commit } = context.client.store.capabilities;
  const base = commit ? found : await insertReserved(context, id, key, found, change, signal);
  if (base === undefined) return { delivery: undefined };
  const writeId = randomOperationId(context.environment.random);
  const set = writeSet(context, id, key, base, change, folded.needed, writeId);
  const delivery: Delivery = { id, key, base, set, writeId, signal };
  const sent = await send(context, delivery);
  if (sent.kind !== 'applied') return { delivery };
  settleAll(folded, sent.version);
  kickOutbox(context, delivery);
  return undefined;
}

/** What the write left to be made is made from now on. */
function kickOutbox({ outbox }: RepositoryContext, { id, set }: Delivery): void {
  if (set.vectors.isDeferred) outbox?.kick(id);
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
    const folding = member.fold(state);
    let fold = folding instanceof Promise ? await folding : folding;
    // Most records have no claims, and most functions answer at once: then nothing here is waited for.
    if (derivesKeys(context)) fold = await withClaims(context, id, fold, needed);
    folds.set(member, fold);
    if (!('error' in fold)) state = fold.after;
  }
  return { folds, after: state, needed };
}

/** The fold, failed if its record may not be: notes the claims that it needs. */
async function withClaims(
  context: RepositoryContext,
  id: readonly IdPart[],
  fold: Fold,
  needed: Map<string, NeededClaim>,
): Promise<Fold> {
  const { before } = fold;
  if ('error' in fold || fold.after === before) return fold;
  try {
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
