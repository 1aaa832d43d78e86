import { createHash } from 'node:crypto';

/** Characters of one remembered key. */
const LENGTH = 16;
/** Keys that one shard remembers. */
const REMEMBERED_KEYS = 256;

/** A ring of remembered keys, oldest first, as it stands in a shard. */
export const RING_FORM = new RegExp(`^(?:[\\w-]{${LENGTH}}){0,${REMEMBERED_KEYS}}$`);

/** What a ring remembers of an idempotency key: 96 bits of its hash. */
export function keyHash(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('base64url').slice(0, LENGTH);
}

/** The shard of a key: the same in every process, or a retry in another one would be counted a second time. */
export function homeOf(hash: string, shards: number): number {
  // 36 bits: more than enough for an even spread, and exact in a number.
  return Number.parseInt(Buffer.from(hash.slice(0, 8), 'base64url').toString('hex'), 16) % shards;
}

export function remembersKey(ring: string, hash: string): boolean {
  for (let at = ring.indexOf(hash); at !== -1; at = ring.indexOf(hash, at + 1)) if (at % LENGTH === 0) return true;
  return false;
}

/** The ring with one key more, the oldest falling off. */
export function withKey(ring: string, hash: string): string {
  return (ring + hash).slice(-REMEMBERED_KEYS * LENGTH);
}

/** The keys of some rings, dealt to the rings of `shards` shards. Where there are too many the oldest of each fall off. */
export function dealtKeys(rings: readonly string[], shards: number): string[] {
  const dealt = Array.from({ length: shards }, (): string[] => []);
  const longest = Math.max(0, ...rings.map((ring) => ring.length));
  // From the newest of each ring to the oldest, so that no ring is favoured.
  for (let back = LENGTH; back <= longest; back += LENGTH) {
    for (const ring of rings) {
      if (ring.length < back) continue;
      const hash = ring.slice(ring.length - back, ring.length - back + LENGTH);
      dealt[homeOf(hash, shards)]?.push(hash);
    }
  }
  return dealt.map((hashes) => hashes.slice(0, REMEMBERED_KEYS).reverse().join(''));
}
