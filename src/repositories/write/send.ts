import { NorimakiError } from '../../core/errors.ts';
import { listOf } from '../../core/list-of.ts';
import type { IdPart } from '../../core/model/model.ts';
import { isOutage, waitOutOutage } from '../../core/retry/index.ts';
import type { CommitOperation, Key } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord, readSnapshot, type Snapshot } from '../snapshot.ts';
import type { WriteOutcome } from '../store-client.ts';
import { deleteVectors } from '../vectors/reserve.ts';
import { lookUpReleases, releaseClaims, takeClaims } from './claim-records.ts';
import type { Round } from './start.ts';
import { type Sending, verdict } from './verdict.ts';
import type { WriteSet } from './write-set.ts';

export interface Sent {
  readonly kind: 'applied';
  /** The store answered for this very write; otherwise the record showed that it was applied. */
  readonly isAnswer: boolean;
  /** `undefined` when others have written since, so that the version of this very write is not known. */
  readonly version: Version | undefined;
}

/** Somebody else was first; nothing was applied and nothing can be any more. */
export interface Lost {
  readonly kind: 'conflict';
}

/** One write on its way. */
export class Delivery implements Sending {
  readonly id: readonly IdPart[];
  readonly key: Key;
  readonly base: Snapshot;
  readonly set: WriteSet;
  readonly writeId: string;
  readonly signal: AbortSignal | undefined;

  constructor({ id, key, signal }: Round, base: Snapshot, set: WriteSet, writeId: string) {
    this.id = id;
    this.key = key;
    this.base = base;
    this.set = set;
    this.writeId = writeId;
    this.signal = signal;
  }
}

/**
 * Sends a write set until it is known what became of it: exactly once, whatever the store answers or does not answer.
 * Errors: `outcome.unknown` where nobody can tell, `store.unavailable` and others where nothing was written.
 */
export function send(context: RepositoryContext, delivery: Delivery): Promise<Sent | Lost> {
  if (!context.client.store.capabilities.commit) return sendStepwise(context, delivery);
  const { record, claims, entries, vectors } = delivery.set;
  // Most writes are of the record alone, and most entities have no vectors: those take the short way.
  const others = claims.operations.length + entries.length + vectors.operations.length;
  const operations = others === 0 ? listOf(record) : [record, ...claims.operations, ...entries, ...vectors.operations];
  if (context.vectors === undefined) return deliver(context, delivery, operations);
  return deliver(context, delivery, operations, [...vectors.inserts, ...vectors.deletes]).catch((error: unknown) => {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    context.vectors?.catalog.forgetIndexes();
    return { kind: 'conflict' };
  });
}

async function sendStepwise(context: RepositoryContext, delivery: Delivery): Promise<Sent | Lost> {
  const { record, claims, vectors } = delivery.set;
  if (!(await takeClaims(context, delivery.id, claims.take))) return { kind: 'conflict' };
  const releases = await lookUpReleases(context, delivery.id, claims.operations);
  const sent = await deliver(context, delivery, [record]);
  if (sent.kind === 'applied') {
    await releaseClaims(context, releases);
    await deleteVectors(context, vectors.deletes);
  }
  return sent;
}

function deliver(
  context: RepositoryContext,
  delivery: Delivery,
  operations: readonly CommitOperation[],
  vectors?: readonly VectorWrite[],
): Promise<Sent | Lost> {
  const { client, environment } = context;
  const { writeId: idempotencyKey, signal } = delivery;
  const started = environment.clock.mono();
  const attempt = (): Promise<WriteOutcome> => client.write(operations, { idempotencyKey, signal, vectors });
  return attempt().then((outcome) =>
    outcome.kind === 'applied' ? outcome : pursue(context, delivery, attempt, started, outcome),
  );
}

/** What follows a first try that was not simply applied. */
async function pursue(
  context: RepositoryContext,
  delivery: Delivery,
  write: () => Promise<WriteOutcome>,
  started: number,
  first: WriteOutcome,
): Promise<Sent | Lost> {
  const { client, environment } = context;
  const { signal } = delivery;
  let outcome = first;
  // Once one try is in doubt, a later one that certainly failed says nothing about it.
  let isDoubtful = false;
  for (let attempt = 1; ; attempt++) {
    if (outcome.kind === 'applied') return outcome;
    if (outcome.kind === 'notApplied') {
      const retried =
        isOutage(outcome.error) &&
        (await waitOutOutage(outcome.error, attempt, started, environment, client.budget, { signal }));
      if (!retried) throw isDoubtful ? unknown(context, delivery, outcome.error) : outcome.error;
    } else {
      if (outcome.kind === 'conflict' && !isDoubtful) return { kind: 'conflict' };
      const now = await readAfterDoubt(context, delivery, outcome.error);
      const judged = verdict(delivery, now);
      if (judged === 'applied') return { kind: 'applied', isAnswer: false, version: versionOf(delivery, now) };
      if (judged === 'superseded') return { kind: 'conflict' };
      // A refusal of a write that such a store would have remembered: it never arrived.
      const neverArrived = outcome.kind === 'conflict' && client.store.capabilities.idempotency;
      if (judged === 'undecided' && neverArrived) return { kind: 'conflict' };
      if (!mayResend(context, judged, delivery.base)) throw unknown(context, delivery, outcome.error);
      isDoubtful = true;
      const failure = isOutage(outcome.error) ? outcome.error : LOST_REPLY;
      if (!(await waitOutOutage(failure, attempt, started, environment, client.budget, { signal }))) {
        throw unknown(context, delivery, outcome.error);
      }
    }
    try {
      outcome = await write();
    } catch (error) {
      throw isDoubtful ? unknown(context, delivery, error) : error;
    }
  }
}

const LOST_REPLY = new NorimakiError('store.unavailable', 'The reply was lost.', { applied: 'unknown' });

/**
 * A store that remembers idempotency keys settles every doubt by itself. On others only an unmoved version does, and
 * "still absent" is no version: the record may have been made and deleted in between.
 */
function mayResend(context: RepositoryContext, judged: 'pending' | 'undecided', base: Snapshot): boolean {
  if (context.client.store.capabilities.idempotency) return true;
  return judged === 'pending' && base.version !== undefined;
}

/** The version of an applied write, where it is known: nobody has written since. */
function versionOf({ set }: Delivery, now: Snapshot): Version | undefined {
  return now.envelope?.seq === set.envelope?.seq ? now.version : undefined;
}

/**
 * The write, if the record remembers it. To be asked after a conflict too: a store, or a proxy before it, may have
 * delivered the write twice and answered for the second.
 */
export function appliedAs(delivery: Delivery, now: Snapshot): Sent | undefined {
  const isApplied = verdict(delivery, now) === 'applied';
  return isApplied ? { kind: 'applied', isAnswer: false, version: versionOf(delivery, now) } : undefined;
}

async function readAfterDoubt(context: RepositoryContext, delivery: Delivery, cause: unknown): Promise<Snapshot> {
  try {
    return await readSnapshot(context, delivery.id, delivery.key);
  } catch {
    throw unknown(context, delivery, cause);
  }
}

function unknown({ model }: RepositoryContext, { id }: Delivery, cause: unknown): NorimakiError<'outcome.unknown'> {
  return new NorimakiError(
    'outcome.unknown',
    `The store did not say whether ${describeRecord(model, id)} was written, and it cannot be told from the record. Read it before you decide; with an idempotencyKey the same call can be repeated.`,
    { entity: model.name },
    { cause },
  );
}
