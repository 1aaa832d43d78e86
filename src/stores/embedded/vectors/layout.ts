import type { Metric, VectorIndexOptions, VectorIndexType } from '../../../core/vectors/index.ts';
import { asBuffer, readU64, writeU64 } from '../layout.ts';

// How vectors lie in LMDB, format 2. Changing anything here needs a new FORMAT.
//
//   spaces:   "n" namespace -> its SpaceInfo
//             "i" -> u64: the number of the namespace made last
//             "d" space (u64) -> nothing: it was dropped, and what is left of it is being deleted
//             "s" space (u64) -> JSON: its snapshot
//   labels:   space (u64) | vector id (UTF-8) -> label (u64)
//   vectors:  space (u64) | label (u64) -> the numbers (f32, in the byte order of the machine, as LMDB's own) | vector id
//   removals: space (u64) | position (u64) -> label (u64)
//
// Labels and positions of a space are drawn from one counter and never used again. So `vectors` in the order of labels is
// the log of all that was added, `removals` that of all that went, and a reader that has seen both up to a position
// goes on from there.

const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'innerProduct'];
const TYPES: readonly VectorIndexType[] = ['exact', 'hnsw'];

export const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** What is known of a namespace. */
export interface SpaceInfo {
  /** Its number; a namespace that is made again gets another. */
  readonly id: number;
  /** The next label or position. */
  readonly next: number;
  /** Vectors in it. */
  readonly size: number;
  /** Removals that the log still holds. */
  readonly logged: number;
  /** Every removal from this position on is in the log. */
  readonly kept: number;
  readonly options: VectorIndexOptions;
}

const INFO = 46;

export function encodeSpace({ id, next, size, logged, kept, options }: SpaceInfo): Buffer {
  const bytes = Buffer.alloc(INFO);
  for (const [i, value] of [id, next, size, logged, kept].entries()) writeU64(bytes, value, 8 * i);
  bytes.writeUInt32BE(options.dimensions, 40);
  bytes.writeUInt8(METRICS.indexOf(options.metric), 44);
  bytes.writeUInt8(TYPES.indexOf(options.type), 45);
  return bytes;
}

export function decodeSpace(stored: Uint8Array): SpaceInfo {
  const bytes = asBuffer(stored);
  const [metric, type] = [METRICS[bytes.readUInt8(44)], TYPES[bytes.readUInt8(45)]];
  if (metric === undefined || type === undefined) throw new Error('A vector namespace has unknown options.');
  return {
    id: readU64(bytes),
    next: readU64(bytes, 8),
    size: readU64(bytes, 16),
    logged: readU64(bytes, 24),
    kept: readU64(bytes, 32),
    options: { dimensions: bytes.readUInt32BE(40), metric, type },
  };
}

export const LAST_SPACE = Buffer.from('i');
const NAME = 'n';
export const NAMES = { start: Buffer.from(NAME), end: Buffer.from('o') };
const DROPPED = Buffer.from('d');
export const ALL_DROPPED = { start: DROPPED, end: Buffer.from('e') };
const SNAPSHOT = Buffer.from('s');
export const ALL_SNAPSHOTS = { start: SNAPSHOT, end: Buffer.from('t') };

export function nameKey(namespace: string): Buffer {
  return Buffer.from(NAME + namespace);
}

export function nameOf(key: Uint8Array): string {
  return asBuffer(key).toString('utf8', NAMES.start.length);
}

export function droppedKey(space: number): Buffer {
  return Buffer.concat([DROPPED, u64(space)]);
}

export function droppedOf(key: Uint8Array): number {
  return readU64(asBuffer(key), DROPPED.length);
}

export function snapshotKey(space: number): Buffer {
  return Buffer.concat([SNAPSHOT, u64(space)]);
}

export function u64(value: number): Buffer {
  return writeU64(Buffer.allocUnsafe(8), value);
}

/** Of `vectors` and `removals`. */
export function numberKey(space: number, label: number): Buffer {
  return writeU64(writeU64(Buffer.allocUnsafe(16), space), label, 8);
}

export function numberOf(key: Uint8Array): number {
  return readU64(asBuffer(key), 8);
}

/** Of `labels`. */
export function labelKey(space: number, id: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(8 + id.length);
  writeU64(key, space).set(id, 8);
  return key;
}

export function idOf(key: Uint8Array): string {
  return asBuffer(key).toString('utf8', 8);
}

/** The keys of a space in `labels`, `vectors` and `removals`, from `from` on. */
export function keysOf(space: number, from: Uint8Array = u64(space)): { start: Uint8Array; end: Uint8Array } {
  return { start: from, end: u64(space + 1) };
}

export function encodeVector(vector: Float32Array, id: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(vector.byteLength + id.length);
  value.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  value.set(id, vector.byteLength);
  return value;
}

/** Fills `target`, which lies as floats must; what LMDB hands out may not. */
export function copyNumbers(value: Uint8Array, target: Float32Array): void {
  new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(value.subarray(0, target.byteLength));
}
