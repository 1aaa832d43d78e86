import { createHash } from 'node:crypto';
import type { StreamId } from '../stream-id.ts';

const LENGTH = 22;

/** A stream in so many characters, whatever its name: 132 bits of a hash. */
export function streamKey({ category, id }: StreamId): string {
  return createHash('sha256')
    .update(JSON.stringify([category, id]))
    .digest('base64url')
    .slice(0, LENGTH);
}

/** The partition of a stream, by its key: the same in every process. */
export function partitionOf(key: string, partitions: number): number {
  return Buffer.from(key, 'base64url').readUInt32BE(0) % partitions;
}
