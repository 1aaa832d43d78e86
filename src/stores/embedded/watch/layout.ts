import { asBuffer, NOTHING, readU64, writeU64 } from '../layout.ts';

// How changes lie in LMDB, as long as somebody watches the folder.
//
//   changes: version index (u64) | key -> 0: it was put, 1: it was deleted
//   meta:    "changes" -> from (u64) | to (u64) | count (u64) | until (f64)
//
// There is one log for all watches of all processes, written in the transaction of the write. Whoever watches renews `until`;
// once that has come nobody watches, and nothing is logged. Programs from before there were watches do not log, but they
// move the version: that shows.

export const META_CHANGES = Buffer.from('changes');

/** What the log holds. */
export interface ChangeLog {
  /** Every change after this version, up to `to`, is in the log. */
  readonly from: number;
  readonly to: number;
  /** Entries, with those before `from` that are still to be removed. */
  readonly count: number;
  /** Instant, in milliseconds since 1970, up to which writers log. */
  readonly until: number;
}

const BYTES = 32;

export function encodeLog({ from, to, count, until }: ChangeLog): Buffer {
  const bytes = Buffer.allocUnsafe(BYTES);
  for (const [i, value] of [from, to, count].entries()) writeU64(bytes, value, 8 * i);
  bytes.writeDoubleBE(until, 24);
  return bytes;
}

export function decodeLog(stored: Uint8Array): ChangeLog {
  const bytes = asBuffer(stored);
  return { from: readU64(bytes), to: readU64(bytes, 8), count: readU64(bytes, 16), until: bytes.readDoubleBE(24) };
}

/** Of `changes`; without a key the place before all of that version. */
export function changeKey(index: number, key: Uint8Array = NOTHING): Buffer {
  const bytes = writeU64(Buffer.allocUnsafe(8 + key.length), index);
  bytes.set(key, 8);
  return bytes;
}

export function indexOfChange(entry: Uint8Array): number {
  return readU64(asBuffer(entry));
}

export function keyOfChange(entry: Uint8Array): Uint8Array {
  return entry.subarray(8);
}

export const PUT: Uint8Array = Uint8Array.of(0);
export const DELETE: Uint8Array = Uint8Array.of(1);
