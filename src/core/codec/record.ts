/**
 * What rides beside an entity's fields in its record. A record is the JSON
 * `{"json": …, "meta": …, "env": …}`: `superjson.parse` reads the fields and ignores `env`.
 */
export interface Envelope {
  /** The schema version of the program that wrote the record. */
  readonly schema: number;
  /** The operation id of the create: tells one incarnation of a key from the next. */
  readonly born: string;
  /** How many operation ids this incarnation has ever recorded. */
  readonly seq: number;
  /** The newest operation ids, each {@link OPERATION_ID_LENGTH} characters, oldest first, joined without a separator. */
  readonly ops: string;
  /**
   * Which unique constraints and indexes hold this record: their ids, each {@link DERIVED_ID_LENGTH} characters, joined.
   * A record from before a constraint was declared is not in it, and must not give up a claim that it never had.
   */
  readonly derived?: string | undefined;
  /** Which vectors belong to the record: entries of {@link VECTOR_ENTRY_LENGTH} characters, joined. */
  readonly vectors?: string | undefined;
  /** Instant in milliseconds since 1970 from which the record does not exist. */
  readonly expiresAt?: number | undefined;
  readonly tenant?: string | undefined;
  /** Of the tenant: `undefined` is 0, what `forTenant` works in. */
  readonly generation?: number | undefined;
  /** The highest fencing token that the record has seen. */
  readonly fence?: bigint | undefined;
  /** A placeholder that only fences: it has no fields and reads as absent. */
  readonly tombstone?: true | undefined;
}

/** 96 bits as base64url. */
export const OPERATION_ID_LENGTH = 16;

/** 48 bits as base64url. */
export const DERIVED_ID_LENGTH = 8;

/** A state, the id of a vector space (8), a generation (22), the hash of the source (16) and of a given vector (16). */
export const VECTOR_ENTRY_LENGTH = 63;

/** Fields of a stored record that this program's model does not know; kept as they are by an update. */
export interface UnknownFields {
  readonly json: Readonly<Record<string, unknown>>;
  /** superjson's annotations of those fields, by its paths, each of which begins with the name of a field. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A record taken apart but not yet decoded. */
export interface OpenedRecord {
  readonly envelope: Envelope;
  readonly json: unknown;
  readonly meta: unknown;
  /** The text before the envelope, exactly as stored: what {@link RecordCodec.encodeBody} made. */
  readonly body: string;
}

export interface DecodedFields {
  readonly values: Record<string, unknown>;
  readonly unknown: UnknownFields | undefined;
}

/** Turns the fields of one entity into text and back. Compiled once per model. */
export interface RecordCodec {
  /** As `openRecord`, but faster for a record with exactly the fields of this model. Errors: `record.corrupt`. */
  open(bytes: Uint8Array, describe: () => string): OpenedRecord;
  /** The fields in a body that {@link RecordCodec.open} or {@link RecordCodec.encodeBody} gave. */
  parseBody(body: string): Pick<OpenedRecord, 'json' | 'meta'>;
  /**
   * Validates the values and writes them as the body of a record. Equal values give equal text.
   * Errors: `validation.failed`.
   */
  encodeBody(values: Readonly<Record<string, unknown>>, unknown?: UnknownFields): string;
  /**
   * Revives and validates the fields, upcasting an older shape first.
   * `describe` names the record in the error. Errors: `record.corrupt`.
   */
  decode(record: OpenedRecord, describe: () => string): DecodedFields;
}
