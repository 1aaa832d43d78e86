import { isAscii, isUtf8 } from 'node:buffer';
import { NorimakiError } from '../errors.ts';
import { parseBody } from './body.ts';
import { refuse } from './failures.ts';
import { corrupt } from './issues.ts';
import { isJsonObject, parseJson } from './json.ts';
import { MAX_RECORD_BYTES } from './limits.ts';
import type { PlainReader } from './plain-fields.ts';
import {
  DERIVED_ID_LENGTH,
  type Envelope,
  OPERATION_ID_LENGTH,
  type OpenedRecord,
  VECTOR_ENTRY_LENGTH,
} from './record.ts';
import { numberOf } from './spelled.ts';

const FORMAT = 1;
const BEFORE_ENVELOPE = ',"env":';

/**
 * Where the envelope begins is found from the end. No data can shift it:
 * inside a JSON string every quote is escaped, so this text, with its bare quotes, can only be a key named `env` and
 * an object whose first key is `format`. Fields may hold such an object, but they stand before the envelope, and the
 * envelope itself holds no objects. In a text that somebody else made it may be nested or followed by more; then one of
 * the two halves is no JSON by itself, and the record is refused.
 */
const MARKER = `${BEFORE_ENVELOPE}{"format":`;

/** Puts an envelope after a body. Errors: `argument.invalid` for an envelope that could not be opened again, `size.exceeded`. */
export function sealRecord(body: string, envelope: Envelope): Uint8Array {
  const problem = envelopeProblem(envelope);
  if (problem !== undefined) {
    throw new NorimakiError('argument.invalid', `The envelope cannot be written: ${problem}.`, {
      argument: 'envelope',
    });
  }
  // From Node's pool, unlike with a TextEncoder; and no Buffer, whose slice() makes no copy.
  const { buffer, byteOffset, length } = Buffer.from(`${body}${BEFORE_ENVELOPE}${envelopeText(envelope)}}`);
  const bytes = new Uint8Array(buffer, byteOffset, length);
  if (bytes.length > MAX_RECORD_BYTES) {
    const message = `The record has ${bytes.length} bytes; the limit is ${MAX_RECORD_BYTES}.`;
    throw new NorimakiError('size.exceeded', message, { what: 'record', bytes: bytes.length, limit: MAX_RECORD_BYTES });
  }
  return bytes;
}

function envelopeText(envelope: Envelope): string {
  const { schema, born, seq, ops, derived, vectors, expiresAt, tenant, generation, fence, tombstone } = envelope;
  let text = `{"format":${FORMAT},"schema":${schema},"born":${quote(born)},"seq":${seq},"ops":${quote(ops)}`;
  if (derived !== undefined) text += `,"derived":${quote(derived)}`;
  if (vectors !== undefined) text += `,"vectors":${quote(vectors)}`;
  if (expiresAt !== undefined) text += `,"expiresAt":${expiresAt}`;
  if (tenant !== undefined) text += `,"tenant":${JSON.stringify(tenant)}`;
  if (generation !== undefined) text += `,"generation":${generation}`;
  if (fence !== undefined) text += `,"fence":"${fence}"`;
  if (tombstone) text += ',"tombstone":true';
  return `${text}}`;
}

/** Operation ids are base64url, which needs no escaping. */
function quote(id: string): string {
  return /^[\w-]*$/.test(id) ? `"${id}"` : JSON.stringify(id);
}

/**
 * Takes a stored record apart without looking at its fields. `describe` names it in the error; `readPlain` is tried
 * before `JSON.parse`. Errors: `record.corrupt`.
 */
export function openRecord(
  bytes: Uint8Array,
  describe: () => string,
  entity: string,
  readPlain?: PlainReader,
): OpenedRecord {
  try {
    if (bytes.length > MAX_RECORD_BYTES) refuse([], `it has ${bytes.length} bytes; the limit is ${MAX_RECORD_BYTES}`);
    const text = textOf(bytes);
    const { envelope, at } = readPlainEnvelope(text) ?? readEnvelope(text);
    const body = text.slice(0, at);
    const { json, meta } = parseBody(body, readPlain);
    return { envelope, json, meta, body };
  } catch (error) {
    throw corrupt(entity, describe, undefined, error);
  }
}

/** What `toString('latin1')` calls, but also of bytes that are no Buffer: making one takes as long as the text. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
};

function textOf(bytes: Uint8Array): string {
  if (isAscii(bytes)) return latin1Slice.call(bytes, 0, bytes.length);
  if (!isUtf8(bytes)) refuse([], 'it is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

interface FoundEnvelope {
  readonly envelope: Envelope;
  readonly at: number;
}

/** The envelope of nearly every record, exactly as it is written above. */
const PLAIN_ENVELOPE =
  /,"env":\{"format":1,"schema":(0|[1-9]\d{0,14}),"born":"([\w-]*)","seq":(0|[1-9]\d{0,14}),"ops":"([\w-]*)"(?:,"derived":"([\w-]*)")?(?:,"vectors":"([\w-]*)")?(?:,"expiresAt":([1-9]\d{0,14}))?(?:,"tenant":"([ !#-[\]-~\u0080-\uffff]+)")?(?:,"generation":([1-9]\d{0,14}))?\}\}$/y;

