import { NorimakiError } from '../errors.ts';
import type { Key } from '../store.ts';

/** What a key is made of. Numbers are finite; -0 is 0; dates are valid; strings are well-formed Unicode. */
export type KeyPart = string | number | bigint | boolean | Date | Uint8Array | null;

// Type codes fix the order between kinds of parts. The scheme follows FoundationDB's tuple layer, with a
// two-byte terminator so that no encoded part is a prefix of another
// (https://github.com/apple/foundationdb/blob/main/design/tuple.md).
const NULL = 0x01;
const FALSE = 0x02;
const TRUE = 0x03;
const NUMBER = 0x04;
const BIGINT = 0x05;
const DATE = 0x06;
const STRING = 0x07;
const BYTES = 0x08;

/** Above every type code: `prefix + END` is the exclusive end of all tuples that begin with `prefix`. */
const END = 0xff;
const BIGINT_MAX_BYTES = 127;

function refuse(message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument: 'key' });
}

/** Grows as parts are written; one is reused for every key, as encoding never yields. */
let buffer = Buffer.allocUnsafeSlow(2048);
/** The same memory; a Buffer's own slice() would not copy. */
let view = new Uint8Array(buffer.buffer);
let length = 0;

function reserve(bytes: number): void {
  if (length + bytes <= buffer.length) return;
  const grown = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, length + bytes));
  buffer.copy(grown, 0, 0, length);
  buffer = grown;
  view = new Uint8Array(grown.buffer);
}

function writeEscaped(start: number): void {
  let zeros = 0;
  for (let i = start; i < length; i++) if (buffer[i] === 0) zeros++;
  reserve(zeros + 2);
  let to = length + zeros;
  if (zeros > 0) {
    for (let from = length - 1; from >= start; from--) {
      const byte = buffer[from] as number;
      if (byte === 0) buffer[--to] = 0xff;
      buffer[--to] = byte;
    }
  }
  length += zeros;
  buffer[length++] = 0;
  buffer[length++] = 0;
}

const PLAIN_LENGTH = 64;

/** Short texts of ASCII without NUL, which nearly all are, need neither a check nor an escape. */
function writePlain(text: string): boolean {
  if (text.length > PLAIN_LENGTH) return false;
  reserve(PLAIN_LENGTH + 2);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
    view[length + i] = code;
  }
  length += text.length;
  view[length++] = 0;
  view[length++] = 0;
  return true;
}

function writeString(text: string): void {
  buffer[length++] = STRING;
  if (writePlain(text)) return;
  if (!text.isWellFormed()) {
    refuse(
      'A key holds a string with a lone surrogate; two such strings would share one key. Use well-formed Unicode.',
    );
  }
  reserve(text.length * 3 + 2);
  const start = length;
  length += buffer.write(text, start, 'utf8');
  writeEscaped(start);
}

function writeBytes(bytes: Uint8Array): void {
  buffer[length++] = BYTES;
  reserve(bytes.length);
  const start = length;
  buffer.set(bytes, start);
  length += bytes.length;
  writeEscaped(start);
}

/** IEEE 754 with the sign bit flipped, all bits flipped for negatives: byte order is number order. */
function writeDouble(code: number, value: number): void {
  buffer[length++] = code;
  buffer.writeDoubleBE(value === 0 ? 0 : value, length);
  const flip = value < 0 ? 0xff : 0x80;
  buffer[length] = (buffer[length] as number) ^ flip;
  if (value < 0) for (let i = 1; i < 8; i++) buffer[length + i] = (buffer[length + i] as number) ^ 0xff;
  length += 8;
}

/** Length byte around 0x80, then the magnitude; both complemented for negatives. */
function writeBigint(value: bigint): void {
  const negative = value < 0n;
  const hex = (negative ? -value : value).toString(16);
  const magnitude = value === 0n ? Buffer.alloc(0) : Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  if (magnitude.length > BIGINT_MAX_BYTES) refuse('A key holds a bigint over 1,016 bits.');
  buffer[length++] = BIGINT;
  buffer[length++] = negative ? 0x80 - magnitude.length : 0x80 + magnitude.length;
  for (const byte of magnitude) buffer[length++] = negative ? byte ^ 0xff : byte;
}

function writePart(part: KeyPart): void {
  reserve(2 + BIGINT_MAX_BYTES);
  switch (typeof part) {
    case 'string':
      writeString(part);
      return;
    case 'number':
      if (!Number.isFinite(part)) refuse('A key holds a number that is not finite.');
      writeDouble(NUMBER, part);
      return;
    case 'bigint':
      writeBigint(part);
      return;
    case 'boolean':
      buffer[length++] = part ? TRUE : FALSE;
      return;
    default:
      if (part === null) buffer[length++] = NULL;
      else if (part instanceof Date) {
        if (Number.isNaN(part.getTime())) refuse('A key holds an invalid date.');
        writeDouble(DATE, part.getTime());
      } else if (part instanceof Uint8Array) writeBytes(part);
      else refuse('A key is made of strings, numbers, bigints, booleans, dates, bytes and null.');
  }
}

