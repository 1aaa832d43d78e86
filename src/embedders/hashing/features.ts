import { hash } from 'node:crypto';

/** What a text is compared by. */
export interface FeatureOptions {
  /** Whole words count. */
  readonly words: boolean;
  /** Parts of words count, from the shortest to the longest, in characters. */
  readonly characters: readonly [shortest: number, longest: number] | undefined;
}

const WORDS = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts that put no spaces between words. */
const UNSPACED = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]+/gu;

/** The words of a text; for scripts without spaces, runs of characters. What has no letters is one word. */
export function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFKC').toLowerCase();
  return plain.match(WORDS) ?? [plain.trim()];
}

/** What of a word is compared: kinds of features do not mix, so `w:sea` is not the part `c:sea` of seaweed. */
export function featuresOf(word: string, { words, characters }: FeatureOptions): string[] {
  const found = words ? [`w:${word}`] : [];
  for (const run of word.match(UNSPACED) ?? []) found.push(...gramsOf(run, 1, 2));
  if (characters !== undefined) {
    const [shortest, longest] = characters;
    // The marks keep the beginning and the end of a word apart from its middle.
    for (const run of word.split(UNSPACED)) if (run !== '') found.push(...gramsOf(`<${run}>`, shortest, longest));
  }
  return found;
}

function gramsOf(run: string, shortest: number, longest: number): string[] {
  const points = Array.from(run);
  const grams: string[] = [];
  for (let size = shortest; size <= Math.min(longest, points.length); size++) {
    for (let i = 0; i + size <= points.length; i++) grams.push(`c:${points.slice(i, i + size).join('')}`);
  }
  return grams;
}

/**
 * Where a feature counts, times two; one more where it counts against. What falls together by chance cancels out as
 * often as it adds up.
 */
export function slotOf(feature: string, dimensions: number): number {
  const digest = hash('sha256', feature, 'hex');
  const dimension = Number.parseInt(digest.slice(0, 12), 16) % dimensions;
  return dimension * 2 + (Number.parseInt(digest.slice(12, 14), 16) % 2);
}
