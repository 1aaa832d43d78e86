import type { Envelope } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { isExpired, type Snapshot } from '../snapshot.ts';
import type { WriteOutcome } from '../store-client.ts';
import { countVectors } from '../vectors/entry.ts';
import { type Hold, NO_USAGE, type Settlement, type Usage } from './meter.ts';

/**
 * What a stored record counts as: it follows from its bytes alone, so that a count of what is stored and the sum of all
 * deltas come to the same. A placeholder is no record, but it names the vectors that are about to be inserted.
 */
export function usageOf({ vectors, tombstone }: Envelope, bytes: number): Usage {
  const named = vectors === undefined ? 0 : countVectors(vectors);
  return tombstone === true ? { records: 0, bytes: 0, vectors: named } : { records: 1, bytes, vectors: named };
}

/** What a write leaves under a record's key: `envelope` is undefined if that is nothing. */
export interface Written {
  readonly envelope: Envelope | undefined;
  readonly bytes: number;
}

/**
 * Takes what a write adds, before it is sent. `undefined` where nothing is counted, or nothing changes.
 *
 * What is past its deadline may have been taken off the count already, and what cannot be read may never have been on it:
 * neither is credited.
 */
export function hold(
  context: RepositoryContext,
  base: Snapshot,
  { envelope, bytes }: Written,
  signal: AbortSignal | undefined,
): Hold | undefined | Promise<Hold> {
  const meter = context.policy?.meter;
  if (meter === undefined) return undefined;
  const isCounted = base.envelope !== undefined && !isExpired(context, base.envelope);
  const was = isCounted ? usageOf(base.envelope, base.bytes) : NO_USAGE;
  const will = envelope === undefined ? NO_USAGE : usageOf(envelope, bytes);
  const delta = {
    records: will.records - was.records,
    bytes: will.bytes - was.bytes,
    vectors: will.vectors - was.vectors,
  };
  if (delta.records === 0 && delta.bytes === 0 && delta.vectors === 0) return undefined;
  try {
    const taken = meter.take(delta, { signal });
    return taken instanceof Promise ? taken.catch(notTaken) : taken;
  } catch (error) {
    return notTaken(error);
  }
}

/** What a write adds could not be taken. By itself it proves nothing: the state that it was reckoned from may be a guess. */
export class NotTaken extends Error {
  constructor(cause: unknown) {
    super('What the write adds was not granted.', { cause });
  }
}

function notTaken(cause: unknown): never {
  throw new NotTaken(cause);
}

/** One try at a write of a record, counted. */
export async function metered(
  context: RepositoryContext,
  base: Snapshot,
  written: Written,
  write: () => Promise<WriteOutcome>,
): Promise<WriteOutcome> {
  const held = await hold(context, base, written, undefined);
  if (held === undefined) return write();
  try {
    const outcome = await write();
    held.settle(outcome.kind === 'conflict' ? 'notApplied' : outcome.kind);
    return outcome;
  } catch (error) {
    held.settle(settlementOf(error));
    throw error;
  }
}

/** What a failure says of a write that was to be sent. */
export function settlementOf(error: unknown): Settlement {
  if (error instanceof NotTaken) return 'notApplied';
  if (!(error instanceof NorimakiError) || NorimakiError.is(error, 'outcome.unknown')) return 'unknown';
  // Fired while an earlier try was in doubt, it tells of the waiting alone.
  if (NorimakiError.is(error, 'aborted') || NorimakiError.is(error, 'deadline.exceeded')) return 'unknown';
  if (NorimakiError.is(error, 'store.unavailable')) return error.details.applied === 'no' ? 'notApplied' : 'unknown';
  return 'notApplied';
}
