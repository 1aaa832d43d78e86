import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Hold, Settlement } from '../tenancy/meter.ts';
import { hold, NotTaken, settlementOf } from '../tenancy/metering.ts';
import { prepareVectors, type VectorChange, withoutVectors } from '../vectors/prepare.ts';
import { deleteUnnamed, insertReserved } from '../vectors/reserve.ts';
import { type Folded, foldAll } from './fold.ts';
import type { Member } from './member.ts';
import { randomOperationId } from './next-record.ts';
import { appliedAs, Delivery, type Lost, type Sent, send } from './send.ts';
import { firstStart, isProven, mayGuess, type Round, readStart } from './start.ts';
import { verdict } from './verdict.ts';
import { writeSet, writtenBy } from './write-set.ts';

/** A round that committed nothing, for the next one to judge by what it reads. */
export interface LostRound {
  /** It only did not know what was there: no try that lost to another writer. */
  readonly wasGuess: boolean;
  /** What was sent; `undefined` when it came no further than a guess or the reservation of its vectors. */
  readonly refused: Refused | undefined;
}

interface Refused {
  readonly folded: Folded;
  readonly delivery: Delivery;
  /** What was taken for it, until it is known what became of it. */
  readonly held: Hold | undefined;
}

const UNPROVEN: LostRound = { wasGuess: true, refused: undefined };

/**
 * One try for all members: read or guess, fold, embed, compare-and-swap, settle. Resolves to the round itself if nothing
 * was committed: another writer was first, or what was found rests on a guess that no write has proved.
 * Members learn even of their own failure only after the commit, because it may rest on a state that never came to be.
 */
export async function runRound(
  context: RepositoryContext,
  round: Round,
  lost: LostRound | undefined,
): Promise<LostRound | undefined> {
  let { members } = round;
  let folded: Folded | undefined;
  let restsOnGuess = false;
  let isRead = false;
  let unjudged = lost?.refused;
  try {
    const starting = lost === undefined ? firstStart(context, round) : readStart(context, round);
    const start = starting instanceof Promise ? await starting : starting;
    const { base, certainty } = start;
    isRead = certainty === 'read';
    if (unjudged !== undefined) {
      const refused = unjudged;
      unjudged = undefined;
      await judgeRefused(context, refused, base);
    }
    // Only now, because the round before may have succeeded after all.
    members = members.filter((member) => member.isPatient(context.model.name));
    if (members.length === 0) return undefined;
    restsOnGuess = certainty === 'guess';
    const folding = foldAll(context, round.id, members, base);
    const made = folding instanceof Promise ? await folding : folding;
    const change =
      context.vectors === undefined
        ? withoutVectors(made.after)
        : await vectorsOf(context, round, base, made, members.length > 1);
    // What comes now is a failure of the read that proves a guess, or of the write, and ends the round.
    restsOnGuess = false;
    if (certainty !== 'guess') folded = made;
    if (change.after === base.live) {
      if (certainty === 'guess' && !(await isProven(context, round, start))) return UNPROVEN;
      made.settle(base.version);
      return undefined;
    }
    for (const member of members) member.inFlight = true;
    const delivered = await deliver(context, round, made, base, change);
    if (delivered === 'applied') return undefined;
    for (const member of members) member.inFlight = false;
    // What is in use may have changed, too.
    context.vectors?.catalog.invalidate();
    const wasGuess = certainty !== 'read';
    if (!wasGuess) for (const member of members) member.attempts++;
    return { wasGuess, refused: delivered === 'unreserved' ? undefined : delivered };
  } catch (error) {
    abandon(unjudged);
    if (error instanceof OneByOne) throw error;
    // Nor is a quota exceeded by what might not be added at all.
    if (restsOnGuess || (error instanceof NotTaken && !isRead)) return UNPROVEN;
    if (error instanceof NotTaken && members.length > 1) throw new OneByOne(error.cause);
    rejectAll(members, folded, error instanceof NotTaken ? error.cause : error);
    return undefined;
  }
}

