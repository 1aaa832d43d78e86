import type { AnnSnapshot } from '../ann/index.ts';
import { asBuffer } from '../layout.ts';
import type { Position } from './vector-reader.ts';

/** A saved search structure of a space. */
export interface SpaceSnapshot {
  /** Name of the file; see snapshot-files.ts. */
  readonly file: string;
  /** Up to where it holds what LMDB has. */
  readonly position: Position;
  readonly saved: AnnSnapshot;
}

export function encodeSnapshot(snapshot: SpaceSnapshot): Uint8Array {
  return Buffer.from(JSON.stringify(snapshot));
}

export function decodeSnapshot(stored: Uint8Array): SpaceSnapshot {
  // Only `encodeSnapshot` writes there.
  return JSON.parse(asBuffer(stored).toString('utf8')) as SpaceSnapshot;
}
