/** Scripts that put no spaces between words: each of their characters counts as one. */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const WORD = new RegExp(`[${UNSPACED}]\\p{M}*|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+`, 'gu');

/** Runs of letters and digits; punctuation is left out. */
export function wordsOf(normalized: string): string[] {
  return normalized.match(WORD) ?? [];
}

/** Every `size` words that stand side by side; of fewer words all of them. */
export function shinglesOf(words: readonly string[], size: number): string[] {
  if (words.length === 0) return [];
  const count = Math.max(1, words.length - size + 1);
  return Array.from({ length: count }, (_, at) => words.slice(at, at + size).join(' '));
}
