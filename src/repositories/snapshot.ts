import { type Envelope, type OpenedRecord, openRecord, type UnknownFields } from '../core/codec/index.ts';
import { NorimakiError } from '../core/errors.ts';
import type { EntityModel, IdPart } from '../core/model/model.ts';
import type { Consistency, Key, Stored } from '../core/store.ts';
import type { Version } from '../core/version.ts';
import type { RepositoryContext } from './context.ts';
import type { Values } from './entity.ts';

/** A record that exists: as read, or as a batch of writes has made it so far. */
export class LiveRecord {
  readonly envelope: Envelope;
  readonly body: string;
  /** `undefined` until the batch that made it is committed. */
  readonly version: Version | undefined;
  readonly #model: EntityModel;
  readonly #describe: () => string;
  #opened: OpenedRecord | undefined;
  #failure: NorimakiError<'record.corrupt'> | undefined;

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
  ) {
    this.envelope = record.envelope;
    this.body = record.body;
    this.version = version;
    this.#model = model;
    this.#describe = describe;
    this.#opened = 'json' in record ? record : undefined;
  }

  /** The fields, made afresh at each call. Errors: `record.corrupt`. */
  decode(): { values: Values; unknown: UnknownFields | undefined } {
    if (this.#failure !== undefined) throw this.#failure;
    // What was parsed once is handed out once: its parts are the caller's to change.
    const opened = this.#opened ?? { ...this, ...(JSON.parse(`${this.body}}`) as Pick<OpenedRecord, 'json' | 'meta'>) };
    this.#opened = undefined;
    return this.#model.codec.decode(opened, this.#describe);
  }
}

/** What one strong read found under a record's key. */
export interface Snapshot {
  /** The version of whatever is there, expired or not; `undefined` when the key does not exist. */
  readonly version: Version | undefined;
  /** Of whatever is there, expired or not. */
  readonly envelope?: Envelope | undefined;
  readonly live: LiveRecord | undefined;
}

export const ABSENT: Snapshot = { version: undefined, live: undefined };

/** The name of a record in messages: `Product "NORI-1"`. */
export function describeRecord(model: EntityModel, id: readonly IdPart[]): string {
  const parts = id.map((part) => (part instanceof Uint8Array ? 'bytes' : JSON.stringify(part, bigintAsText)));
  return `${model.name} ${parts.join(', ')}`;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** Takes the stored bytes apart. Expired records and tombstones are absent, whatever the store still holds. */
export function snapshotOf(context: RepositoryContext, id: readonly IdPart[], stored: Stored | undefined): Snapshot {
  if (stored === undefined) return ABSENT;
  const describe = (): string => describeRecord(context.model, id);
  const { version } = stored;
  let opened: OpenedRecord;
  try {
    opened = openRecord(stored.value, describe, context.model.name);
    checkTenant(context, opened.envelope, describe);
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt'))
      return { version, live: LiveRecord.corrupt(context.model, error, version) };
    throw error;
  }
  const { envelope } = opened;
  const { expiresAt, tombstone } = envelope;
  if (tombstone || (expiresAt !== undefined && expiresAt <= context.environment.clock.now())) {
    return { version, envelope, live: undefined };
  }
  return { version, envelope, live: new LiveRecord(context.model, describe, opened, version) };
}

function checkTenant({ tenant, model }: RepositoryContext, envelope: Envelope, describe: () => string): void {
  if (envelope.tenant === tenant) return;
  throw new NorimakiError(
    'record.corrupt',
    `${describe()} was written for another tenant; it does not belong under this key.`,
    { entity: model.name, issues: [{ path: ['tenant'], message: 'is of another tenant' }] },
  );
}

export async function readSnapshot(
  context: RepositoryContext,
  id: readonly IdPart[],
  key: Key,
  options: { consistency?: Consistency | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Snapshot> {
  return snapshotOf(context, id, await context.client.get(key, options));
}
