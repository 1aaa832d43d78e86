import { KEY_LENGTH } from '../shared/key-ring.ts';

/** Keys that one shard remembers. */
export const REMEMBERED_KEYS = 256;

/** The shard of a key: the same in every process, or a retry in another one would be counted a second time. */
export function homeOf(hash: string, shards: number): number {
  // 36 bits: more than enough for an even spread, and exact in a number.
  return Number.parseInt(Buffer.from(hash.slice(0, 8), 'base64url').toString('hex'), 16) % shards;
}

/** The keys of some rings, dealt to the rings of `shards` shards. Where there are too many the oldest of each fall off. */
export function dealtKeys(rings: readonly string[], shards: number): string[] {
  const dealt = Array.from({ length: shards }, (): string[] => []);
  const longest = Math.max(0, ...rings.map((ring) => ring.length));
  // From the newest of each ring to the oldest, so that no ring is favoured.
  for (let back = KEY_LENGTH; back <= longest; back += KEY_LENGTH) {
    for (const ring of rings) {
      if (ring.length < back) continue;
      const hash = ring.slice(ring.length - back, ring.length - back + KEY_LENGTH);
      dealt[homeOf(hash, shards)]?.push(hash);
    }
  }
  return dealt.map((hashes) => hashes.slice(0, REMEMBERED_KEYS).reverse().join(''));
}
