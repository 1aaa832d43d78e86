import { createHash } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import { type Envelope, OPERATION_ID_LENGTH, sealRecord, type UnknownFields } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import { randomId } from '../../core/random-id.ts';
import type { Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { Values } from '../entity.ts';
import { describeRecord, LiveRecord } from '../snapshot.ts';
import type { GivenVectors } from '../vectors/given.ts';
import type { RecordState } from './operation.ts';

/** Appends operation ids to the ring, the oldest falling off. */
function remember(envelope: Envelope, ids: readonly string[], ring: number): Envelope {
  const limit = ring * OPERATION_ID_LENGTH;
  if (ids.length === 0 && envelope.ops.length <= limit) return envelope;
  const ops = (envelope.ops + ids.join('')).slice(-limit);
  return { ...envelope, seq: envelope.seq + ids.length, ops };
}

/** Whether the record remembers this operation. */
export function remembers({ born, ops }: Envelope, id: string): boolean {
  if (born === id) return true;
  for (let at = 0; at < ops.length; at += OPERATION_ID_LENGTH) if (ops.startsWith(id, at)) return true;
  return false;
}

/** Whether a call with an idempotency key was applied before, so that there is nothing left to do. */
export function isReplay(state: RecordState, operationId: string | undefined): boolean {
  return state !== undefined && operationId !== undefined && remembers(state.envelope, operationId);
}

/**
 * Whether operation number `seq` of this incarnation would still be in the ring, had it been applied.
 * Source: patterns F7; one remembered id is not enough when another writer commits before we look.
 */
export function covers({ seq, ops }: Envelope, operation: number): boolean {
  return seq - ops.length / OPERATION_ID_LENGTH < operation;
}

export function randomOperationId(random: Random): string {
  return randomId(random, 12);
}

/** The operation id of a caller's idempotency key, if it gave one: the same in every process, another one for every verb. */
export function operationIdOf(verb: string, idempotencyKey: string | undefined): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const digest = createHash('sha256')
    .update(JSON.stringify([verb, idempotencyKey]))
    .digest('base64url');
  return digest.slice(0, OPERATION_ID_LENGTH);
}

/** What an update changes about a record beside its fields. */
export interface Change {
  readonly values: Values;
  readonly unknown?: UnknownFields | undefined;
  /** Vectors in fields of the entity. */
  readonly given?: GivenVectors | undefined;
  readonly expiresAt: number | undefined;
  readonly fence?: bigint | undefined;
  /** The caller's operation id, if it gave an idempotency key. */
  readonly operationId?: string | undefined;
}

function encode(
  context: RepositoryContext,
  id: readonly IdPart[],
  envelope: Envelope,
  { values, unknown }: Change,
  given: GivenVectors | undefined,
): LiveRecord {
  const { model, client, policy } = context;
  const body = model.codec.encodeBody(values, unknown);
  const describe = (): string => describeRecord(model, id);
  const record = new LiveRecord(model, describe, { envelope, body }, undefined, given);
  const limit = client.store.capabilities.limits.value - (policy?.sealer?.overhead ?? 0);
  // UTF-8 takes at most three bytes for each UTF-16 unit: most records need no exact count.
  if (body.length * 3 + 2048 > limit) {
    const bytes = sealRecord(body, remember(envelope, ['x'.repeat(OPERATION_ID_LENGTH)], model.ring)).length;
    if (bytes > limit) {
      const message = `${describe()} would take ${bytes} bytes; the store's limit is ${limit}. Split it, or keep large data elsewhere.`;
      throw new NorimakiError('size.exceeded', message, { what: 'record', bytes, limit });
    }
  }
  return record;
}

/** What an envelope says of whose record it is. */
function ownerOf({ place }: RepositoryContext): Pick<Envelope, 'tenant' | 'generation'> {
  const { tenant, generation } = place;
  return { tenant, generation: generation === 0 ? undefined : generation };
}

