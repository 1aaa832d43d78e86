import { createHash } from 'node:crypto';

/** Characters of one remembered key. */
export const KEY_LENGTH = 16;

/** Rings of at most so many keys, oldest first, as they stand in a record. */
export function ringForm(keys: number): RegExp {
  return new RegExp(`^(?:[\\w-]{${KEY_LENGTH}}){0,${keys}}$`);
}

/** What a ring remembers of an idempotency key: 96 bits of its hash, or 6 for each of `length` characters. */
export function keyHash(idempotencyKey: string, length = KEY_LENGTH): string {
  return createHash('sha256').update(idempotencyKey).digest('base64url').slice(0, length);
}

/** Of a ring whose hashes are all as long as this one. */
export function remembersKey(ring: string, hash: string): boolean {
  for (let at = ring.indexOf(hash); at !== -1; at = ring.indexOf(hash, at + 1)) if (at % hash.length === 0) return true;
  return false;
}

/** The ring with one key more; beyond `keys` of them the oldest falls off. */
export function withKey(ring: string, hash: string, keys: number): string {
  return keys === 0 ? '' : (ring + hash).slice(-keys * hash.length);
}