/** Of the last one that was read; the next is mostly as long. */
let plainLength = 0;

/** Takes a third of the time of JSON.parse, which would be a large part of the time to open a small record. */
function readPlainEnvelope(text: string): FoundEnvelope | undefined {
  let at = Math.max(0, text.length - plainLength);
  let match = matchPlain(text, at);
  if (match === null) {
    at = text.lastIndexOf(MARKER);
    match = at === -1 ? null : matchPlain(text, at);
    if (match === null) return undefined;
    plainLength = text.length - at;
  }
  const born = match[2] ?? '';
  const seq = numberOf(match[3] ?? '');
  const ops = match[4] ?? '';
  if (!isRing(seq, ops)) return undefined;
  const derived = match[5];
  const vectors = match[6];
  if (!isList(derived, DERIVED_ID_LENGTH) || !isList(vectors, VECTOR_ENTRY_LENGTH)) return undefined;
  const expiresAt = match[7] === undefined ? undefined : numberOf(match[7]);
  const schema = numberOf(match[1] ?? '');
  const tenant = match[8];
  const generation = match[9] === undefined ? undefined : numberOf(match[9]);
  return { envelope: { schema, born, seq, ops, derived, vectors, expiresAt, tenant, generation }, at };
}

function matchPlain(text: string, at: number): RegExpExecArray | null {
  PLAIN_ENVELOPE.lastIndex = at;
  return PLAIN_ENVELOPE.exec(text);
}

const FIELDS: ReadonlySet<string> = new Set<keyof Envelope | 'format'>([
  'format',
  'schema',
  'born',
  'seq',
  'ops',
  'derived',
  'vectors',
  'expiresAt',
  'tenant',
  'generation',
  'fence',
  'tombstone',
]);

function readEnvelope(text: string): FoundEnvelope {
  const at = text.lastIndexOf(MARKER);
  if (at === -1) refuse([], 'it has no envelope');
  const written = text.endsWith('}') ? parseJson(text.slice(at + BEFORE_ENVELOPE.length, -1)) : undefined;
  if (!isJsonObject(written)) refuse(['env'], 'is not an object');
  if (written.format !== FORMAT) refuse(['env', 'format'], `is not ${FORMAT}, the only one that this program reads`);
  // A field dropped here would be lost at the next write.
  if (!Object.keys(written).every((key) => FIELDS.has(key))) refuse(['env'], 'has fields that format 1 does not have');
  const { format, fence, ...rest } = written;
  if (fence === undefined) return { envelope: checked(rest), at };
  if (!(typeof fence === 'string' && /^\d{1,39}$/.test(fence))) refuse(['env', 'fence'], 'is not a decimal number');
  return { envelope: checked({ ...rest, fence: BigInt(fence) }), at };
}

function checked(envelope: UncheckedEnvelope): Envelope {
  const problem = envelopeProblem(envelope);
  if (problem !== undefined) refuse(['env'], problem);
  // Just checked, field by field.
  return envelope as unknown as Envelope;
}

type UncheckedEnvelope = { readonly [Field in keyof Envelope]?: unknown };

const MAX_FENCE = 10n ** 39n;

function envelopeProblem(envelope: UncheckedEnvelope): string | undefined {
  const { schema, born, seq, ops, derived, vectors, expiresAt, tenant, generation, fence, tombstone } = envelope;
  if (!isCount(schema)) return 'schema is not a whole number';
  if (typeof born !== 'string') return 'born is not a string';
  if (typeof ops !== 'string' || !isCount(seq) || !isRing(seq, ops))
    return 'seq and ops are not a ring of operation ids';
  if (!isList(derived, DERIVED_ID_LENGTH)) return 'derived is not a list of ids';
  if (!isList(vectors, VECTOR_ENTRY_LENGTH)) return 'vectors is not a list of entries';
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) return 'expiresAt is not an instant';
  if (tenant !== undefined && typeof tenant !== 'string') return 'tenant is not a string';
  if (generation !== undefined && !(isCount(generation) && generation > 0))
    return 'generation is not a whole number from 1';
  if (fence !== undefined && !(typeof fence === 'bigint' && fence >= 0n && fence < MAX_FENCE))
    return 'fence is not a token';
  if (tombstone !== undefined && tombstone !== true) return 'tombstone is not true';
  return undefined;
}

function isRing(seq: number, ops: string): boolean {
  return ops.length % OPERATION_ID_LENGTH === 0 && ops.length <= seq * OPERATION_ID_LENGTH;
}

/** Items of one length each, joined; a list without items is not written. */
function isList(list: unknown, length: number): list is string | undefined {
  if (list === undefined) return true;
  return typeof list === 'string' && list.length > 0 && list.length % length === 0;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