/** A record that did not exist. */
export function firstRecord(context: RepositoryContext, id: readonly IdPart[], change: Change): LiveRecord {
  const born = change.operationId ?? randomOperationId(context.environment.random);
  const { model } = context;
  const { derived } = context.keys;
  const { expiresAt, fence } = change;
  const envelope: Envelope = {
    schema: model.schema,
    born,
    seq: 0,
    ops: '',
    derived,
    expiresAt,
    ...ownerOf(context),
    fence,
  };
  return encode(context, id, envelope, change, change.given);
}

/** The record after an update; `before` itself if nothing about it changed: its fields, its deadline, its
 * fence, the constraints that hold it. */
export function nextRecord(
  context: RepositoryContext,
  id: readonly IdPart[],
  before: LiveRecord,
  change: Change,
): LiveRecord {
  const { model } = context;
  const { expiresAt, operationId } = change;
  const fence = change.fence ?? before.envelope.fence;
  const ids = operationId === undefined ? [] : [operationId];
  const { derived } = context.keys;
  const was = before.envelope;
  const isKept = derived === was.derived && expiresAt === was.expiresAt && fence === was.fence;
  // Mostly it is kept, and copying it takes longer than to look.
  const next =
    isKept && was.schema === model.schema ? was : { ...was, schema: model.schema, derived, expiresAt, fence };
  const envelope = remember(next, ids, model.ring);
  const given = before.given === undefined ? change.given : new Map([...before.given, ...(change.given ?? [])]);
  const after = encode(context, id, envelope, change, given);
  const isUnchanged = isKept && change.given === undefined && after.body === before.body;
  return isUnchanged ? before : after;
}

/** A record as it is stored, and its envelope, once it remembers this operation. */
export interface Sealed {
  readonly value: Uint8Array;
  readonly envelope: Envelope;
}

/** The bytes that stand under a key, encrypted where the handle says so. Errors: `size.exceeded`. */
export function closed({ policy }: RepositoryContext, key: Key, body: string, envelope: Envelope): Sealed {
  const plain = sealRecord(body, envelope);
  return { value: policy?.sealer === undefined ? plain : policy.sealer.seal(key, plain), envelope };
}

export function sealed(context: RepositoryContext, key: Key, record: LiveRecord, operationId: string): Sealed {
  return closed(context, key, record.body, remember(record.envelope, [operationId], context.model.ring));
}

/** Longer than any writer may take between reading that a record is absent and writing it. */
const TOMBSTONE_LIFE_MS = 3_600_000;

/** What a tombstone says beside the absence. */
interface TombstoneOptions {
  /** Entries of vectors that are about to be inserted. */
  readonly vectors?: string | undefined;
  /** Until when it stands, in milliseconds; else as long as any writer may need it. */
  readonly expiresAt?: number | undefined;
}

/**
 * What stands where no record is, so that absence has a version: without it a writer that saw no record could not tell
 * that one was made and deleted since. `before` is what it replaces, if there was anything.
 */
export function tombstone(
  context: RepositoryContext,
  key: Key,
  before: Envelope | undefined,
  operationId: string,
  { vectors, expiresAt = context.environment.clock.now() + TOMBSTONE_LIFE_MS }: TombstoneOptions = {},
): Sealed {
  const { model } = context;
  const start: Envelope = before ?? { schema: model.schema, born: operationId, seq: 0, ops: '', ...ownerOf(context) };
  const envelope = remember({ ...start, vectors, expiresAt, tombstone: true }, [operationId], model.ring);
  return closed(context, key, '{"json":null', envelope);
}

/** The fields of a record that is to be changed. Errors: `record.newer`, `record.corrupt`. */
export function decodeToChange(
  { model }: RepositoryContext,
  id: readonly IdPart[],
  record: LiveRecord,
): ReturnType<LiveRecord['decode']> {
  const found = record.envelope.schema;
  if (found <= model.schema) return record.decode();
  throw new NorimakiError(
    'record.newer',
    `${describeRecord(model, id)} was written with schema ${found}; this program knows ${model.schema} and does not rewrite it. Update the program.`,
    { entity: model.name, found, known: model.schema },
  );
}
