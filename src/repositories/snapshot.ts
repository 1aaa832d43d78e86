import type { Envelope, OpenedRecord, UnknownFields } from '../core/codec/index.ts';
import { NorimakiError } from '../core/errors.ts';
import type { EntityModel, IdPart } from '../core/model/model.ts';
import type { Consistency, Key, Stored } from '../core/store.ts';
import type { Version } from '../core/version.ts';
import type { RepositoryContext } from './context.ts';
import type { Values } from './entity.ts';
import type { GivenVectors } from './vectors/given.ts';

/** A record that exists: as read, or as a batch of writes has made it so far. */
export class LiveRecord {
  readonly envelope: Envelope;
  readonly body: string;
  /** `undefined` until the batch that made it is committed. */
  readonly version: Version | undefined;
  /** Vectors that the write which made it was given. */
  readonly given: GivenVectors | undefined;
  readonly #model: EntityModel;
  readonly #describe: () => string;
  #opened: OpenedRecord | undefined;
  #failure: NorimakiError<'record.corrupt'> | undefined;
  #isWhole: boolean;

  /** What stands under a record's key but is no record: it exists, and every attempt to read it fails. */
  static corrupt(model: EntityModel, failure: NorimakiError<'record.corrupt'>, version: Version): LiveRecord {
    const envelope: Envelope = { schema: model.schema, born: '', seq: 0, ops: '' };
    const record = new LiveRecord(model, () => model.name, { envelope, body: '' }, version);
    record.#failure = failure;
    return record;
  }

  constructor(
    model: EntityModel,
    describe: () => string,
    record: Pick<OpenedRecord, 'envelope' | 'body'> | OpenedRecord,
    version?: Version,
    given?: GivenVectors,
    isWhole = false,
  ) {
    this.envelope = record.envelope;
    this.body = record.body;
    this.version = version;
    this.given = given;
    this.#model = model;
    this.#describe = describe;
    this.#opened = 'json' in record ? record : undefined;
    this.#isWhole = isWhole;
  }

  /** Its fields were decoded once, and are those of the model and no others: who replaces them all need not look again. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The same fields under another envelope, not committed. */
  with(envelope: Envelope): LiveRecord {
    return new LiveRecord(this.#model, this.#describe, { envelope, body: this.body }, undefined, this.given);
  }

  /** The fields, made afresh at each call. Errors: `record.corrupt`. */
  decode(): { values: Values; unknown: UnknownFields | undefined } {
    if (this.#failure !== undefined) throw this.#failure;
    // What was parsed once is handed out once: its parts are the caller's to change.
    const opened = this.#opened ?? this.#parse();
    this.#opened = undefined;
    const decoded = this.#model.codec.decode(opened, this.#describe);
    this.#isWhole = decoded.unknown === undefined;
    return decoded;
  }

  #parse(): OpenedRecord {
    const { envelope, body } = this;
    const { json, meta } = this.#model.codec.parseBody(body);
    return { envelope, json, meta, body };
  }
}

/** What one strong read found under a record's key. */
export interface Snapshot {
  /** The version of whatever is there, expired or not; `undefined` when the key does not exist. */
  readonly version: Version | undefined;
  /** Of whatever is there, expired or not. */
  readonly envelope?: Envelope | undefined;
  /** Of the value that is there, as stored; 0 where there is none. */
  readonly bytes: number;
  readonly live: LiveRecord | undefined;
}

/** A class because it lives as long as the write that starts from it: see `listOf`. */
export class Found implements Snapshot {
  readonly version: Version;
  readonly envelope: Envelope | undefined;
  readonly bytes: number;
  readonly live: LiveRecord | undefined;

  constructor(version: Version, envelope: Envelope | undefined, bytes: number, live: LiveRecord | undefined) {
    this.version = version;
    this.envelope = envelope;
    this.bytes = bytes;
    this.live = live;
  }
}

export const ABSENT: Snapshot = { version: undefined, bytes: 0, live: undefined };

/** The name of a record in messages: `Product "NORI-1"`. */
export function describeRecord(model: EntityModel, id: readonly IdPart[]): string {
  const parts = id.map((part) => (part instanceof Uint8Array ? 'bytes' : JSON.stringify(part, bigintAsText)));
  return `${model.name} ${parts.join(', ')}`;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** Whether the record does not exist, whatever the store still holds: it has expired, or only marks an absence. */
export function isGone(context: RepositoryContext, envelope: Envelope): boolean {
  return envelope.tombstone === true || isExpired(context, envelope);
}

export function isExpired({ environment }: RepositoryContext, { expiresAt }: Envelope): boolean {
  return expiresAt !== undefined && expiresAt <= environment.clock.now();
}

/** Takes the stored bytes apart. Errors: `record.corrupt`. */
export function openStored(context: RepositoryContext, id: readonly IdPart[], { value }: Stored): OpenedRecord {
  const { model, place, policy } = context;
  const describe = (): string => describeRecord(model, id);
  const opened = model.codec.open(policy?.sealer === undefined ? value : unsealed(context, id, value), describe);
  const { tenant, generation = 0 } = opened.envelope;
  if (tenant !== place.tenant || generation !== place.generation) {
    throw new NorimakiError(
      'record.corrupt',
      `${describe()} was written for another tenant; it does not belong under this key.`,
      { entity: model.name, issues: [{ path: ['tenant'], message: 'is of another tenant' }] },
    );
  }
  return opened;
}

/** Errors: `record.corrupt` for bytes that were not sealed for this record. */
function unsealed({ model, keys, policy }: RepositoryContext, id: readonly IdPart[], value: Uint8Array): Uint8Array {
  const plain = policy?.sealer?.open(keys.record(id), value);
  if (plain !== undefined) return plain;
  throw new NorimakiError(
    'record.corrupt',
    `${describeRecord(model, id)} does not open: it was changed, or encrypted for another record or with a key that this program does not have.`,
    { entity: model.name, issues: [{ path: [], message: 'does not open' }] },
  );
}

/** What a write works from. Bytes that are no record count as one that cannot be read, so that nothing overwrites them. */
export function snapshotOf(context: RepositoryContext, id: readonly IdPart[], stored: Stored | undefined): Snapshot {
  if (stored === undefined) return ABSENT;
  const { version, value } = stored;
  try {
    const opened = openStored(context, id, stored);
    const { envelope } = opened;
    if (isGone(context, envelope)) return new Found(version, envelope, value.length, undefined);
    const live = new LiveRecord(context.model, () => describeRecord(context.model, id), opened, version);
    return new Found(version, envelope, value.length, live);
  } catch (error) {
    if (!NorimakiError.is(error, 'record.corrupt')) throw error;
    return new Found(version, undefined, value.length, LiveRecord.corrupt(context.model, error, version));
  }
}

export function readSnapshot(
  context: RepositoryContext,
  id: readonly IdPart[],
  key: Key,
  options: { consistency?: Consistency | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Snapshot> {
  return context.client.get(key, options).then((stored) => snapshotOf(context, id, stored));
}
