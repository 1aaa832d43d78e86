import { KEY_LENGTH, keyHash } from '../shared/key-ring.ts';

// A record of stock remembers of the holds of one SKU that have ended: by the hash of its name, and which of that name it was.

/** Characters of a number: 36 bits, more than any record ever takes. */
const NUMBER_LENGTH = 6;
const ENTRY = KEY_LENGTH + NUMBER_LENGTH;

/** Rings of at most so many ends, oldest first, as they stand in a record. */
export function endRingForm(ends: number): RegExp {
  return new RegExp(`^(?:[\\w-]{${ENTRY}}){0,${ends}}$`);
}

/** The number of the last hold of this name that is remembered. */
export function endOf(ring: string, name: string): number | undefined {
  const hash = keyHash(name);
  for (let at = ring.lastIndexOf(hash); at !== -1; at = at === 0 ? -1 : ring.lastIndexOf(hash, at - 1)) {
    if (at % ENTRY === 0) return numberOf(ring.slice(at + KEY_LENGTH, at + ENTRY));
  }
  return undefined;
}

/** The ring with one end more; beyond `ends` of them the oldest falls off. */
export function withEnd(ring: string, name: string, n: number, ends: number): string {
  return (ring + keyHash(name) + textOf(n)).slice(-ends * ENTRY);
}

function textOf(n: number): string {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(n, 0, 6);
  // Six characters of eight: 36 of 48 bits.
  return bytes.toString('base64url').slice(-NUMBER_LENGTH);
}

function numberOf(text: string): number {
  return Buffer.from(`AA${text}`, 'base64url').readUIntBE(0, 6);
}
