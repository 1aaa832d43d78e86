import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isLong } from './campaign.ts';

const MEMORY = '/dev/shm';
const TMPFS = 0x01021994;
const ENOUGH_BYTES = 2 ** 31;

/**
 * Where tests keep their folders: in memory if there is room, because most of them would mostly wait for the disk. What a
 * killed process leaves behind is the same there. Tests that are about the disk ask for `NORIMAKI_DISK`.
 */
export function quickFolder(): string {
  if (isLong) return tmpdir();
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY);
    return type === TMPFS && bavail * bsize >= ENOUGH_BYTES ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
