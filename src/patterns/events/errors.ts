import { NorimakiError } from '../../core/errors.ts';
import { describeStream, type StreamId } from './stream-id.ts';

/** What an append expects of its stream: a version, that there is none, that there is one, or nothing. */
export type Expected = bigint | 'new' | 'exists' | 'any';

/** The codes of an event store, and what they carry in `details`. */
export interface EventStoreErrorDetails {
  /** `actual`: the version of the stream; 0n if there is none. */
  'events.versionConflict': { stream: StreamId; expected: Expected; actual: bigint };
  'events.idempotencyMismatch': { stream: StreamId };
  'events.streamClosed': { stream: StreamId };
  'events.unknownType': { stream: StreamId; type: string };
  'events.commitTooLarge': { stream: StreamId; events: number };
  'events.subjectForgotten': { store: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends EventStoreErrorDetails {}
}

export function versionConflict(
  stream: StreamId,
  expected: Expected,
  actual: bigint,
): NorimakiError<'events.versionConflict'> {
  const wanted = typeof expected === 'bigint' ? `at version ${expected}` : expected === 'new' ? 'new' : 'there';
  return new NorimakiError(
    'events.versionConflict',
    `${describeStream(stream)} is at version ${actual}, and was expected to be ${wanted}. Nothing was appended; read it and decide again.`,
    { stream: named(stream), expected, actual },
  );
}

export function idempotencyMismatch(stream: StreamId): NorimakiError<'events.idempotencyMismatch'> {
  return new NorimakiError(
    'events.idempotencyMismatch',
    `Other events were appended to ${describeStream(stream)} under this idempotency key. Nothing was appended; use a key for one commit only.`,
    { stream: named(stream) },
  );
}

export function streamClosed(stream: StreamId): NorimakiError<'events.streamClosed'> {
  return new NorimakiError(
    'events.streamClosed',
    `${describeStream(stream)} is closed and takes no events. Nothing was appended; begin another stream.`,
    { stream: named(stream) },
  );
}

export function unknownType(stream: StreamId, type: string): NorimakiError<'events.unknownType'> {
  return new NorimakiError(
    'events.unknownType',
    `An event of ${describeStream(stream)} is of the type ${JSON.stringify(type)}, which its aggregate does not have. Add it to the events, or an upcast that turns it into another.`,
    { stream: named(stream), type },
  );
}

export function commitTooLarge(
  stream: StreamId,
  events: number,
  cause: unknown,
): NorimakiError<'events.commitTooLarge'> {
  return new NorimakiError(
    'events.commitTooLarge',
    `The ${events} events for ${describeStream(stream)} are larger than a record of the store can be. Nothing was appended; append them in parts, or keep large data elsewhere.`,
    { stream: named(stream), events },
    { cause },
  );
}

export function subjectForgotten(store: string): NorimakiError<'events.subjectForgotten'> {
  return new NorimakiError(
    'events.subjectForgotten',
    `An event of '${store}' has personal fields of a subject that was forgotten. Nothing was appended; a subject that comes back needs another name.`,
    { store },
  );
}

/** Without what else the stream of an aggregate carries. */
function named({ category, id }: StreamId): StreamId {
  return { category, id };
}