/**
 * Encodes a tuple as bytes: injective, prefix-free for tuples of one shape, and ordered as the parts are
 * (null, false, true, numbers, bigints, dates, strings by code point, bytes).
 *
 * Errors: `argument.invalid` for a part that has no exact encoding.
 */
export function encodeTuple(parts: readonly KeyPart[], prefix?: Key): Key {
  length = 0;
  if (prefix !== undefined) {
    reserve(prefix.length);
    buffer.set(prefix, 0);
    length = prefix.length;
  }
  for (const part of parts) writePart(part);
  return view.slice(0, length);
}

/** The range of all keys that extend `prefix` by at least one part. */
export function prefixRange(prefix: Key): { start: Key; end: Key } {
  return { start: Uint8Array.of(...prefix, NULL), end: Uint8Array.of(...prefix, END) };
}

/** The range of all keys that extend `prefix` by a part of the same kind as `part`. */
export function kindRange(prefix: Key, part: KeyPart): { start: Key; end: Key } {
  const code = encodeTuple([part])[0] as number;
  const first = code === TRUE ? FALSE : code;
  const last = code === FALSE ? TRUE : code;
  return { start: Uint8Array.of(...prefix, first), end: Uint8Array.of(...prefix, last + 1) };
}

function corrupt(): never {
  refuse('These bytes are not an encoded key.');
}

function readEscaped(key: Key, start: number): { bytes: Uint8Array; next: number } {
  let end = start;
  let zeros = 0;
  for (;;) {
    if (end + 1 >= key.length) corrupt();
    if (key[end] !== 0) end++;
    else if (key[end + 1] === 0xff) {
      zeros++;
      end += 2;
    } else if (key[end + 1] === 0) break;
    else corrupt();
  }
  const bytes = new Uint8Array(end - start - zeros);
  for (let from = start, to = 0; from < end; to++) {
    const byte = key[from] as number;
    bytes[to] = byte;
    from += byte === 0 ? 2 : 1;
  }
  return { bytes, next: end + 2 };
}

function readDouble(key: Key, start: number): number {
  if (start + 8 > key.length) corrupt();
  const copy = Buffer.from(key.subarray(start, start + 8));
  const negative = ((copy[0] as number) & 0x80) === 0;
  if (negative) for (let i = 0; i < 8; i++) copy[i] = (copy[i] as number) ^ 0xff;
  else copy[0] = (copy[0] as number) ^ 0x80;
  const value = copy.readDoubleBE(0);
  if (!Number.isFinite(value) || Object.is(value, -0)) corrupt();
  return value;
}

function readDate(key: Key, start: number): Date {
  const time = readDouble(key, start);
  const date = new Date(time);
  // A date holds whole milliseconds of its range only.
  if (date.getTime() !== time) corrupt();
  return date;
}

function readBigint(key: Key, start: number): { value: bigint; next: number } {
  const size = key[start] ?? corrupt();
  const negative = size < 0x80;
  const next = start + 1 + Math.abs(size - 0x80);
  if (next > key.length || next - start - 1 > BIGINT_MAX_BYTES) corrupt();
  let value = 0n;
  for (let i = start + 1; i < next; i++) {
    const byte = (key[i] as number) ^ (negative ? 0xff : 0);
    if (i === start + 1 && byte === 0) corrupt();
    value = (value << 8n) | BigInt(byte);
  }
  return { value: negative ? -value : value, next };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return corrupt();
  }
}

/**
 * The tuple that {@link encodeTuple} made these bytes from, from byte `start` on.
 *
 * Errors: `argument.invalid` for bytes that no tuple has.
 */
export function decodeTuple(key: Key, start = 0): KeyPart[] {
  const parts: KeyPart[] = [];
  let at = start;
  while (at < key.length) {
    const code = key[at++];
    if (code === NULL) parts.push(null);
    else if (code === FALSE || code === TRUE) parts.push(code === TRUE);
    else if (code === NUMBER || code === DATE) {
      parts.push(code === DATE ? readDate(key, at) : readDouble(key, at));
      at += 8;
    } else if (code === BIGINT) {
      const { value, next } = readBigint(key, at);
      parts.push(value);
      at = next;
    } else if (code === STRING || code === BYTES) {
      const { bytes, next } = readEscaped(key, at);
      parts.push(code === STRING ? readText(bytes) : bytes);
      at = next;
    } else corrupt();
  }
  return parts;
}

/** The bytes of a key as latin1 text: equal for equal keys, ordered as keys are, and good for maps. */
export function keyName(key: Key): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/** Orders keys as stores do. */
export function compareKeys(a: Key, b: Key): number {
  return Buffer.compare(a, b);
}
