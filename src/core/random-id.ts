import type { Random } from './clock.ts';

/** So many random bytes as base64url, which is four characters for three bytes. */
export function randomId(random: Random, bytes: number): string {
  const { buffer, byteOffset, byteLength } = random.bytes(bytes);
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64url');
}
