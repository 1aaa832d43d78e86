/** Invisible characters that texts pick up on their way: soft hyphens, joiners, marks of order. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/gu;

/**
 * A text without what does not change what it says: Unicode form (NFKC), case, invisible characters, and how words are spaced.
 * Depends on no locale. Doing it twice changes nothing more.
 */
export function normalize(text: string): string {
  // Through upper case, which is how `ß` becomes `ss` and both forms of sigma one; `ẞ` gets there by lower case only.
  const folded = text
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC');
  return folded.replace(/\s+/gu, ' ').trim();
}
