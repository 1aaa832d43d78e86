import type { Version } from '../../core/version.ts';

// How records lie in LMDB. Changing anything here needs a new FORMAT.
//
// A folder has format 1 as long as it never had a vector namespace, so that programs from before there were any can use
// it. The first namespace makes it format 2: such a program would change a record and leave its vector as it was.
//
//   records:   key -> version index (u64) | deadline (f64, NaN for none) | value
//   deadlines: deadline (sortable, 8 bytes) | key -> the vectors that end with the record: see vectors/expiring.ts
//   meta:      "format" -> u64, "version" -> u64: the index of the last write; "changes": see watch/layout.ts
//
// Numbers are big-endian.

export const FORMAT = 2;
export const FORMAT_WITHOUT_VECTORS = 1;
export const HEADER = 16;

export const META_FORMAT = Buffer.from('format');
export const META_VERSION = Buffer.from('version');
export const NOTHING: Uint8Array = new Uint8Array(0);

const TWO_32 = 2 ** 32;

/** Versions stay below 2^53: at a million writes a second that is 285 years. */
export function writeU64(target: Buffer, value: number, offset = 0): Buffer {
  target.writeUInt32BE(Math.floor(value / TWO_32), offset);
  target.writeUInt32BE(value % TWO_32, offset + 4);
  return target;
}

export function readU64(source: Buffer, offset = 0): number {
  return source.readUInt32BE(offset) * TWO_32 + source.readUInt32BE(offset + 4);
}

/** As `makeVersion(1n, BigInt(index))`, which would cost half of a read. */
export function versionAt(index: number): Version {
  // The brand has no other maker; a test holds this to makeVersion.
  return `1.${index}` as Version;
}

/** A record with its version still to be filled in: that is known only inside the transaction. */
export function encodeRecord(value: Uint8Array, expiresAt: number | undefined): Buffer {
  const record = Buffer.allocUnsafe(HEADER + value.length);
  record.writeDoubleBE(expiresAt ?? Number.NaN, 8);
  record.set(value, HEADER);
  return record;
}

export interface RecordHeader {
  readonly index: number;
  readonly expiresAt: number | undefined;
}

export function readHeader(record: Buffer): RecordHeader {
  const expiresAt = record.readDoubleBE(8);
  return { index: readU64(record), expiresAt: Number.isNaN(expiresAt) ? undefined : expiresAt };
}

/** Bytes that sort as the numbers do: the sign bit of a positive number is set, a negative one is inverted. */
export function deadlineKey(expiresAt: number, key: Uint8Array = NOTHING): Buffer {
  const encoded = Buffer.allocUnsafe(8 + key.length);
  encoded.writeDoubleBE(expiresAt);
  if (encoded.readUInt8(0) & 0x80) for (let i = 0; i < 8; i++) encoded.writeUInt8(encoded.readUInt8(i) ^ 0xff, i);
  else encoded.writeUInt8(encoded.readUInt8(0) | 0x80, 0);
  encoded.set(key, 8);
  return encoded;
}

/** The end of a range that holds every entry up to and with `expiresAt`. */
export function afterDeadline(expiresAt: number): Buffer {
  const end = deadlineKey(expiresAt);
  end.writeBigUInt64BE(end.readBigUInt64BE() + 1n);
  return end;
}

export function keyOfDeadline(entry: Uint8Array): Uint8Array {
  return entry.subarray(8);
}

export function deadlineOf(entry: Uint8Array): number {
  const bytes = Buffer.from(entry.subarray(0, 8));
  if (bytes.readUInt8(0) & 0x80) bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  else for (let i = 0; i < 8; i++) bytes.writeUInt8(bytes.readUInt8(i) ^ 0xff, i);
  return bytes.readDoubleBE();
}

/** `bytes` as a Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