function rejectAll(members: readonly Member[], folded: Folded | undefined, error: unknown): void {
  if (folded === undefined) for (const member of members) member.reject(error);
  else folded.reject(error);
}

/** For a round that nobody goes on with: what was taken for it stays taken. */
export function abandon(refused: Refused | undefined): void {
  refused?.held?.settle('unknown');
}

/** What several operations made together cannot be embedded, or is too much: each is to be tried by itself. */
export class OneByOne extends Error {
  constructor(cause: unknown) {
    super('The members of the round must be tried one by one.', { cause });
  }
}

async function vectorsOf(
  context: RepositoryContext,
  { id, signal }: Round,
  base: Snapshot,
  { after }: Folded,
  isShared: boolean,
): Promise<VectorChange> {
  try {
    return await prepareVectors(context, id, base, after, signal);
  } catch (error) {
    throw isShared ? new OneByOne(error) : error;
  }
}

/** Of a delete that may have been applied nothing is left to tell; whoever writes a record leaves it there to be judged. */
function refusal(delivery: Delivery, now: Snapshot): Settlement {
  const isGone = delivery.set.envelope === undefined && verdict(delivery, now) === 'undecided';
  return isGone ? 'unknown' : 'notApplied';
}

/** The round before may have been applied after all. If not, its vectors are garbage. */
async function judgeRefused(
  context: RepositoryContext,
  { folded, delivery, held }: Refused,
  now: Snapshot,
): Promise<void> {
  const late = appliedAs(delivery, now);
  held?.settle(late === undefined ? refusal(delivery, now) : 'applied');
  if (late !== undefined) {
    folded.settle(late.version);
    kickOutbox(context, delivery);
  } else if (!context.client.store.capabilities.commit && now.version !== delivery.base.version) {
    const { inserts, after } = delivery.set.vectors;
    await deleteUnnamed(context, inserts, after?.envelope.vectors, now);
  }
}

/** Sends what a round made and settles its members, or resolves to what was refused. */
async function deliver(
  context: RepositoryContext,
  round: Round,
  folded: Folded,
  found: Snapshot,
  change: VectorChange,
): Promise<'applied' | 'unreserved' | Refused> {
  const { id, key, name, signal } = round;
  const { commit } = context.client.store.capabilities;
  const base = commit ? found : await insertReserved(context, id, key, found, change, signal);
  if (base === undefined) return 'unreserved';
  const writeId = randomOperationId(context.environment.random);
  const set = writeSet(context, id, key, base, change, folded.needed, writeId);
  const delivery = new Delivery(round, base, set, writeId);
  const holding = hold(context, base, writtenBy(set), signal);
  const held = holding instanceof Promise ? await holding : holding;
  const sent = await (held === undefined ? send(context, delivery) : sendHeld(context, delivery, held));
  if (sent.kind !== 'applied') return { folded, delivery, held };
  held?.settle('applied');
  // Settling decodes what was written, for its caller: what is noted then tells that, too.
  folded.settle(sent.version);
  noteState(context, name, delivery, sent);
  kickOutbox(context, delivery);
  return 'applied';
}

async function sendHeld(context: RepositoryContext, delivery: Delivery, held: Hold): Promise<Sent | Lost> {
  try {
    return await send(context, delivery);
  } catch (error) {
    held.settle(settlementOf(error));
    throw error;
  }
}

/**
 * Keeps what was written for the next write. Only under a version that the store gave for this very write: one that was
 * read later may stand for a change of others that records no operation.
 */
function noteState(context: RepositoryContext, name: string, { set }: Delivery, sent: Sent): void {
  const { states } = context.queues;
  const { after } = set.vectors;
  const isKnown = sent.isAnswer && sent.version !== undefined && set.envelope !== undefined && after !== undefined;
  if (isKnown && mayGuess(context)) states.wrote(name, sent.version, set.envelope, after, writtenBy(set).bytes);
  else states.forget(name);
}

/** What the write left to be made is made from now on. */
function kickOutbox({ outbox }: RepositoryContext, { id, set }: Delivery): void {
  if (set.vectors.isDeferred) outbox?.kick(id);
}
