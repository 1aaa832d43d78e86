import type { Random } from './clock.ts';

/** So many random bytes as base64url, which is four characters for three bytes. */
export function randomId(random: Random, bytes: number): string {
  return Buffer.from(random.bytes(bytes)).toString('base64url');
}
