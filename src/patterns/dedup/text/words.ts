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

/** How much two sets have in common: what is in both, of what is in either. 0 if both are empty. */
export function jaccard(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const [few, many] = one.size <= other.size ? [one, other] : [other, one];
  let both = 0;
  for (const item of few) if (many.has(item)) both++;
  const either = one.size + other.size - both;
  return either === 0 ? 0 : both / either;
}
